"""A result that nobody measured: of a few experiments, with figures like those of a real machine, from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from experiments.result import Environment, ExperimentResult, Result
from tests.unit.experiments.made_experiment import BEGAN
from tests.unit.experiments.made_suites import parts, peers, primitives, sealing


def made_result(seed: int = 1, experiments: Sequence[ExperimentResult] | None = None, **changes: Any) -> Result:
    """A whole run. `changes` are fields of it."""
    found = [primitives(seed), parts(seed), sealing(seed), peers(seed)] if experiments is None else list(experiments)
    fields: dict[str, Any] = {
        "product": "0.1.0",
        "scale": "full",
        "seed": seed,
        "command": f"secure-api experiments run --full --seed {seed}",
        "started": BEGAN,
        "finished": BEGAN + timedelta(minutes=31),
        "environment": environment(),
        "experiments": found,
    }
    return Result(**(fields | changes))


def with_finding(result: Result, **changes: object) -> Result:
    """The same result, but the first finding of the first experiment is another."""
    first, *others = result.experiments
    findings = [first.findings[0].model_copy(update=changes), *first.findings[1:]]
    return result.model_copy(update={"experiments": [first.model_copy(update={"findings": findings}), *others]})


def environment(**changes: Any) -> Environment:
    """A machine."""
    fields: dict[str, Any] = {
        "cpu": "AMD EPYC 7B13",
        "cpu_flags": ["aes", "avx2", "sha_ni", "vaes"],
        "cores": 2,
        "hertz": 2.6e9,
        "governor": None,
        "memory_bytes": 8 * 2**30,
        "system": "Linux 6.18.44",
        "python": "CPython 3.11.7",
        "libraries": {"cryptography": "50.0.2", "liboqs-python": "0.16.0.1"},
        "native": {"OpenSSL": "4.0.2", "liboqs": "0.16.0"},
        "revision": "8f4734fd0c6e",
        "dirty": False,
        "load_before": 0.12,
        "load_during": [0.9, 1.4],
        "pinned": {"servers": 1, "workers and load": 0},
    }
    return Environment(**(fields | changes))
