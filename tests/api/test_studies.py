"""The life of a study: created, contributed to, closed, released or aborted; by whom, and what is kept."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto.homomorphic import AnalystKey
from secure_api.domain.instant import format_instant
from secure_api.settings import Settings
from tests.api.problem import places, problem
from tests.api.running import altered, started
from tests.api.state import rows
from tests.api.studies import OCTETS, Hospitals, analyst_key, encrypted, new_study, terms
from tests.consortium import Consortium

pytestmark = pytest.mark.anyio

VALUES = [[1.0, 20.0, 3.5, 200.0], [2.0, 0.0, 3.5, 100.0], [6.0, 40.0, 3.5, 0.0]]


async def test_three_hospitals_learn_their_mean_and_nothing_else(consortium: Consortium, tmp_path: Path) -> None:
    hospitals = await Hospitals.meet(consortium)
    study = await hospitals.create()
    for number, values in enumerate(VALUES):
        content = encrypted(values)
        response = await hospitals.contribute(number, study, content)
        assert (response.status_code, response.json()) == (201, {"sha256": sha256(content).hexdigest()})
    await hospitals.analyst.ok("POST", f"/v1/studies/{study}/close")
    found = await hospitals.until(study, "released", "aborted")
    assert (found["state"], found["contributions"], found["organizations"]) == ("released", 3, 3)
    result = await hospitals.analyst.request("GET", f"/v1/studies/{study}/result")
    assert result.headers["content-type"] == OCTETS
    key, encryptor = analyst_key()
    key.save(tmp_path / "key", None)
    mean = AnalystKey.decrypt_with(tmp_path / "key", None, terms(), encryptor.facts, result.content, 3)
    assert mean.values == pytest.approx(np.mean(VALUES, axis=0), abs=mean.bound)
    assert mean.bound < 1e-4
    for contributor in hospitals.contributors:
        problem(await contributor.request("GET", f"/v1/studies/{study}/result"), 403, "forbidden")
    ledger = await (await consortium.member("institute", "auditor")).ok("GET", "/v1/ledger?limit=1000")
    kinds = [entry["kind"] for entry in ledger["entries"] if entry["kind"].startswith("study.")]
    assert kinds == ["study.created", "study.closed", "study.computing", "study.released"]


async def test_the_same_bytes_again_change_nothing_and_others_are_refused(consortium: Consortium) -> None:
    hospitals = await Hospitals.meet(consortium)
    study = await hospitals.create()
    content = encrypted(VALUES[0])
    assert (await hospitals.contribute(0, study, content)).status_code == 201
    before = await rows(consortium.app)
    assert (await hospitals.contribute(0, study, content)).status_code == 200
    problem(await hospitals.contribute(0, study, encrypted(VALUES[0])), 409, "conflict")
    assert await rows(consortium.app) == before
    await hospitals.analyst.ok("POST", f"/v1/studies/{study}/abort", {"reason": "the wrong bounds"})
    assert (await hospitals.contribute(0, study, content)).status_code == 200, "it was stored, whatever came after"
    problem(await hospitals.contribute(1, study, encrypted(VALUES[1])), 409, "conflict")


async def test_what_is_no_ciphertext_is_refused(consortium: Consortium) -> None:
    hospitals = await Hospitals.meet(consortium)
    study = await hospitals.create()
    before = await rows(consortium.app)
    for content in (b"", b"\0", bytes(131_071), bytes(131_073), b"\xff" * 131_072, bytes(2 * 131_072)):
        refused = problem(await hospitals.contribute(0, study, content), 422, "validation-failed")
        assert refused["detail"].startswith("The contribution is refused")
    assert await rows(consortium.app) == before


async def test_too_few_contributions_release_nothing(consortium: Consortium) -> None:
    hospitals = await Hospitals.meet(consortium)
    study = await hospitals.create()
    for number in range(2):
        await hospitals.contribute(number, study, encrypted(VALUES[number]))
    await hospitals.analyst.ok("POST", f"/v1/studies/{study}/close")
    found = await hospitals.until(study, "released", "aborted")
    assert (found["state"], found["reason"]) == ("aborted", "fewer took part than the study needs")
    refused = problem(await hospitals.analyst.request("GET", f"/v1/studies/{study}/result"), 409, "conflict")
    assert refused["detail"] == "The study is aborted: fewer took part than the study needs"


async def test_one_organization_alone_is_not_enough(consortium: Consortium) -> None:
    hospitals = await Hospitals.meet(consortium)
    study = await hospitals.create()
    colleagues = [hospitals.contributors[0], *[await consortium.member("north", "contributor") for _ in range(2)]]
    for colleague in colleagues:
        path = f"/v1/studies/{study}/contribution"
        await colleague.ok("PUT", path, encrypted(VALUES[0]), content_type=OCTETS)
    await hospitals.analyst.ok("POST", f"/v1/studies/{study}/close")
    found = await hospitals.until(study, "released", "aborted")
    assert (found["state"], found["contributions"], found["organizations"]) == ("aborted", 3, 1)


async def test_the_deadline_closes_a_study(consortium: Consortium) -> None:
    hospitals = await Hospitals.meet(consortium)
    study = await hospitals.create(deadline=format_instant(consortium.clock() + timedelta(seconds=30)))
    for number, values in enumerate(VALUES):
        await hospitals.contribute(number, study, encrypted(values))
    late = await consortium.member("north", "contributor")
    consortium.clock.advance(31)
    response = await late.request("PUT", f"/v1/studies/{study}/contribution", encrypted(VALUES[0]), content_type=OCTETS)
    problem(response, 409, "conflict")
    assert (await hospitals.until(study, "released", "aborted"))["state"] == "released"


async def test_strangers_see_nothing_and_may_nothing(consortium: Consortium) -> None:
    hospitals = await Hospitals.meet(consortium)
    study = await hospitals.create()
    for role in ("admin", "contributor", "analyst", "auditor"):
        stranger = await consortium.member("elsewhere", role)
        assert await stranger.ok("GET", "/v1/studies") == {"studies": [], "next": None}
        targets = [("GET", ""), ("GET", "/result"), ("GET", "/context")]
        targets += [("POST", "/close")] if role in ("admin", "analyst") else []
        for method, path in targets:
            problem(await stranger.request(method, f"/v1/studies/{study}{path}"), 404, "not-found")
        if role in ("admin", "contributor"):
            path = f"/v1/studies/{study}/contribution"
            response = await stranger.request("PUT", path, encrypted(VALUES[0]), content_type=OCTETS)
            problem(response, 404, "not-found")
    admin = await consortium.member("north", "admin")
    problem(await admin.request("POST", f"/v1/studies/{study}/close"), 403, "forbidden")
    problem(await admin.request("POST", f"/v1/studies/{study}/abort", {"reason": "no"}), 403, "forbidden")
    own = await consortium.member("institute", "admin")
    response = await own.request("PUT", f"/v1/studies/{study}/contribution", encrypted(VALUES[0]), content_type=OCTETS)
    problem(response, 403, "forbidden")
    assert (await hospitals.contributors[1].request("GET", f"/v1/studies/{study}/context")).content == (
        analyst_key()[0].public_context
    )


SENSELESS: list[tuple[dict[str, Any], str]] = [
    ({"statistic": "median"}, "/statistic"),
    ({"statistic": "linear-regression"}, "/statistic"),
    ({"dimension": 0}, "/dimension"),
    ({"dimension": True}, "/dimension"),
    ({"dimension": 1 << 23}, "/dimension"),
    ({"dimension": 400_000}, "/dimension"),
    ({"bounds": {"low": 1, "high": 1}}, "/bounds"),
    ({"bounds": {"low": 2, "high": 1}}, "/bounds"),
    ({"contributors": []}, "/contributors"),
    ({"contributors": ["north", "north"]}, "/contributors"),
    ({"contributors": ["north", "nowhere"]}, "/contributors"),
    ({"minimum_contributors": 2}, "/minimum_contributors"),
    ({"minimum_contributors": 1_025}, "/minimum_contributors"),
    ({"minimum_organizations": 4}, "/minimum_organizations"),
    ({"minimum_organizations": 2}, "/minimum_organizations"),
    ({"contributors": ["north", "institute"]}, "/minimum_organizations"),
    ({"deadline": "2020-01-01T00:00:00Z"}, "/deadline"),
    ({"deadline": "9999-01-01T00:00:00Z"}, "/deadline"),
    ({"privacy": {"epsilon": 0, "delta": 1e-6}}, "/privacy"),
    ({"privacy": {"epsilon": 1, "delta": 1}}, "/privacy"),
    ({"parameters": ...}, "/parameters/context"),
    ({"parameters": {"context": "0" * 64}}, "/parameters/context"),
    ({"parameters": {"context": 1, "more": 2}}, "/parameters"),
    ({"unknown": 1}, "/unknown"),
]


async def test_terms_that_make_no_sense_are_refused(consortium: Consortium) -> None:
    hospitals = await Hospitals.meet(consortium)
    before = await rows(consortium.app)
    for members, place in SENSELESS:
        response = await hospitals.analyst.request("POST", "/v1/studies", new_study(consortium, **members))
        assert response.status_code == 422, (members, response.text)
        assert places(response) == [place], members
    assert await rows(consortium.app) == before


async def test_studies_are_listed_page_by_page(consortium: Consortium) -> None:
    hospitals = await Hospitals.meet(consortium)
    made = [await hospitals.create(name=f"study-{number}") for number in range(5)]
    seen: list[str] = []
    behind = ""
    while True:
        page = await hospitals.contributors[0].ok("GET", f"/v1/studies?limit=2{behind}")
        seen += [study["id"] for study in page["studies"]]
        if page["next"] is None:
            break
        behind = f"&behind={page['next']}"
    assert seen == made[::-1]


async def test_behind_a_study_that_one_may_not_know_of_there_is_nothing(consortium: Consortium) -> None:
    hospitals = await Hospitals.meet(consortium)
    study = await hospitals.create()
    stranger = await consortium.member("elsewhere", "analyst")
    for behind in (study, "00000000-0000-4000-8000-000000000000"):
        problem(await stranger.request("GET", f"/v1/studies?behind={behind}"), 404, "not-found")


async def test_an_organization_has_so_many_open_studies(settings: Settings) -> None:
    async with started(altered(settings, study_max_open=1)) as consortium:
        hospitals = await Hospitals.meet(consortium)
        study = await hospitals.create()
        response = await hospitals.analyst.request("POST", "/v1/studies", new_study(consortium))
        assert "may have 1 studies that have not ended" in problem(response, 409, "conflict")["detail"]
        await hospitals.analyst.ok("POST", f"/v1/studies/{study}/abort", {"reason": "room"})
        await hospitals.create()


@pytest.mark.parametrize("role", ["contributor", "auditor"])
async def test_a_study_is_ended_by_who_may_create_one(consortium: Consortium, role: str) -> None:
    hospitals = await Hospitals.meet(consortium)
    study = await hospitals.create()
    peer = await consortium.member("institute", role)
    before = await rows(consortium.app)
    problem(await peer.request("POST", f"/v1/studies/{study}/close"), 403, "forbidden")
    problem(await peer.request("POST", f"/v1/studies/{study}/abort", {"reason": "because"}), 403, "forbidden")
    assert await rows(consortium.app) == before
    admin = await consortium.member("institute", "admin")
    await admin.ok("POST", f"/v1/studies/{study}/abort", {"reason": "because"})
    problem(await admin.request("POST", f"/v1/studies/{study}/abort", {"reason": "because"}), 409, "conflict")
    problem(await admin.request("POST", f"/v1/studies/{study}/close"), 409, "conflict")
    assert (await admin.ok("GET", f"/v1/studies/{study}"))["reason"] == "because"


@pytest.mark.parametrize("kind", ["nothing", "random", "secret", "other parameters"])
async def test_a_context_that_is_none_of_ours_is_refused(consortium: Consortium, kind: str) -> None:
    import tenseal as ts  # type: ignore[import-untyped]

    analyst = await consortium.member("institute", "analyst")
    content = {"nothing": b"", "random": b"\x0a\x02" + bytes(range(256)) * 8}.get(kind)
    if content is None:
        bits = [60, 60] if kind == "secret" else [60, 40, 60]
        context = ts.context(ts.SCHEME_TYPE.CKKS, 8192, coeff_mod_bit_sizes=bits)
        context.global_scale = 2.0**48
        content = context.serialize(
            save_public_key=True, save_secret_key=kind == "secret", save_galois_keys=False, save_relin_keys=False
        )
    before = await rows(consortium.app)
    refused = problem(
        await analyst.request("POST", "/v1/contexts", content, content_type=OCTETS), 422, "validation-failed"
    )
    assert refused["detail"].startswith("The context is refused")
    assert await rows(consortium.app) == before
