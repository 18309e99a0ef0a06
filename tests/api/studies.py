"""A study under test: who takes part, what they send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import anyio
import httpx
import numpy as np

from crypto.homomorphic import HOMOMORPHIC_PARAMETERS, AnalystKey, Encryptor, HomomorphicTerms
from secure_api.domain.instant import format_instant
from tests.consortium import Consortium, Peer

OCTETS = "application/octet-stream"
LOW, HIGH = 0.0, 200.0


@cache
def analyst_key(name: str = "bfv-8192") -> tuple[AnalystKey, Encryptor]:
    """An analyst's key, made once a process, and what encrypts for it."""
    key = AnalystKey.create(HOMOMORPHIC_PARAMETERS[name])
    return key, Encryptor(key.public_context, key.fingerprint)


def terms(dimension: int = 4, statistic: str = "mean", name: str = "bfv-8192") -> HomomorphicTerms:
    """The terms that contributions to `new_study` are encrypted by."""
    return HomomorphicTerms(HOMOMORPHIC_PARAMETERS[name], statistic, dimension, LOW, HIGH)


def encrypted(values: Sequence[float], statistic: str = "mean") -> bytes:
    """A contribution of these values."""
    return analyst_key()[1].encrypt(terms(len(values), statistic), np.array(values))


async def upload(analyst: Peer) -> str:
    """Upload the analyst's context; returns its fingerprint."""
    answer = await analyst.ok("POST", "/v1/contexts", analyst_key()[0].public_context, content_type=OCTETS)
    assert answer["fingerprint"] == analyst_key()[0].fingerprint
    return str(answer["fingerprint"])


def new_study(consortium: Consortium, **members: Any) -> dict[str, Any]:
    """What creates a study of four values; `members` replace or add."""
    study: dict[str, Any] = {
        "name": "stay",
        "method": "ckks",
        "statistic": "mean",
        "dimension": 4,
        "bounds": {"low": LOW, "high": HIGH},
        "contributors": ["north", "south", "west"],
        "minimum_contributors": 3,
        "deadline": format_instant(consortium.clock() + timedelta(days=1)),
        "parameters": {"context": analyst_key()[0].fingerprint},
    }
    return {name: value for name, value in (study | members).items() if value is not ...}


@dataclass
class Hospitals:
    """An analyst of one organization, and three contributors of others, who are invited."""

    consortium: Consortium
    analyst: Peer
    contributors: list[Peer]

    @classmethod
    async def meet(cls, consortium: Consortium) -> Hospitals:
        """Enroll them, and upload the analyst's context."""
        contributors = [await consortium.member(name, "contributor") for name in ("north", "south", "west")]
        hospitals = cls(consortium, await consortium.member("institute", "analyst"), contributors)
        await upload(hospitals.analyst)
        return hospitals

    async def create(self, **members: Any) -> str:
        """Create a study; returns its id."""
        return str((await self.analyst.ok("POST", "/v1/studies", new_study(self.consortium, **members)))["id"])

    async def contribute(self, number: int, study: str, content: bytes) -> httpx.Response:
        """Let one of them contribute."""
        return await self.contributors[number].request(
            "PUT", f"/v1/studies/{study}/contribution", content, content_type=OCTETS
        )

    async def until(self, study: str, *states: str) -> dict[str, Any]:
        """Wait until the server has brought a study into one of these states."""
        while True:
            found: dict[str, Any] = await self.analyst.ok("GET", f"/v1/studies/{study}")
            if found["state"] in states:
                return found
            await anyio.sleep(0.02)
