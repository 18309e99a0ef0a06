"""Whether signatures should be verified in the event loop, as the product does, or in threads."""

from collections.abc import Sequence
from functools import partial

from experiments.experiment import Arm, Experiment, Finding, Plot, Round
from experiments.offload.verifiers import VERIFIERS
from experiments.offload.verifying import Verifying
from experiments.offload.ways import WAYS
from experiments.scale import Scale
from experiments.subject import Setting

INLINE = "inline"
THREAD = "asyncio.to_thread"
FASTAPI = "anyio.to_thread"
#: Windows are longer than elsewhere, to see some hundred newcomers in one.
WINDOW = {"quick": 0.03, "full": 0.2}  # seconds


def arm(algorithm: str, library: str, way: str) -> Arm:
    """Verify the signatures of one algorithm by one library in one way."""

    def prepare(setting: Setting) -> Verifying:
        verify, signed = VERIFIERS[algorithm, library](setting.random)
        return Verifying(WAYS[way], verify, signed, offloaded=way != INLINE, window=WINDOW[setting.scale.name])

    what = f"{algorithm} ({library})"
    return Arm(f"{what}, {way}", prepare, {"signature": what, "way": way}, process="loop")


def arms(_scale: Scale) -> Sequence[Arm]:
    """Every algorithm and library, in every way."""
    return [arm(*verifier, way) for verifier in VERIFIERS for way in WAYS]


def against_inline(
    name: str, what: str, quantity: str, says: str, *, way: str = THREAD, headline: bool = False
) -> Finding:
    """Set a way that uses threads against the loop itself."""

    def ratio(of: Round) -> float:
        return of[f"{what}, {way}"] / of[f"{what}, {INLINE}"]

    return Finding(name, ratio, says, quantity=quantity, headline=headline)


def waits(name: str, way: str, quantity: str, says: str) -> Finding:
    """Tell how long a newcomer waits for the loop while ML-DSA-65 is verified by OpenSSL."""
    of_arm = f"ml-dsa-65 (openssl), {way}"
    return Finding(name, lambda of: of[of_arm], says, kind="amount", unit="us", quantity=quantity, headline=False)


picture = partial(Plot, "dots", x="signature", color="way", log=True)

EXPERIMENT = Experiment(
    name="offloading",
    title="Verifying in threads",
    question="Should signatures be verified in the event loop, or in threads?",
    topic=19,
    unit="us of CPU time a verification, of all threads",
    held_fixed=(
        "16 tasks in one event loop, each of which verifies one signature after the other: the loop is never idle",
        "messages of 400 bytes and keys that were parsed before; a task that verifies inline then yields to the others",
        "CPython with its global lock, which is offered to another thread every 5 ms",
        "the process may run on all cores: whatever it was pinned to is undone",
        "newcomers arrive from another process over a socket, every 1 to 3 ms at random",
    ),
    checked="Valid signatures pass and forged ones are refused, also one forged among 16 at once; each is verified in "
    "the thread that the arm is named after.",
    baseline="ml-dsa-65 (openssl), inline",
    arms=arms,
    findings=(
        against_inline(
            "cpu",
            "ml-dsa-65 (openssl)",
            "cpu",
            "Handing ML-DSA-65 (OpenSSL) to a thread takes {value} times the CPU of verifying in the loop.",
            headline=True,
        ),
        against_inline(
            "rate",
            "ml-dsa-65 (openssl)",
            "rate",
            "Threads get through {value} times as many verifications of ML-DSA-65 (OpenSSL) a second.",
            headline=True,
        ),
        against_inline(
            "cpu-oqs", "ml-dsa-65 (oqs)", "cpu", "With liboqs, which is faster, a thread takes {value} times the CPU."
        ),
        against_inline(
            "rate-oqs",
            "ml-dsa-65 (oqs)",
            "rate",
            "Threads get through {value} times as many verifications of ML-DSA-65 (liboqs) a second.",
            headline=True,
        ),
        against_inline("cpu-ed25519", "ed25519 (openssl)", "cpu", "Ed25519 in a thread takes {value} times the CPU."),
        against_inline("cpu-hmac", "hmac-sha256 (openssl)", "cpu", "HMAC in a thread takes {value} times the CPU."),
        against_inline(
            "cpu-anyio",
            "ml-dsa-65 (openssl)",
            "cpu",
            "A worker thread of anyio takes {value} times the CPU of the loop for ML-DSA-65 (OpenSSL).",
            way=FASTAPI,
        ),
        waits(
            "wait-inline", INLINE, "loop_delay_p50", "With 16 at once in the loop, half of the newcomers wait {value}."
        ),
        waits("wait-thread", THREAD, "loop_delay_p50", "With threads, half of the newcomers wait {value}."),
        waits(
            "worst-inline",
            INLINE,
            "loop_delay_p99",
            "One of 100 newcomers waits {value} for verifications in the loop.",
        ),
        waits("worst-thread", THREAD, "loop_delay_p99", "With threads, one of 100 newcomers waits {value}."),
    ),
    answer="In the loop, unless threads get through more: here they get through {rate} times as many ML-DSA-65 "
    "(OpenSSL) a second, at {cpu} times the CPU. With liboqs they get through {rate-oqs} times as many. What the loop "
    "costs is waiting: with 16 verifications at once half of the newcomers wait {wait-inline} and one of 100 "
    "{worst-inline}; with threads it is {wait-thread} and {worst-thread}.",
    plots=(
        picture("CPU time a verification"),
        picture("Verifications in a second", quantity="rate", unit="1/s"),
        picture("What half of the newcomers wait for the loop, at most", quantity="loop_delay_p50"),
        picture("What 99 of 100 newcomers wait for the loop, at most", quantity="loop_delay_p99"),
    ),
)
