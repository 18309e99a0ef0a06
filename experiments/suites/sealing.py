"""What sealing a body costs: by HPKE to a key, and under the keys of a session."""

from collections.abc import Callable, Sequence
from typing import Final

from experiments.experiment import Arm, Experiment, Finding, Plot, Round
from experiments.scale import Scale
from experiments.seal_arms import seal_arms
from experiments.seals import SEALS

QUICK_SIZES: Final = (64, 1024, 65536)
SIZES: Final = (64, 256, 1024, 4096, 16384, 65536, 262144, 1048576)


def arms(scale: Scale) -> Sequence[Arm]:
    """Build the arms of every way to seal, for every size of the scale."""
    sizes = SIZES if scale.wide else QUICK_SIZES
    return [arm for size in sizes for name, make in SEALS.items() for arm in seal_arms(name, make, size)]


def both(r: Round, name: str, size: int) -> float:
    """Sealing and opening: what a server does for a sealed answer and a sealed request."""
    return r[f"{name} seal {size}"] + r[f"{name} open {size}"]


def ratio(name: str, other: str, size: int) -> Callable[[Round], float]:
    """How many times what another way takes, for one size."""
    return lambda r: both(r, name, size) / both(r, other, size)


EXPERIMENT = Experiment(
    name="sealing",
    title="Sealed bodies",
    question="What does it cost to seal bodies, by HPKE or within a session, and how does that grow with them?",
    topic=19,
    held_fixed=(
        "HPKE base mode with X-Wing, HKDF-SHA256 and AES-256-GCM, by the OpenSSL of cryptography, the one "
        "library that the product seals with, whatever its provider",
        "each body is sealed in one piece, with fresh randomness each time, bound to the context of one request",
        "keys are parsed before, though a server parses the reply key of each request that HPKE sealed",
        "one body of random bytes, in the caches of the core; four sealed ones are opened in turn",
        "cipher: AES-256-GCM of cryptography with its object kept, the least that any of it can cost",
        "one process and one thread; neither HTTP nor signatures are part of it",
    ),
    checked=(
        "What was sealed opens to the same bytes, is different each time and does not hold the body; it is refused in "
        "another context, with its first or last byte changed, and cut short."
    ),
    arms=arms,
    findings=(
        Finding(
            "hpke-time",
            lambda r: both(r, "hpke-x-wing", 64),
            "Sealing and opening 64 bytes by HPKE takes {value} together.",
            kind="amount",
            unit="us",
            headline=False,
        ),
        Finding(
            "session-time",
            lambda r: both(r, "session", 64),
            "Sealing and opening 64 bytes under the keys of a session takes {value} together.",
            kind="amount",
            unit="us",
            headline=False,
        ),
        Finding(
            "hpke-to-session-1k",
            ratio("hpke-x-wing", "session", 1024),
            "For a body of 1 KiB, HPKE costs {value} times as much as the keys of a session.",
        ),
        Finding(
            "hpke-to-session-64k",
            ratio("hpke-x-wing", "session", 65536),
            "For a body of 64 KiB, HPKE costs {value} times as much as the keys of a session.",
        ),
        Finding(
            "hpke-to-session-1m",
            ratio("hpke-x-wing", "session", 1048576),
            "For a body of 1 MiB, HPKE costs {value} times as much as the keys of a session.",
            headline=False,
        ),
        Finding(
            "session-to-cipher-1k",
            ratio("session", "cipher", 1024),
            "For a body of 1 KiB, the product's session seal takes {value} times as long as the cipher alone.",
            otherwise="A session's seal and the cipher alone, for a body of 1 KiB: no difference shown ({value}).",
            headline=False,
        ),
        Finding(
            "session-kib",
            lambda r: (both(r, "session", 65536) - both(r, "session", 64)) / (65536 - 64) * 1024,
            "Within a session, every KiB more takes {value}, sealed and opened.",
            kind="amount",
            unit="us",
            headline=False,
        ),
        Finding(
            "hpke-bytes",
            lambda r: r["hpke-x-wing seal 1024"],
            "HPKE makes a body {value} longer.",
            kind="amount",
            unit="bytes",
            quantity="overhead_bytes",
        ),
        Finding(
            "hpke-request-bytes",
            lambda r: r["hpke-x-wing seal 1024"],
            "A request sealed by HPKE is {value} longer, as it also brings the key that its answer is sealed to.",
            kind="amount",
            unit="bytes",
            quantity="request_overhead_bytes",
            headline=False,
        ),
        Finding(
            "session-bytes",
            lambda r: r["session seal 1024"],
            "The keys of a session make a body {value} longer.",
            kind="amount",
            unit="bytes",
            quantity="overhead_bytes",
        ),
    ),
    answer=(
        "HPKE takes {hpke-time} to seal and open a small body, and adds {hpke-bytes}; the keys of a session take "
        "{session-time} and add {session-bytes}. The larger the body, the less that matters: HPKE costs "
        "{hpke-to-session-1k} times as much as a session at 1 KiB, and {hpke-to-session-64k} times at 64 KiB."
    ),
    plots=(
        Plot(
            "lines",
            "CPU time to seal and to open a body",
            x="bytes",
            color="method",
            panel="operation",
            log=True,
            log_x=True,
        ),
    ),
    seconds={"quick": 10, "full": 120},
)
