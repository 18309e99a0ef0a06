"""Studies from Python: create, contribute, look, read and decrypt the result.

`StudyClient` takes a function that sends signed requests (`over` makes one of an `httpx.Client`), so that the command
line, a program and a test can each bring their own.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from secure_api.client.errors import ServerUnusable

if TYPE_CHECKING:
    import httpx

    from crypto import PrivateKey
    from crypto.homomorphic import ContextFacts, HomomorphicTerms
    from crypto.homomorphic.analyst_key import HomomorphicResult

OCTETS: Final = "application/octet-stream"
JSON: Final = "application/json"
ENDED: Final = frozenset({"released", "aborted"})
#: Sends method, path, body and its content type; gives the body of an answer that is a success.
Send = Callable[[str, str, bytes, str], bytes]


class StudyClient:
    """The studies of one server, as one client of it. Each method raises what `send` raises, and ServerUnusable."""

    def __init__(self, send: Send) -> None:
        self._send = send

    @classmethod
    def over(cls, http: httpx.Client) -> StudyClient:
        """Make a client over a connection whose `auth` signs requests and whose `base_url` is the server's.

        An answer that is no success raises `httpx.HTTPStatusError`.
        """

        def send(method: str, path: str, content: bytes, content_type: str) -> bytes:
            response = http.request(method, path, content=content, headers={"Content-Type": content_type})
            response.raise_for_status()
            return response.content

        return cls(send)

    def upload_context(self, public_context: bytes) -> str:
        """Upload an analyst's public context; returns its fingerprint. Again is fine."""
        fingerprint = self._json("POST", "/v1/contexts", public_context, OCTETS).get("fingerprint")
        if not isinstance(fingerprint, str):
            raise ServerUnusable("the server's answer has no fingerprint")
        return fingerprint

    def create(self, study: Mapping[str, object]) -> dict[str, Any]:
        """Create a study; returns it."""
        return self._json("POST", "/v1/studies", json.dumps(study).encode())

    def get(self, study: str) -> dict[str, Any]:
        """Look at a study."""
        return self._json("GET", _path(study))

    def all(self) -> list[dict[str, Any]]:
        """List every study that the client may know of, the newest first."""
        found: list[dict[str, Any]] = []
        path = "/v1/studies"
        while True:
            page = self._json("GET", path)
            try:
                found += page["studies"]
                following = page["next"]
            except (KeyError, TypeError) as error:
                raise ServerUnusable("the server's list of studies makes no sense") from error
            if following is None:
                return found
            path = f"/v1/studies?behind={quote(str(following), safe='')}"

    def prepare(self, study: Mapping[str, Any], values: Any, keyid: str) -> bytes:
        """Encrypt or share the values (floats, as many as the study's dimension) for a study that `get` returned.

        `keyid` is the key that signs the client's requests. Nothing is sent; for CKKS and BFV the study's public
        context is read. Raises CryptoError: values outside the bounds, another number of them, terms that make no
        sense.
        """
        method = study.get("method")
        if method == "ckks":
            from crypto.homomorphic import Encryptor

            encryptor = Encryptor(self._send("GET", _path(study["id"], "/context"), b"", JSON), _fingerprint(study))
            return encryptor.encrypt(homomorphic_terms(study, encryptor.facts), values)
        if method == "mpc":
            from crypto.mpc import seal_contribution
            from crypto.mpc.parameters import MpcParameters
            from secure_api.client.mpc import mpc_terms

            keys = MpcParameters.parse(study["parameters"]).sealing_keys
            return seal_contribution(mpc_terms(study), values, keyid, keys, secrets.token_bytes)
        raise ServerUnusable(f"contributions to a study of the method {method!r:.40} are not made in this way")

    def take_part(
        self, study: Mapping[str, Any], values: Any, key: PrivateKey, *, told: Callable[[str], None] = lambda _: None
    ) -> dict[str, Any]:
        """Contribute to a masked study that `get` returned, with the key on its roster; stays until its release.

        Returns the result. Raises CryptoError, ServerUnusable: see `MaskedContributor.run`.
        """
        from secure_api.client.masking import MaskedContributor

        return MaskedContributor(self._send, study, key, told=told).run(values)

    def contribute(self, study: str, content: bytes) -> str:
        """Send what `prepare` made; returns its SHA-256 (hexadecimal). The same bytes again are fine."""
        answer = self._json("PUT", _path(study, "/contribution"), content, OCTETS)
        return str(answer.get("sha256"))

    def close(self, study: str) -> None:
        """Take no more contributions."""
        self._send("POST", _path(study, "/close"), b"", JSON)

    def abort(self, study: str, reason: str) -> None:
        """End a study without a result."""
        self._send("POST", _path(study, "/abort"), json.dumps({"reason": reason}).encode(), JSON)

    def result(self, study: str) -> bytes:
        """Read what a study released: JSON, or (method ckks) the encrypted sum."""
        return self._send("GET", _path(study, "/result"), b"", JSON)

    def decrypt(self, study: Mapping[str, Any], key: Path, passphrase: bytes | None) -> HomomorphicResult:
        """Decrypt the result of a study of the method ckks with the analyst's key in a file, which counts it.

        Raises HomomorphicError, KeyFileError, PassphraseError: the key is another one, or used up; the sum is damaged.
        """
        from crypto.homomorphic import AnalystKey

        facts = AnalystKey.load(key, passphrase).facts()
        terms = homomorphic_terms(study, facts)
        content = self.result(study["id"])
        return AnalystKey.decrypt_with(key, passphrase, terms, facts, content, study["contributions"])

    def _json(self, method: str, path: str, content: bytes = b"", content_type: str = JSON) -> dict[str, Any]:
        try:
            answer = json.loads(self._send(method, path, content, content_type))
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise ServerUnusable("the server's answer is not a JSON object")
        return answer


def homomorphic_terms(study: Mapping[str, Any], facts: ContextFacts) -> HomomorphicTerms:
    """Give the terms that contributions to a study are encrypted by.

    Raises ServerUnusable: the study is of another method or context, or makes no sense. Raises HomomorphicError.
    """
    from crypto.homomorphic import HomomorphicTerms
    from crypto.homomorphic.parameters import MAX_CONTRIBUTORS

    if study.get("method") != "ckks":
        raise ServerUnusable("the study is of another method than ckks")
    try:
        parameters, bounds = study["parameters"], study["bounds"]
        return HomomorphicTerms(
            facts.parameters,
            study["statistic"],
            study["dimension"],
            float(bounds["low"]),
            float(bounds["high"]),
            parameters.get("maximum_contributors", MAX_CONTRIBUTORS),
            {name: float(value) for name, value in parameters.get("arguments", {}).items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ServerUnusable("the server's description of the study makes no sense") from error


def _fingerprint(study: Mapping[str, Any]) -> str:
    try:
        return str(study["parameters"]["context"])
    except (KeyError, TypeError) as error:
        raise ServerUnusable("the server's description of the study names no context") from error


def _path(study: str, more: str = "") -> str:
    return f"/v1/studies/{quote(study, safe='')}{more}"
