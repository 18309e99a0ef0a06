"""Whole requests over HTTP, for the suite `signed-request`: the route plain and protected, by size of the body."""

from collections.abc import Callable, Sequence
from typing import Final

from experiments.experiment import Arm, Finding, Round
from experiments.scale import Scale
from experiments.servers.arm import server_arm
from experiments.servers.protection import Protection

SIZES: Final = (64, 1024, 16_384, 262_144, 1_048_576)
QUICK_SIZES: Final = (1024,)
PROCESS: Final = "load"
#: By the name of the signer that the suite's other arms use.
SIGNERS: Final = {
    "none": Protection("none"),
    "ml-dsa-65 openssl": Protection("signature"),
    "ml-dsa-65 oqs": Protection("signature", provider="oqs"),
    "session": Protection("session"),
}


def whole_arms(scale: Scale) -> Sequence[Arm]:
    """Build the arms `over HTTP SIGNER SIZE`; their servers share one load generator."""
    return [
        Arm(
            f"over HTTP {signer} {size}",
            server_arm(protection, size=size),
            {"signer": signer, "bytes": size, "measured": "over HTTP"},
            process=PROCESS,
        )
        for size in (SIZES if scale.wide else QUICK_SIZES)
        for signer, protection in SIGNERS.items()
    ]


def whole_findings() -> tuple[Finding, ...]:
    """How much more expensive a signature makes a request, by the size of its body."""
    return tuple(
        Finding(
            f"http-{size}",
            _times(size),
            f"Over HTTP, ML-DSA-65 (OpenSSL) makes a request of {size:,} bytes {{value}} times as expensive.",
            headline=size == QUICK_SIZES[0],
        )
        for size in SIZES
    )


def _times(size: int) -> Callable[[Round], float]:
    return lambda r: r[f"over HTTP ml-dsa-65 openssl {size}"] / r[f"over HTTP none {size}"]
