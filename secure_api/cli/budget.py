"""`secure-api study budget`: what the studies of a dataset may cost together, and have cost."""

from typing import Annotated, Final

import typer

from secure_api.cli.console import put_json, put_table, say
from secure_api.cli.options import Config, Json, Profile
from secure_api.cli.study_channel import studies_of

EXAMPLES: Final = """\
secure-api study budget stays -p institute
secure-api study budget stays --epsilon 4 --delta 1e-6 --sensitivity 3 -p institute"""
COLUMNS: Final = ["study", "name", "state", "rho", "returned"]


def budget(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="Dataset of one's organization.")],
    profile: Profile,
    config: Config = None,
    epsilon: Annotated[
        float | None, typer.Option("--epsilon", help="Set it: what its studies may cost together.")
    ] = None,
    delta: Annotated[float, typer.Option("--delta", help="The delta at which that is counted.")] = 1e-6,
    sensitivity: Annotated[
        float | None, typer.Option("--sensitivity", help="The least sensitivity that its studies may declare.")
    ] = None,
    json: Json = False,
) -> None:
    """Look at the privacy budget of a dataset: what is spent, by which studies; or set it."""
    with studies_of(profile, config) as studies:
        found = studies.budget(dataset) if epsilon is None else studies.set_budget(dataset, epsilon, delta, sensitivity)
    if json:
        put_json(found)
        return
    put_table(COLUMNS, [[str(one.get(column)) for column in COLUMNS] for one in found.get("studies", [])])
    say(f"epsilon {found.get('spent'):.4g} of {found.get('epsilon')} spent, at a delta of {found.get('delta')}")
