"""What it costs to contribute to a study over HTTP, beside posting the same numbers in the clear."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from experiments.experiment import Arm, Experiment, Finding, Plot
from experiments.scale import Scale

if TYPE_CHECKING:
    from experiments.subject import Setting, Subject

SIZE: Final = 4_096
#: CKKS values that fill one ciphertext: its other slot is the canary's.
ONE: Final = 4_095
#: By name of the arm: where numbers go, and how many.
ARMS: Final = {
    "CKKS, one ciphertext": ("ckks-8192", ONE),
    "CKKS, two ciphertexts": ("ckks-8192", SIZE),
    "BFV, one ciphertext": ("bfv-8192", SIZE),
    "plaintext study": ("study", SIZE),
    "raw float64": ("raw", SIZE),
    "JSON": ("json", SIZE),
}
P50: Final = "latency_p50"


def contributing(kind: str, size: int, setting: Setting) -> Subject:
    """Prepare a client and a server."""
    from experiments.studies.contributing import Contributing

    return Contributing(kind, size, setting)


def arms(scale: Scale) -> Sequence[Arm]:
    """Build one arm for each place that numbers go to; one server has all of them."""
    return [
        Arm(name, partial(contributing, kind, size), {"way": name, "values": size}, process="load")
        for name, (kind, size) in ARMS.items()
    ]


def ratio(name: str, way: str, other: str, says: str, quantity: str = P50, *, headline: bool = False) -> Finding:
    """Set one way against another one."""
    return Finding(name, lambda of: of[way] / of[other], says, quantity=quantity, headline=headline)


EXPERIMENT = Experiment(
    name="study-contribution",
    title="Contributing to a study",
    question="What does a contribution that no server can read cost over HTTP, beside the same numbers in the clear?",
    topic=20,
    held_fixed=(
        "one server process with the whole product on SQLite, its own settings; one client, one connection, one "
        "request at a time; every request is signed by ML-DSA-65 and verified by OpenSSL, with the digest of its body",
        "CKKS, BFV: PUT /v1/studies/{id}/contribution; every contribution has a study of its own, made before the "
        "window, as a client contributes once; it is checked, stored durably and entered in the ledger",
        "plaintext study: the same route and the same steps with 4,096 float64, checked to be finite",
        "raw float64: POST to a plain route of the same application that adds the numbers in memory and stores "
        "nothing; JSON: the same with a list of numbers",
        "what is sent was encrypted, and signed, before; CPU is the server's",
    ),
    checked=(
        "Every way takes a contribution that was signed, and refuses a replay and other numbers than were signed; "
        "the sums themselves are checked by the experiment homomorphic."
    ),
    arms=arms,
    findings=(
        ratio("one-raw", "CKKS, one ciphertext", "raw float64",
              f"Contributing {ONE:,} CKKS values takes {{value}} times the p50 of a plain route that stores nothing; "
              "the goal is 1.5 at most.",
              headline=True),
        ratio("two-raw", "CKKS, two ciphertexts", "raw float64",
              f"Contributing {SIZE:,} CKKS values, two ciphertexts, takes {{value}} times that p50."),
        ratio("bfv-raw", "BFV, one ciphertext", "raw float64",
              f"Contributing {SIZE:,} BFV values takes {{value}} times that p50."),
        ratio("one-study", "CKKS, one ciphertext", "plaintext study",
              f"Contributing {ONE:,} CKKS values takes {{value}} times the p50 of contributing float64 to a study.",
              headline=True),
        ratio("two-study", "CKKS, two ciphertexts", "plaintext study",
              f"Contributing {SIZE:,} CKKS values, two ciphertexts, takes {{value}} times that."),
        ratio("bfv-study", "BFV, one ciphertext", "plaintext study",
              f"Contributing {SIZE:,} BFV values takes {{value}} times that.", headline=True),
        ratio("one-json", "CKKS, one ciphertext", "JSON",
              f"Contributing {ONE:,} CKKS values takes {{value}} times the p50 of posting JSON, which nobody stores."),
        ratio("study-raw", "plaintext study", "raw float64",
              "To store float64 durably in a study takes {value} times the p50 of adding them in memory."),
        ratio("one-cpu", "CKKS, one ciphertext", "plaintext study",
              f"In CPU time of the server, {ONE:,} CKKS values take {{value}} times what float64 take so.", "cpu"),
        *(
            Finding(f"p50-{number}", partial(lambda name, of: of[name], name), f"{name}: {{value}} (p50).", "amount",
                    "us", P50, headline=False)
            for number, name in enumerate(ARMS)
        ),
    ),
    answer="Beside float64 in a study that stores them as durably, one CKKS ciphertext takes {one-study} of the p50, "
    "and 4,096 values of BFV {bfv-study}. Beside a plain route that adds in memory and stores nothing it takes "
    "{one-raw} of it: most of that is storing.",
    plots=(
        Plot("dots", "Time of a contribution (p50)", P50, x="way"),
        Plot("dots", "CPU time of the server", x="way"),
        Plot("dots", "Bytes of a request", "sent_bytes", x="way", unit="B"),
    ),
    seconds={"quick": 18, "full": 150},
)  # fmt: skip
