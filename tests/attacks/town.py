"""Those who use a running server: hospitals at their work, each client on a network of its own."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from crypto import PrivateKey, SignatureAlgorithm
from tests.consortium import Peer, SteeredClock, admin_key, enroll_member
from tests.services.fixtures.secure_api_server import SecureApiServer

ED25519 = (SignatureAlgorithm.ED25519,)
ORGANIZATIONS = ("hospital-a", "hospital-b", "hospital-c")
RECORD = {"time": "2026-01-01T00:00:00Z", "attributes": {"pulse": 61}}


@dataclass
class Actor:
    """A client with a network of its own, and when its requests were answered."""

    name: str
    peer: Peer
    role: str
    client_id: str = ""
    answered: list[tuple[float, int]] = field(default_factory=list)

    async def do(self, method: str, target: str, body: Any = None, peer: Peer | None = None, **options: Any) -> int:
        """Send a signed request; returns the status."""
        response = await (peer or self.peer).request(method, target, body, **options)
        self.answered.append((time.time(), response.status_code))
        return response.status_code


class Town:
    """A running server, and everybody who uses it."""

    def __init__(self, server: SecureApiServer, stack: AsyncExitStack) -> None:
        self.server = server
        self.clock = SteeredClock()
        self.actors: list[Actor] = []
        self.admins: dict[str, Peer] = {}
        self._stack = stack
        self._networks = 0

    async def connect(self, agent: str = "python-httpx") -> httpx.AsyncClient:
        """Open a client on a network of its own: another /24 of 127.0.0.0/8."""
        self._networks += 1
        transport = httpx.AsyncHTTPTransport(local_address=f"127.1.{self._networks}.1")
        return await self._stack.enter_async_context(
            httpx.AsyncClient(
                transport=transport,
                base_url=f"http://{self.server.authority}",
                timeout=30,
                headers={"user-agent": agent},
            )
        )

    async def peer(self, keys: list[PrivateKey], agent: str = "python-httpx") -> Peer:
        """Somebody with keys, on a network of its own."""
        return Peer(await self.connect(agent), keys, self.clock, self.server.authority)

    async def enroll(self, organization: str, role: str) -> Actor:
        """Enroll a client, from a network of its own."""
        peer = await enroll_member(self.admins["operator"], organization, role, ED25519)
        peer.http = await self.connect()
        actor = Actor(f"{organization}/{role}", peer, role)
        actor.client_id = (await peer.ok("GET", "/v1/clients/me"))["id"]
        self.actors.append(actor)
        return actor

    async def alerts(self) -> list[dict[str, Any]]:
        """Everything that all organizations' admins see."""
        found = []
        for admin in self.admins.values():
            found += (await admin.ok("GET", "/v1/alerts?limit=1000"))["alerts"]
        return found

    async def work(self, actor: Actor, seed: int) -> None:
        """Go about one's business until canceled."""
        rng = random.Random(seed)
        steps: dict[str, list[tuple[str, str, Any]]] = {
            "contributor": [
                ("GET", "/v1/datasets", None),
                ("POST", "/v1/datasets/vitals/records", [RECORD] * 5),
                ("POST", "/v1/datasets/vitals/records", RECORD),
                ("GET", "/v1/datasets/vitals/records?limit=20", None),
                ("GET", "/v1/studies", None),
            ],
            "analyst": [
                ("GET", "/v1/datasets", None),
                ("GET", "/v1/datasets/vitals/records?limit=20", None),
                ("GET", "/v1/datasets/labs/records?limit=50", None),
                ("GET", "/v1/studies", None),
                ("GET", "/v1/clients/me", None),
            ],
        }
        place = 0
        while True:
            wanted = steps[actor.role]
            place = rng.randrange(len(wanted)) if rng.random() < 0.3 else (place + 1) % len(wanted)
            await actor.do(*wanted[place])
            await asyncio.sleep(min(3.0, rng.expovariate(2.0)))


async def settle(server: SecureApiServer, stack: AsyncExitStack) -> Town:
    """Enroll three hospitals with a contributor and four analysts each."""
    made = Town(server, stack)
    made.admins["operator"] = await made.peer([admin_key()])
    for organization in ORGANIZATIONS:
        made.admins[organization] = await enroll_member(made.admins["operator"], organization, "admin", ED25519)
        contributor = await made.enroll(organization, "contributor")
        for dataset in ("vitals", "labs"):
            await contributor.peer.ok("POST", "/v1/datasets", {"name": dataset})
            await contributor.peer.ok("POST", f"/v1/datasets/{dataset}/records", [RECORD] * 500)
        for _ in range(4):
            await made.enroll(organization, "analyst")
    return made


@asynccontextmanager
async def at_work(made: Town) -> AsyncIterator[None]:
    """Everybody goes about their business meanwhile."""
    workers = [asyncio.create_task(made.work(actor, number)) for number, actor in enumerate(made.actors)]
    try:
        yield
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
