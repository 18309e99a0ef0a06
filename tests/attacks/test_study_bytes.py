"""Mutated contributions and contexts against the API: refused with 4xx, or caught by the canary; never worse.

`STUDY_MUTATIONS=20000 pytest tests/attacks/test_study_bytes.py` sends as many.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path

import numpy as np
import pytest

from crypto import CapacityExceeded, ForeignCiphertext
from crypto.homomorphic import Accumulator, AnalystKey
from secure_api.settings import Settings
from tests.api.conftest import anyio_backend, embedded, sqlite_template
from tests.api.running import started
from tests.api.studies import OCTETS, Hospitals, analyst_key, encrypted, terms

__all__ = ["anyio_backend", "embedded", "sqlite_template"]

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(max(400, int(os.environ.get("STUDY_MUTATIONS", "0"))))]

MUTATIONS = int(os.environ.get("STUDY_MUTATIONS", "120"))
KEPT = 200  # of those that are accepted, to be decrypted
CONTEXTS = max(6, MUTATIONS // 500)


def mutated(genuine: bytes, random: np.random.Generator) -> bytes:
    """Bytes with flipped bits, another length, or a stretch of something else."""
    content = bytearray(genuine)
    at = int(random.integers(len(content)))
    match int(random.integers(6)):
        case 0:
            content[at] ^= 1 << int(random.integers(8))
        case 1:
            for place in random.integers(len(content), size=16):
                content[int(place)] ^= 1 << int(random.integers(8))
        case 2:
            del content[at:]
        case 3:
            content += random.bytes(int(random.integers(1, 64)))
        case 4:
            content[at : at + 64] = random.bytes(len(content[at : at + 64]))
        case _:
            content[at : at + 8] = b"\xff" * len(content[at : at + 8])
    return bytes(content)


async def test_a_mutated_contribution_is_refused_or_caught(embedded: Settings, tmp_path: Path) -> None:
    random = np.random.default_rng(11)
    genuine = encrypted([1.0, 2.0, 3.0, 4.0])
    key, encryptor = analyst_key()
    accepted: list[bytes] = []
    taken = 0
    async with started(embedded.model_copy(update={"study_interval": 3_600.0})) as consortium:
        hospitals = await Hospitals.meet(consortium)
        study = await hospitals.create()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(MUTATIONS):
            content = mutated(genuine, random)
            # Nobody is kept out by an earlier one: what is accepted goes to a study of its own.
            response = await hospitals.contribute(0, study, content)
            if response.status_code == 201:
                if len(accepted) < KEPT:
                    accepted.append(content)
                taken += 1
                await hospitals.analyst.ok("POST", f"/v1/studies/{study}/abort", {"reason": "on to the next one"})
                study = await hospitals.create()
            else:
                assert response.status_code == 422, response.text
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200 << 10, "kilobytes"
    caught = same = 0
    for number, content in enumerate(accepted):
        path = tmp_path / str(number)
        key.save(path, None)
        total = Accumulator(encryptor.facts, 1)
        total.add(content)
        try:
            result = AnalystKey.decrypt_with(path, None, terms(), encryptor.facts, total.to_bytes(), 1)
        except (ForeignCiphertext, CapacityExceeded):
            caught += 1
        else:  # a few low bits: a little more of the noise that is rounded away
            assert result.values == pytest.approx([1.0, 2.0, 3.0, 4.0], abs=result.bound)
            same += 1
    assert caught > same
    assert taken < MUTATIONS


async def test_a_mutated_context_is_refused_or_is_another_one(embedded: Settings) -> None:
    random = np.random.default_rng(12)
    genuine = analyst_key()[0].public_context
    async with started(embedded) as consortium:
        analyst = await consortium.member("institute", "analyst")
        for _ in range(CONTEXTS):
            response = await analyst.request("POST", "/v1/contexts", mutated(genuine, random), content_type=OCTETS)
            if response.status_code == 201:  # a key that nobody has: its fingerprint is no analyst's
                assert response.json()["fingerprint"] != analyst_key()[0].fingerprint
            else:
                assert response.status_code in (409, 422), response.text
        assert (await analyst.ok("GET", "/v1/studies"))["studies"] == []
