"""Studies with differential privacy: the noise of each method; the budget of a dataset, which cannot be overspent."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto.homomorphic import HOMOMORPHIC_PARAMETERS, AnalystKey, HomomorphicTerms
from crypto.privacy import TAIL, PrivacyTerms, epsilon_of
from tests.api.problem import places, problem
from tests.api.studies import HIGH, LOW, Hospitals, analyst_key, new_study
from tests.api.test_masked_studies import ALL, STAGES, VALUES, Sum, quiet
from tests.api.test_multi_party import Scene
from tests.consortium import Consortium

__all__ = ["quiet"]

pytestmark = pytest.mark.anyio

PRIVACY = {"epsilon": 2.0, "delta": 1e-6}
BUDGET = "/v1/datasets/stays/budget"


@pytest.fixture
async def hospitals(consortium: Consortium) -> Hospitals:
    met = await Hospitals.meet(consortium)
    head = await consortium.member("institute", "admin")
    await head.ok("POST", "/v1/datasets", {"name": "stays"})
    return met


async def test_an_encrypted_mean_carries_the_noise_that_was_declared(hospitals: Hospitals, tmp_path: Path) -> None:
    study = await hospitals.create(privacy=PRIVACY)
    told = await hospitals.analyst.ok("GET", f"/v1/studies/{study}")
    assert told["privacy"] == PRIVACY | {"sensitivity": None, "rho": told["privacy"]["rho"]}
    assert epsilon_of(told["privacy"]["rho"], 1e-6) <= 2.0
    privacy = PrivacyTerms.parse(told["privacy"], 3)
    parameters = HOMOMORPHIC_PARAMETERS["bfv-8192"]
    terms = HomomorphicTerms(parameters, "mean", 4, LOW, HIGH, privacy=privacy)
    key, encryptor = analyst_key()
    values = [[1.0, 20.0, 3.5, 200.0], [2.0, 0.0, 3.5, 100.0], [6.0, 40.0, 3.5, 0.0]]
    for number, row in enumerate(values):
        content = encryptor.encrypt(terms, np.array(row))
        assert content != encryptor.encrypt(terms, np.array(row))
        assert (await hospitals.contribute(number, study, content)).status_code == 201
    await hospitals.analyst.ok("POST", f"/v1/studies/{study}/close")
    assert (await hospitals.until(study, "released", "aborted"))["state"] == "released"
    result = (await hospitals.analyst.request("GET", f"/v1/studies/{study}/result")).content
    key.save(tmp_path / "key", None)
    mean = AnalystKey.decrypt_with(tmp_path / "key", None, terms, encryptor.facts, result, 3)
    # By the theorem: the deviation of the mean is at least D / (3 sqrt(2 rho)), for D = 200 sqrt(4).
    least = (HIGH - LOW) * 2 / 3 / math.sqrt(2 * told["privacy"]["rho"])
    assert least <= mean.noise <= least * 1.01
    off = np.abs(np.array(mean.values) - np.mean(values, axis=0))
    assert off.max() <= TAIL * mean.noise + mean.bound
    assert off.max() > mean.noise * 1e-6


async def test_a_masked_mean_carries_it_too_and_survives_a_dropout(quiet: Consortium) -> None:
    sum_ = await Sum.begin(quiet, privacy=PRIVACY)
    outcome = await sum_.go({stage: ALL if stage == "advertisement" else [0, 1, 3] for stage in STAGES})
    assert outcome == "released"
    result = await sum_.analyst.ok("GET", f"/v1/studies/{sum_.study}/result")
    rho = (await sum_.analyst.ok("GET", f"/v1/studies/{sum_.study}"))["privacy"]["rho"]
    least = (HIGH - LOW) * 2 / 3 / math.sqrt(2 * rho)
    assert least <= result["noise"] <= least * 1.01
    off = np.abs(np.array(result["values"]) - np.mean([VALUES[number] for number in (0, 1, 3)], axis=0))
    assert result["noise"] * 1e-6 < off.max() <= TAIL * result["noise"] + result["error_bound"]


async def test_compute_parties_open_a_sum_with_noise(consortium: Consortium, tmp_path: Path) -> None:
    scene = Scene(consortium, tmp_path)
    await scene.computing(privacy=PRIVACY | {"sensitivity": 0.5})
    scene.free_ports()
    await asyncio.gather(*map(scene.party, range(3)))
    await scene.until("released")
    found = await scene.analyst.ok("GET", scene.path("/result"))
    rho = (await scene.analyst.ok("GET", scene.path()))["privacy"]["rho"]
    least = 0.5 / math.sqrt(2 * rho)
    assert least <= found["noise"] <= least * 1.01
    off = np.abs(np.array(found["values"]) - [4.75, 3.0])
    assert found["noise"] * 1e-6 < off.max() <= TAIL * found["noise"]


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"privacy": PRIVACY | {"epsilon": 0}}, "/privacy"),
        ({"privacy": PRIVACY | {"epsilon": 101}}, "/privacy"),
        ({"privacy": PRIVACY | {"delta": 0.5}}, "/privacy"),
        ({"privacy": PRIVACY | {"sensitivity": -1}}, "/privacy/sensitivity"),
        ({"privacy": PRIVACY | {"rho": 1}}, "/privacy/rho"),
        ({"privacy": {"epsilon": 1}}, "/privacy/delta"),
        ({"privacy": PRIVACY, "statistic": "variance"}, "/parameters"),
        ({"privacy": PRIVACY | {"epsilon": 1e-4}, "dimension": 100_000}, "/parameters"),
    ],
)
async def test_privacy_that_cannot_be_given_is_refused(
    hospitals: Hospitals, members: dict[str, Any], pointer: str
) -> None:
    study = new_study(hospitals.consortium, **members)
    response = await hospitals.analyst.request("POST", "/v1/studies", study)
    assert places(response) == [pointer], response.text


async def test_noise_of_ckks_has_no_grid_and_is_refused(hospitals: Hospitals) -> None:
    key = analyst_key("ckks-8192")[0]
    await hospitals.analyst.ok("POST", "/v1/contexts", key.public_context, content_type="application/octet-stream")
    study = new_study(hospitals.consortium, privacy=PRIVACY, parameters={"context": key.fingerprint})
    refused = await hospitals.analyst.request("POST", "/v1/studies", study)
    assert "needs a context of BFV" in problem(refused, 422, "validation-failed")["detail"]


async def test_a_budget_is_set_by_admins_and_spent_by_studies(hospitals: Hospitals) -> None:
    consortium, analyst = hospitals.consortium, hospitals.analyst
    head = await consortium.member("institute", "admin")
    problem(await head.request("GET", BUDGET), 404, "not-found")
    for role in ("analyst", "contributor", "auditor"):
        member = await consortium.member("institute", role)
        problem(await member.request("PUT", BUDGET, PRIVACY), 403, "forbidden")
    stranger = await consortium.member("north", "admin")
    problem(await stranger.request("PUT", BUDGET, PRIVACY), 404, "not-found")
    problem(await stranger.request("GET", BUDGET), 404, "not-found")
    for wrong in ({"epsilon": 0, "delta": 1e-6}, {"epsilon": 1, "delta": 1}, {"epsilon": 1}):
        problem(await head.request("PUT", BUDGET, wrong), 422, "validation-failed")
    assert await head.ok("PUT", BUDGET, {"epsilon": 3.0, "delta": 1e-6}) == {
        "epsilon": 3.0,
        "delta": 1e-6,
        "sensitivity": None,
        "spent": 0.0,
        "studies": [],
    }
    refused = await analyst.request("POST", "/v1/studies", new_study(consortium, dataset="stays"))
    assert places(refused) == ["/privacy"]
    await head.ok("PUT", BUDGET, {"epsilon": 3.0, "delta": 1e-6, "sensitivity": 0.5})
    tiny = new_study(consortium, dataset="stays", privacy=PRIVACY | {"sensitivity": 0.499})
    assert places(await analyst.request("POST", "/v1/studies", tiny)) == ["/privacy/sensitivity"]
    first = await hospitals.create(dataset="stays", privacy=PRIVACY)
    second = await analyst.request("POST", "/v1/studies", new_study(consortium, dataset="stays", privacy=PRIVACY))
    # Two of 2 are 2.97 by composition, not 4: they fit.
    assert second.status_code == 201, second.text
    third = await analyst.request("POST", "/v1/studies", new_study(consortium, dataset="stays", privacy=PRIVACY))
    assert "are spent, and with this study it would be" in problem(third, 409, "conflict")["detail"]
    seen = await analyst.ok("GET", BUDGET)
    rho = sum(one["rho"] for one in seen["studies"])
    assert seen["spent"] == pytest.approx(epsilon_of(rho, 1e-6))
    assert [one["study"] for one in seen["studies"]] == [first, second.json()["id"]]
    lowered = await head.request("PUT", BUDGET, {"epsilon": 2.5, "delta": 1e-6})
    assert "have cost an epsilon of" in problem(lowered, 409, "conflict")["detail"]
    # One that is aborted before anything was computed gives back what it was to cost.
    await analyst.ok("POST", f"/v1/studies/{first}/abort", {"reason": "the wrong bounds"})
    seen = await analyst.ok("GET", BUDGET)
    assert [one["returned"] for one in seen["studies"]] == [True, False]
    assert seen["spent"] <= 2.0
    await hospitals.create(dataset="stays", privacy=PRIVACY)
    ledger = await (await consortium.member("institute", "auditor")).ok("GET", "/v1/ledger?limit=1000")
    assert [entry["payload"]["epsilon"] for entry in ledger["entries"] if entry["kind"] == "dataset.budget"] == [
        3.0,
        3.0,
    ]


async def test_studies_that_are_created_at_once_do_not_overspend(hospitals: Hospitals) -> None:
    head = await hospitals.consortium.member("institute", "admin")
    await head.ok("PUT", BUDGET, {"epsilon": 3.0, "delta": 1e-6})
    study = new_study(hospitals.consortium, dataset="stays", privacy=PRIVACY)
    responses = await asyncio.gather(*(hospitals.analyst.request("POST", "/v1/studies", study) for _ in range(6)))
    assert sorted(response.status_code for response in responses) == [201, 201, 409, 409, 409, 409]
    assert (await head.ok("GET", BUDGET))["spent"] <= 3.0


async def test_what_was_computed_is_spent_even_if_it_comes_to_nothing(consortium: Consortium, tmp_path: Path) -> None:
    scene = Scene(consortium, tmp_path)
    await scene.enroll()
    head = await consortium.member("analysts", "admin")
    await head.ok("POST", "/v1/datasets", {"name": "stays"})
    study = await scene.create(dataset="stays", privacy=PRIVACY)
    await scene.contribute(study)
    await scene.analyst.ok("POST", scene.path("/close"))
    await scene.until("computing")
    await scene.analyst.ok("POST", scene.path("/abort"), {"reason": "on second thought"})
    scene.free_ports()
    await head.ok("PUT", BUDGET, {"epsilon": 3.0, "delta": 1e-6})
    seen = await head.ok("GET", BUDGET)
    assert [(one["state"], one["returned"]) for one in seen["studies"]] == [("aborted", False)]
    assert 1.99 < seen["spent"] <= 2.0
