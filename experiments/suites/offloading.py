"""Whether signatures should be verified in the event loop, as the product does, or in threads."""

from collections.abc import Sequence
from functools import partial

from experiments.experiment import Arm, Experiment, Finding, Plot, Round
from experiments.offload.verifiers import VERIFIERS
from experiments.offload.verifying import Verifying
from experiments.offload.ways import WAYS
from experiments.scale import Scale
from experiments.subject import Setting

OPENSSL = "ml-dsa-65 (openssl)"
LIBOQS = "ml-dsa-65 (oqs)"
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


def amount(name: str, what: str, way: str, quantity: str, says: str) -> Finding:
    """Tell one quantity of one arm: a rate, or a time."""
    unit = "a second" if quantity == "rate" else "us"
    return Finding(name, lambda of: of[f"{what}, {way}"], says, "amount", unit, quantity, headline=False)


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
    baseline=f"{OPENSSL}, {INLINE}",
    arms=arms,
    findings=(
        against_inline(
            "cpu",
            OPENSSL,
            "cpu",
            "Handing ML-DSA-65 (OpenSSL) to a thread takes {value} times the CPU of verifying in the loop.",
            headline=True,
        ),
        against_inline(
            "rate",
            OPENSSL,
            "rate",
            "Threads get through {value} times as many verifications of ML-DSA-65 (OpenSSL) a second.",
            headline=True,
        ),
        against_inline("cpu-oqs", LIBOQS, "cpu", "With liboqs, which is faster, a thread takes {value} times the CPU."),
        against_inline(
            "rate-oqs",
            LIBOQS,
            "rate",
            "Threads get through {value} times as many verifications of ML-DSA-65 (liboqs) a second.",
            headline=True,
        ),
        against_inline("cpu-ed25519", "ed25519 (openssl)", "cpu", "Ed25519 in a thread takes {value} times the CPU."),
        against_inline("cpu-hmac", "hmac-sha256 (openssl)", "cpu", "HMAC in a thread takes {value} times the CPU."),
        against_inline(
            "cpu-anyio",
            OPENSSL,
            "cpu",
            "A worker thread of anyio takes {value} times the CPU of the loop for ML-DSA-65 (OpenSSL).",
            way=FASTAPI,
        ),
        amount("rate-inline", OPENSSL, INLINE, "rate", "The loop verifies ML-DSA-65 (OpenSSL) {value}."),
        amount("rate-thread", OPENSSL, THREAD, "rate", "Threads verify ML-DSA-65 (OpenSSL) {value}."),
        amount("rate-oqs-inline", LIBOQS, INLINE, "rate", "The loop verifies ML-DSA-65 (liboqs) {value}."),
        amount("rate-oqs-thread", LIBOQS, THREAD, "rate", "Threads verify ML-DSA-65 (liboqs) {value}."),
        amount("wait-inline", OPENSSL, INLINE, "loop_delay_p50", "Half of the newcomers wait {value} for the loop."),
        amount("wait-thread", OPENSSL, THREAD, "loop_delay_p50", "With threads, half of them wait {value}."),
        amount("worst-inline", OPENSSL, INLINE, "loop_delay_p99", "One newcomer of 100 waits {value} for the loop."),
        amount("worst-thread", OPENSSL, THREAD, "loop_delay_p99", "With threads, one of 100 waits {value}."),
    ),
    answer="In the loop, as long as workers keep all cores busy: a thread multiplies the CPU time of ML-DSA-65 by "
    "{cpu} with OpenSSL. With liboqs it multiplies it by {cpu-oqs}. What the loop costs is waiting: with 16 "
    "verifications at once, half of the newcomers wait {wait-inline}, with threads {wait-thread}.",
    plots=(
        picture("CPU time a verification"),
        picture("Verifications in a second", quantity="rate", unit="1/s"),
        picture("What half of the newcomers wait for the loop, at most", quantity="loop_delay_p50"),
        picture("What 99 of 100 newcomers wait for the loop, at most", quantity="loop_delay_p99"),
    ),
)
