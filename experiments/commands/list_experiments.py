"""`secure-api experiments list`."""

from typing import Final

from experiments.commands.told import told
from experiments.scale import FULL, QUICK
from secure_api.cli.console import put_json, put_table
from secure_api.cli.options import Json

EXAMPLES: Final = "secure-api experiments list\nsecure-api experiments list --json | jq -r '.[].question'"


def list_experiments(json: Json = False) -> None:
    """List the experiments: what each asks, and how long it takes."""
    from experiments.progress import duration
    from experiments.registry import experiments

    with told():
        found = list(experiments().values())
        arms = [{scale.name: len(one.arms_at(scale)) for scale in (QUICK, FULL)} for one in found]
    if json:
        put_json(
            [
                {
                    "name": one.name,
                    "topic": one.topic,
                    "title": one.title,
                    "question": one.question,
                    "arms": number,
                    "seconds": dict(one.seconds),
                }
                for one, number in zip(found, arms, strict=True)
            ]
        )
        return
    put_table(
        ["name", "topic", "arms", "quick", "full", "question"],
        [
            [
                one.name,
                str(one.topic),
                f"{number['quick']}/{number['full']}",
                *(duration(one.seconds[scale.name]) for scale in (QUICK, FULL)),
                one.question,
            ]
            for one, number in zip(found, arms, strict=True)
        ],
    )
