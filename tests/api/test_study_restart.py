"""A study goes on after whatever ended its server: each step is in the database before the next one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from crypto.homomorphic import AnalystKey
from secure_api.data.studies import lease_study, set_lease, studies_in
from secure_api.domain.studies import StudyMethod, StudyState
from secure_api.services.studies import ckks
from secure_api.services.studies.ckks import CkksStudies
from secure_api.services.studies.driver import StudyDriver
from secure_api.services.studies.method import Unfinished
from secure_api.settings import Settings
from tests.api.running import started
from tests.api.studies import Hospitals, analyst_key, encrypted, terms
from tests.consortium import Consortium

pytestmark = pytest.mark.anyio

VALUES = [[float(number), 2.0 * number, 200.0, 0.5] for number in range(1, 6)]


async def test_a_sum_is_carried_on_where_it_was(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ckks, "CHUNK_BYTES", 2 * 131_072)
    quiet = settings.model_copy(update={"study_interval": 3_600.0})
    async with started(quiet) as consortium:
        study = await contributed(consortium)
        server = consortium.app.state.server
        driver = StudyDriver(server.database, {}, server.clock)
        await driver.step()  # a server without the method leaves the study as it is
        assert await state(consortium, study) == "closed"
        first = CkksStudies()
        stopped = StudyDriver(server.database, {StudyMethod.CKKS: Stopping(first)}, server.clock)
        await stopped.step()
        assert await state(consortium, study) == "computing"
    async with started(quiet) as consortium:
        consortium.clock.advance(200)  # beyond the lease of the server that was stopped
        server = consortium.app.state.server
        await StudyDriver(server.database, {StudyMethod.CKKS: CkksStudies()}, server.clock).step()
        assert await state(consortium, study) == "released"
        analyst = await consortium.member("institute", "analyst")
        result = (await analyst.request("GET", f"/v1/studies/{study}/result")).content
    key, encryptor = analyst_key()
    key.save(tmp_path / "key", None)
    mean = AnalystKey.decrypt_with(tmp_path / "key", None, terms(), encryptor.facts, result, 5)
    assert mean.values == pytest.approx(np.mean(VALUES, axis=0), abs=mean.bound)


async def test_a_study_that_waits_keeps_no_other_from_its_turn(settings: Settings) -> None:
    async with started(settings.model_copy(update={"study_interval": 3_600.0})) as consortium:
        hospitals = await Hospitals.meet(consortium)
        studies = [await hospitals.create() for _ in range(3)]
        database = consortium.app.state.server.database

        async def next_one() -> str:
            async with database.read() as session:
                (study,) = await studies_in(session, StudyState.OPEN, limit=1)
            async with database.write() as session:
                assert await lease_study(session, study.id, 1_000, 1_120)
                assert not await lease_study(session, study.id, 1_119, 1_200), "another worker has it"
                assert not await set_lease(session, study.id, 1_119, 9_999), "that is another worker's lease"
                assert await set_lease(session, study.id, 1_120, 1_001)  # it waits
                assert not await lease_study(session, study.id, 1_000, 1_120), "it waits"
            return study.id

        assert {await next_one() for _ in studies} == set(studies)


async def test_of_a_study_that_is_aborted_while_it_is_added_nothing_stays(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with started(settings.model_copy(update={"study_interval": 3_600.0})) as consortium:
        study = await contributed(consortium)
        analyst = await consortium.member("institute", "analyst")
        server = consortium.app.state.server

        async def meanwhile(add: Any, *arguments: Any) -> Any:
            await analyst.ok("POST", f"/v1/studies/{study}/abort", {"reason": "enough"})
            return add(*arguments)

        monkeypatch.setattr(ckks, "asyncio", SimpleNamespace(to_thread=meanwhile))
        await StudyDriver(server.database, {StudyMethod.CKKS: CkksStudies()}, server.clock).step()
        assert await state(consortium, study) == "aborted"
        async with server.database.read() as session:
            assert await session.scalar(text("SELECT count(*) FROM study_states")) == 0
            assert await session.scalar(text("SELECT max(length(content)) FROM study_contributions")) == 0


class Late(CkksStudies):
    """A method whose first step takes longer than the lease; another worker does the rest meanwhile."""

    def __init__(self, consortium: Consortium) -> None:
        super().__init__()
        self._consortium: Consortium | None = consortium

    async def compute(self, database, study):  # type: ignore[no-untyped-def]  # as its base
        done = await super().compute(database, study)
        if self._consortium is not None:
            server, self._consortium = self._consortium.app.state.server, None
            server.clock.advance(121)
            async with database.write() as session:
                now = int(server.clock().timestamp())
                assert await lease_study(session, study.id, now, now + 50)
        return done


async def test_a_worker_that_lost_its_lease_leaves_the_study_to_the_other(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ckks, "CHUNK_BYTES", 2 * 131_072)
    async with started(settings.model_copy(update={"study_interval": 3_600.0})) as consortium:
        study = await contributed(consortium)
        server = consortium.app.state.server
        await StudyDriver(server.database, {StudyMethod.CKKS: Late(consortium)}, server.clock).step()
        assert await state(consortium, study) == "computing"
        async with server.database.read() as session:
            lease = await session.scalar(text("SELECT lease FROM studies"))
        assert lease == int(server.clock().timestamp()) + 50


class Stopping(CkksStudies):
    """A method of which the server stops after one step."""

    def __init__(self, inner: CkksStudies) -> None:
        super().__init__()
        self._inner = inner

    async def compute(self, database, study):  # type: ignore[no-untyped-def]  # as its base
        done = await self._inner.compute(database, study)
        assert isinstance(done, Unfinished)
        return Unfinished(waiting=True)


async def contributed(consortium: Consortium) -> str:
    hospitals = await Hospitals.meet(consortium)
    study = await hospitals.create()
    for number, values in enumerate(VALUES):
        peer = await consortium.member(("north", "south", "west")[number % 3], "contributor")
        response = await peer.request(
            "PUT", f"/v1/studies/{study}/contribution", encrypted(values), content_type="application/octet-stream"
        )
        assert response.status_code == 201
    await hospitals.analyst.ok("POST", f"/v1/studies/{study}/close")
    return study


async def state(consortium: Consortium, study: str) -> str:
    analyst = await consortium.member("institute", "analyst")
    return str((await analyst.ok("GET", f"/v1/studies/{study}"))["state"])
