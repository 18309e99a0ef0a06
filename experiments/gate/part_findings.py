"""What the parts of authenticating a request say about the whole, computed round by round."""

from collections.abc import Callable
from typing import Final

from experiments.experiment import Finding, Round
from experiments.gate.part_arms import SIZE, SIZES
from experiments.gate.parts import PARTS, REST, WHOLE

OQS: Final = "ml-dsa-65 oqs"
OPENSSL: Final = "ml-dsa-65 openssl"
SESSION: Final = "hmac-sha256 openssl"


def together(signer: str, size: int = SIZE) -> Callable[[Round], float]:
    """All of the authentication, for a signer (algorithm and provider) and a size of the body."""
    return lambda r: r[f"{WHOLE} {signer} {size}"]


def percent(part: str, signer: str, size: int = SIZE) -> Callable[[Round], float]:
    """How much of the whole one part is."""
    return lambda r: 100 * r[f"{part} {signer} {size}"] / r[f"{WHOLE} {signer} {size}"]


def explained(signer: str, size: int = SIZE) -> Callable[[Round], float]:
    """How much of the whole the parts and the rest explain, which were measured alone."""
    return lambda r: 100 * sum(r[f"{part} {signer} {size}"] for part in (*PARTS, REST)) / r[f"{WHOLE} {signer} {size}"]


PART_FINDINGS: Final = (
    Finding(
        "oqs-time",
        together(OQS),
        "Authenticating a request of 1 KiB signed by ML-DSA-65 takes {value} with liboqs.",
        kind="amount",
        unit="us",
        headline=False,
    ),
    Finding(
        "openssl-time",
        together(OPENSSL),
        "Authenticating a request of 1 KiB signed by ML-DSA-65 takes {value} with OpenSSL.",
        kind="amount",
        unit="us",
        headline=False,
    ),
    Finding(
        "session-time",
        together(SESSION),
        "Authenticating a request of 1 KiB within a session takes {value}.",
        kind="amount",
        unit="us",
        headline=False,
    ),
    Finding(
        "oqs-to-openssl",
        lambda r: together(OQS)(r) / together(OPENSSL)(r),
        "With liboqs, authenticating a request signed by ML-DSA-65 takes {value} of the time with OpenSSL.",
    ),
    Finding(
        "session-to-openssl",
        lambda r: together(SESSION)(r) / together(OPENSSL)(r),
        "Within a session, a request takes {value} of the time of one signed by ML-DSA-65 with OpenSSL.",
    ),
    Finding(
        "session-to-oqs",
        lambda r: together(SESSION)(r) / together(OQS)(r),
        "Within a session, a request takes {value} of the time of one signed by ML-DSA-65 with liboqs.",
        otherwise="A session and ML-DSA-65 with liboqs: no difference shown ({value}).",
    ),
    Finding(
        "openssl-to-ed25519",
        lambda r: together(OPENSSL)(r) / together("ed25519 openssl")(r),
        "With OpenSSL, a request signed by ML-DSA-65 takes {value} times as long as one signed by Ed25519.",
    ),
    Finding(
        "oqs-verify-share",
        percent("verify", OQS),
        "With liboqs, verifying the signature is {value} of it.",
        kind="amount",
        unit="%",
    ),
    Finding(
        "openssl-verify-share",
        percent("verify", OPENSSL),
        "With OpenSSL, verifying the signature is {value} of it.",
        kind="amount",
        unit="%",
    ),
    Finding(
        "oqs-explained",
        explained(OQS),
        "The six parts and the rest, measured alone, explain {value} of the whole with liboqs.",
        kind="amount",
        unit="%",
        headline=False,
    ),
    Finding(
        "openssl-explained",
        explained(OPENSSL),
        "The six parts and the rest, measured alone, explain {value} of the whole with OpenSSL.",
        kind="amount",
        unit="%",
        headline=False,
    ),
    Finding(
        "digest-share-1m",
        percent("digest", OPENSSL, SIZES[-1]),
        "For a body of 1 MiB, the digest is {value} of it with OpenSSL.",
        kind="amount",
        unit="%",
        headline=False,
    ),
)
