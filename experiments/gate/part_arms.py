"""The arms of authenticating a request by part: one for each part, what is beside them, and the whole."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from experiments.experiment import Arm
from experiments.gate.doorway import HMAC, Provider
from experiments.gate.doorways import enter, leave
from experiments.gate.parts import PARTS, REST, WHOLE
from experiments.gate.subjects import PartSubject
from experiments.scale import Scale
from experiments.subject import Setting

#: Algorithm and the provider that verifies it. HMAC and Ed25519 are OpenSSL's whatever the product's provider.
SIGNERS: Final[tuple[tuple[str, Provider], ...]] = (
    ("ml-dsa-44", "openssl"),
    ("ml-dsa-44", "oqs"),
    ("ml-dsa-65", "openssl"),
    ("ml-dsa-65", "oqs"),
    ("ml-dsa-87", "openssl"),
    ("ml-dsa-87", "oqs"),
    ("ed25519", "openssl"),
    (HMAC, "openssl"),
)
QUICK_SIGNERS: Final = frozenset({"ml-dsa-65", "ed25519", HMAC})
#: What those signers are called that have one provider only.
NAMES: Final = {HMAC: "session", "ed25519": "ed25519"}
#: Whose parts are measured for other sizes of the body, too.
BY_SIZE: Final = "ml-dsa-65"
SIZES: Final = (64, 1024, 16384, 65536, 1048576)
QUICK_SIZES: Final = (64, 1024, 65536)
SIZE: Final = 1024
#: A size of which the whole alone is measured.
UNCUT: Final = 16384


def part_arms(scale: Scale) -> list[Arm]:
    """Build the arms, named `PART ALGORITHM PROVIDER SIZE`; those of one provider share a process.

    Every signer's parts for a body of `SIZE` bytes, those of `BY_SIZE` for other sizes, and every signer's whole.
    """
    return [arm for algorithm, provider in _signers(scale) for arm in _of_signer(algorithm, provider, scale)]


def _signers(scale: Scale) -> Iterator[tuple[str, Provider]]:
    for algorithm, provider in SIGNERS:
        if scale.wide or algorithm in QUICK_SIGNERS:
            yield algorithm, provider


def _of_signer(algorithm: str, provider: Provider, scale: Scale) -> Iterator[Arm]:
    for size in SIZES if scale.wide else QUICK_SIZES:
        cut = size == SIZE or (algorithm == BY_SIZE and scale.wide and size != UNCUT)
        parts: Sequence[str] = (*PARTS, REST, WHOLE) if cut else (WHOLE,)
        for part in parts:
            yield Arm(
                f"{part} {algorithm} {provider} {size}",
                partial(prepare, part, algorithm, provider, size),
                {
                    "part": part,
                    "algorithm": algorithm,
                    "provider": provider,
                    "signer": NAMES.get(algorithm, f"{algorithm} {provider}"),
                    "bytes": size,
                    "measured": "in process",
                },
                process=provider,
            )


def prepare(part: str, algorithm: str, provider: Provider, size: int, setting: Setting) -> PartSubject:
    """Prepare one part in the doorway of this process. Raises Unavailable."""
    door = enter(setting.folder, provider)
    try:
        return PartSubject(door, part, algorithm, size)
    except BaseException:
        leave(door)
        raise
