"""The tables of README and docs by the names that their markers give."""

from collections.abc import Callable, Mapping
from typing import Final

from experiments.figures.algorithm_tables import primitives, replay_store, sealing, sizes
from experiments.figures.markdown_table import table
from experiments.figures.request_tables import offloading, overhead, scaling, session, signed_request
from experiments.figures.study_tables import (
    behavior,
    homomorphic,
    masked_sums,
    multiparty,
    studies,
    study_contribution,
)
from experiments.report.machine import environment_rows
from experiments.result import Result


def answers(result: Result) -> str:
    """Every question and its answer."""
    return "\n".join(f"- **{one.question}** {one.answer}" for one in result.experiments)


def environment(result: Result) -> str:
    """Where and with what it was measured."""
    began = f"{result.started:%Y-%m-%d}, {result.scale} scale, seed {result.seed}, secure-api {result.product}"
    rows = [row for row in environment_rows(result.environment) if row[0] != "CPU flags"]
    return table(("", ""), [("Measured", began), *rows], "---")


#: What stands between `<!-- figures: NAME -->` and its end, by name.
TABLES: Final[Mapping[str, Callable[[Result], str]]] = {
    "answers": answers,
    "environment": environment,
    "overhead": overhead,
    "primitives": primitives,
    "sizes": sizes,
    "signed-request": signed_request,
    "session": session,
    "sealing": sealing,
    "replay-store": replay_store,
    "scaling": scaling,
    "offloading": offloading,
    "studies": studies,
    "homomorphic": homomorphic,
    "masked-sums": masked_sums,
    "multiparty": multiparty,
    "study-contribution": study_contribution,
    "behavior": behavior,
}
