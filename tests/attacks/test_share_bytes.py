"""Mutated shares and masked messages against the API: refused with 4xx, caught by whom they are for, or harmless.

`STUDY_MUTATIONS=20000 pytest tests/attacks/test_share_bytes.py` sends as many shares; of masked messages a hundredth,
for each that is accepted takes a study of its own.
"""

from __future__ import annotations

import os
import resource
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from crypto import MaskingError, MpcError
from crypto.mpc import SharedContribution, open_box, seal_contribution
from secure_api.settings import Settings
from tests.api.conftest import anyio_backend, embedded, sqlite_template
from tests.api.running import started
from tests.api.test_masked_studies import ALL, STAGES, VALUES, Sum
from tests.api.test_multi_party import OCTETS, Scene
from tests.attacks.test_study_bytes import mutated
from tests.consortium import Consortium

__all__ = ["anyio_backend", "embedded", "sqlite_template"]

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(max(400, int(os.environ.get("STUDY_MUTATIONS", "0"))))]

MUTATIONS = int(os.environ.get("STUDY_MUTATIONS", "120"))
MESSAGES = max(4, MUTATIONS // 100)
KEPT = 200  # of the shares that are accepted, to be opened


@pytest.fixture
async def quiet(embedded: Settings) -> AsyncIterator[Consortium]:
    """A server that leaves studies alone."""
    async with started(embedded.model_copy(update={"study_interval": 3_600.0})) as consortium:
        yield consortium


async def test_a_mutated_share_is_refused_or_does_not_open(quiet: Consortium, tmp_path: Path) -> None:
    random = np.random.default_rng(13)
    scene = Scene(quiet, tmp_path)
    await scene.enroll()
    peer = scene.peers[0]
    terms = scene.terms()  # the ports stay taken: no party ever runs
    accepted: list[tuple[bytes, bytes, str]] = []

    async def fresh() -> bytes:
        scene.id = (await scene.analyst.ok("POST", "/v1/studies", terms))["id"]
        study = await scene.look()
        keys = study.parameters.sealing_keys
        return seal_contribution(study.terms, np.array([1.5, -2.0]), peer.keys[0].keyid, keys, secrets.token_bytes)

    genuine = await fresh()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(MUTATIONS):
        content = mutated(genuine, random)
        response = await peer.request("PUT", scene.path("/contribution"), content, content_type=OCTETS)
        if response.status_code == 422:
            continue
        assert response.status_code == 201, response.text
        if len(accepted) < KEPT:
            accepted.append((genuine, content, scene.id))
        await scene.analyst.ok("POST", scene.path("/abort"), {"reason": "on to the next one"})
        genuine = await fresh()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10, "kilobytes"
    assert (await peer.request("PUT", scene.path("/contribution"), genuine, content_type=OCTETS)).status_code == 201
    scene.free_ports()
    assert accepted
    for genuine, content, id in accepted:
        scene.id = id
        study = (await scene.look()).terms
        honest, posted = (SharedContribution.from_bytes(one, study) for one in (genuine, content))
        changed = [index for index in range(3) if posted.boxes[index] != honest.boxes[index]]
        assert changed
        for index in changed:
            key = scene.identities[index].sealing_key
            with pytest.raises(MpcError):
                open_box(study, posted.boxes[index], posted.contributor, index, key)


@pytest.mark.parametrize("stage", STAGES)
async def test_a_mutated_masked_message_is_refused_or_leaves_the_sum_right_or_unreleased(
    quiet: Consortium, stage: str
) -> None:
    """A contribution's numbers are its owner's to choose: a mutated one moves the sum as another value would."""
    random = np.random.default_rng(STAGES.index(stage))
    refused = 0
    sum_ = await Sum.begin(quiet)
    for _ in range(MESSAGES):
        outcome = await played(sum_, stage, random)
        refused += outcome == "refused"
        if outcome != "refused":
            assert outcome in {"right", "aborted", "caught"} or stage == "contribution", outcome
        sum_ = await Sum.begin(quiet)
    assert refused


async def played(sum_: Sum, mutated_stage: str, random: np.random.Generator) -> str:
    """Play a study in which the second contributor's message of one stage is mutated; tells what came of it."""
    others = [number for number in ALL if number != 1]
    for stage in STAGES:
        mutate = stage == mutated_stage
        for number in ALL:
            client, key = sum_.clients[number], sum_.key(number)
            try:
                match stage:
                    case "advertisement":
                        message = client.advertise(key)
                    case "sharing":
                        message = client.share(await sum_.told(number, "participants"), key)
                    case "contribution":
                        client.receive(await sum_.told(number, "delivery"))
                        message = client.contribute(sum_.encoded(number))
                    case "confirmation":
                        message = client.confirm(await sum_.told(number, "survivors"), key)
                    case _:
                        message = client.reveal(await sum_.told(number, "confirmations"))
            except MaskingError:
                assert number in others
                return "caught"
            if not (mutate and number == 1):
                assert await sum_.put(number, stage, message) == 204
            elif await sum_.put(1, stage, mutated(message, random)) in {413, 422}:
                return "refused"
        if stage == "advertisement":
            await sum_.analyst.ok("POST", f"/v1/studies/{sum_.study}/close")
        state = await sum_.step(later=True)
        if state == "aborted":
            return "aborted"
    result = await sum_.analyst.ok("GET", f"/v1/studies/{sum_.study}/result")
    whole = np.mean(VALUES, axis=0)
    return "right" if np.abs(np.array(result["values"]) - whole).max() < 1e-6 else "wrong"
