"""Studies of linear scores: who is in the model takes part, once, and nobody else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crypto.homomorphic import HOMOMORPHIC_PARAMETERS, AnalystKey, LinearModel
from tests.api.problem import places, problem
from tests.api.studies import HIGH, LOW, Hospitals, analyst_key, new_study
from tests.consortium import Consortium

pytestmark = pytest.mark.anyio

MODEL = {"weights": {"north": [0.5], "south": [2.0, -1.0], "west": [0.25]}, "intercept": 7.0}
COLUMNS = {
    "north": [[1.0], [20.0], [3.5], [200.0]],
    "south": [[2.0, 1.0], [0.0, 9.0], [3.5, 3.5], [100.0, 0.0]],
    "west": [[6.0], [40.0], [3.5], [0.0]],
}
SCORES = [7.5 + 3.0 + 1.5, 7.0 + 10.0 - 9.0 + 10.0, 8.75 + 3.5 + 0.875, 107.0 + 200.0]


def parameters(model: object = MODEL, **members: object) -> dict[str, object]:
    return {"context": analyst_key()[0].fingerprint, "model": model, **members}


async def test_the_analyst_learns_the_scores(consortium: Consortium, tmp_path: Path) -> None:
    hospitals = await Hospitals.meet(consortium)
    study = await hospitals.create(statistic="linear-score", parameters=parameters())
    model = LinearModel.parse(MODEL, LOW, HIGH)
    terms = model.terms(HOMOMORPHIC_PARAMETERS["bfv-8192"], 4)
    key, encryptor = analyst_key()
    for number, (organization, rows) in enumerate(COLUMNS.items()):
        content = encryptor.encrypt(terms, model.part(organization, np.array(rows)))
        assert (await hospitals.contribute(number, study, content)).status_code == 201
        if number == 0:
            second = await consortium.member("north", "contributor")
            twice = await second.request(
                "PUT", f"/v1/studies/{study}/contribution", content, content_type="application/octet-stream"
            )
            refused = problem(twice, 409, "conflict")
            assert "Another client of the organization" in refused["detail"]
    await hospitals.analyst.ok("POST", f"/v1/studies/{study}/close")
    assert (await hospitals.until(study, "released", "aborted"))["state"] == "released"
    result = await hospitals.analyst.request("GET", f"/v1/studies/{study}/result")
    key.save(tmp_path / "key", None)
    done = AnalystKey.decrypt_with(tmp_path / "key", None, terms, encryptor.facts, result.content, 3)
    scores, bound = model.scores(done.values, done.bound)
    assert scores == pytest.approx(SCORES, abs=bound)
    assert bound < 1e-4


async def test_a_score_without_every_part_is_not_released(consortium: Consortium) -> None:
    hospitals = await Hospitals.meet(consortium)
    study = await hospitals.create(statistic="linear-score", parameters=parameters())
    await hospitals.analyst.ok("POST", f"/v1/studies/{study}/close")
    assert (await hospitals.until(study, "released", "aborted"))["state"] == "aborted"


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"parameters": parameters(None)}, "/parameters"),
        ({"parameters": parameters({"weights": {"north": [1], "south": [1], "west": [500]}})}, "/parameters"),
        ({"parameters": parameters({"weights": {"north": [1], "south": [1], "east": [1]}})}, "/parameters/model"),
        ({"parameters": parameters(arguments={})}, "/parameters"),
        ({"minimum_organizations": 2}, "/minimum_organizations"),
        ({"minimum_contributors": 4}, "/minimum_contributors"),
    ],
)
async def test_terms_that_would_show_somebodys_column_or_never_end_are_refused(
    consortium: Consortium, members: dict[str, object], pointer: str
) -> None:
    hospitals = await Hospitals.meet(consortium)
    study = new_study(consortium, **{"statistic": "linear-score", "parameters": parameters()} | members)
    refused = await hospitals.analyst.request("POST", "/v1/studies", study)
    problem(refused, 422, "validation-failed")
    assert places(refused) == [pointer]
