"""What a second worker brings."""

from collections.abc import Sequence
from typing import Final

from experiments.experiment import Arm, Experiment, Finding, Plot
from experiments.scale import Scale
from experiments.servers.arm import server_arm
from experiments.servers.protection import Protection

PROTECTIONS: Final = {
    "no protection": Protection("none"),
    "ML-DSA-65, OpenSSL": Protection("signature"),
    "ML-DSA-65, liboqs": Protection("signature", provider="oqs"),
    "session, HMAC": Protection("session"),
}
#: Requests in a window at least: with fewer, two workers have nothing to share.
REQUESTS: Final = 320
QUICK: Final = ("no protection", "ML-DSA-65, OpenSSL")


def arms(scale: Scale) -> Sequence[Arm]:
    """Build the arms `PROTECTION, N workers`; their servers share one load generator."""
    return [
        Arm(
            f"{name}, {workers} worker{'s' if workers > 1 else ''}",
            server_arm(protection, workers=workers, pinned=False, least=REQUESTS),
            {"protection": name, "workers": workers},
        )
        for name, protection in PROTECTIONS.items()
        for workers in (1, 2)
        if scale.wide or name in QUICK
    ]


def gain(name: str, short: str) -> tuple[Finding, Finding]:
    """How the rate and the CPU time of a request change with a second worker."""
    one, two = f"{name}, 1 worker", f"{name}, 2 workers"
    return (
        Finding(
            f"{short}-rate",
            lambda r: r[two, "rate"] / r[one, "rate"],
            f"With {name}, two workers serve {{value}} times the requests of one.",
            otherwise=f"With {name}, no difference shown between two workers and one ({{value}}).",
            headline=name in QUICK,
        ),
        Finding(
            f"{short}-cpu",
            lambda r: r[two] / r[one],
            f"With {name}, a request costs {{value}} times the CPU time with two workers.",
            otherwise=f"With {name}, no difference shown in the CPU time of a request ({{value}}).",
            headline=False,
        ),
    )


EXPERIMENT = Experiment(
    name="scaling",
    title="One worker and two",
    question="How much more does a server with two workers serve than one with one?",
    topic=19,
    unit="us of the server's CPU time a request",
    held_fixed=(
        "the route and load of `peers`, 16 connections; servers and load are not kept on cores of their own, so the "
        "load takes its share: on a machine with two cores, two workers cannot double the rate",
        "both workers share one store of nonces (LMDB)",
        "each worker has 8 of the 16 connections, opened until it is so: the kernel may give one worker all of them",
    ),
    checked=("As in `peers`, and what one worker has let in is refused as a replay by both; so is every forgery."),
    arms=arms,
    findings=tuple(
        finding
        for name, short in zip(PROTECTIONS, ("plain", "openssl", "oqs", "session"), strict=True)
        for finding in gain(name, short)
    ),
    answer=(
        "Requests a second grow by this factor with a second worker, on cores that the load shares: signed with "
        "ML-DSA-65 and verified by OpenSSL {openssl-rate}, without protection {plain-rate}. "
        "Verified by liboqs {oqs-rate}."
    ),
    plots=(
        Plot("dots", "Requests a second", quantity="rate", color="workers", unit="/s"),
        Plot("dots", "CPU time of the server for one request", color="workers"),
    ),
    seconds={"quick": 20, "full": 100},
)
