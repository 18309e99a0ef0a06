"""Who plays the joint computations: an institute that asks, and hospitals that show their values to nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from crypto import PrivateKey, write_private_key
from secure_api.cli.demo.stage import Stage
from secure_api.cli.errors import CliError
from secure_api.client import ClientProfile, ProfileStore, SignatureAuth
from secure_api.client.studies import StudyClient

LOW, HIGH = 0.0, 30.0
#: Mean stay in days, in three wards of each hospital. The fourth joins for the masked study only.
STAYS: Final[Mapping[str, tuple[float, float, float]]] = {
    "north": (4.2, 6.1, 2.5),
    "south": (3.9, 7.4, 3.1),
    "west": (5.1, 5.7, 2.2),
    "east": (4.5, 6.0, 2.5),
}
THREE: Final = ("north", "south", "west")


class HospitalGone(Exception):
    """A hospital's program ended in the middle, on purpose."""


@dataclass(slots=True)
class Hospital:
    """One organization's program: it signs, and remembers what contribution it sent (which is all the server gets)."""

    stage: Stage
    name: str
    auth: SignatureAuth
    leaves_before: str | None = None  # the end of a path that it never sends
    sent: bytes = b""

    @property
    def key(self) -> PrivateKey:
        """The key that signs for it."""
        return self.auth.keys[0]

    @property
    def studies(self) -> StudyClient:
        """The studies of the server, as this organization's client."""
        return StudyClient(self._send)

    def _send(self, method: str, path: str, content: bytes, content_type: str) -> bytes:
        if self.leaves_before is not None and path.endswith(self.leaves_before):
            raise HospitalGone
        if method == "PUT" and path.endswith("/contribution"):
            self.sent = content
        headers = {"Content-Type": content_type}
        response = self.stage.http.request(method, path, content=content, headers=headers, auth=self.auth)
        if not response.is_success:
            raise CliError(f"{method} {path}: {response.status_code} {response.text}")
        return response.content

    def write_profile(self, folder: Path) -> None:
        """Write the profile that our own program signs with, below `folder`."""
        path = folder / f"{self.name}.pem"
        write_private_key(path, self.key, None)
        url = str(self.stage.http.base_url)
        ProfileStore(folder).put(ClientProfile(name=self.name, url=url, keys=(path,)))


@dataclass(slots=True)
class Consortium:
    """The institute and the hospitals, enrolled."""

    institute: Hospital
    hospitals: dict[str, Hospital]

    @classmethod
    def gather(cls, stage: Stage) -> "Consortium":
        """Enroll an analyst of the institute and a contributor of each hospital, who are not enrolled yet."""
        for name, role in {"institute": "analyst", **dict.fromkeys(STAYS, "contributor")}.items():
            if name not in stage.members:
                stage.enroll(name, role)
        hospitals = {name: Hospital(stage, name, stage.members[name]) for name in STAYS}
        return cls(Hospital(stage, "institute", stage.members["institute"]), hospitals)

    def now(self) -> datetime:
        """Give the present time."""
        return datetime.now(UTC)

    def study(self, method: str, invited: tuple[str, ...], parameters: Mapping[str, object]) -> dict[str, Any]:
        """Let the institute create a study of the mean of three values."""
        deadline = self.now() + timedelta(hours=1)
        return self.institute.studies.create(
            {
                "name": f"stay-{method}",
                "method": method,
                "statistic": "mean",
                "dimension": 3,
                "bounds": {"low": LOW, "high": HIGH},
                "contributors": list(invited),
                "minimum_contributors": 3,
                "deadline": deadline.isoformat().replace("+00:00", "Z"),
                "parameters": parameters,
            }
        )


def plain_mean(names: Sequence[str]) -> list[float]:
    """Compute what the study is to find, from the values that nobody shows."""
    return [sum(values) / len(names) for values in zip(*(STAYS[name] for name in names), strict=True)]


def present() -> bool:
    """Tell whether the extra that studies need is installed."""
    return all(find_spec(name) is not None for name in ("numpy", "tenseal", "mpyc"))
