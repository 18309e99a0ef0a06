"""A soak: signed, session and sealed requests, mixed, against two workers, for as long as one likes.

`SOAK_REQUESTS=200000 pytest tests/durability/test_soak.py -s` is the long one, and prints what it saw.
"""

from __future__ import annotations

import itertools
import os
import re
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from crypto import PrivateKey
from secure_api.client import REPORT, Session, SignatureAuth
from tests.attacks import sql
from tests.consortium import server_key
from tests.durability.conftest import Start
from tests.durability.members import contributors
from tests.services.fixtures.secure_api_server import SecureApiServer

REQUESTS = int(os.environ.get("SOAK_REQUESTS", "600"))
CLIENTS = 4
LONG = 50_000  # requests from which on memory says something
FLAT = 1.15  # of the memory at a third of the way, at the end
SAMPLES = 30


class Soak:
    """Clients that share a number of requests, and what they saw."""

    def __init__(self, server: SecureApiServer, requests: int) -> None:
        self.server = server
        self.turns = iter(range(requests))
        self.lock = threading.Lock()
        self.seen: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.memory: list[list[int]] = []

    def run(self, key: PrivateKey) -> None:
        """Send requests, one kind after the other, until all are sent."""
        known = server_key().public_key
        kinds: dict[str, httpx.Auth] = {
            "session": Session(SignatureAuth(key, server_key=known)),
            "sealed session": Session(SignatureAuth(key, server_key=known), seal=True),
            "signed": SignatureAuth(key),
            "sealed": SignatureAuth(key, server_key=known, seal=True),
        }
        order = itertools.cycle(
            ["session", "sealed session", "session", "signed", "session", "sealed session", "sealed"]
        )
        url = f"http://{self.server.authority}"
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            for kind in order:
                with self.lock:
                    turn = next(self.turns, None)
                if turn is None:
                    return
                try:
                    self.send(client, kind, kinds[kind], turn)
                except Exception as error:  # whatever it is, the soak has failed, and must say on what
                    self.wrong.append(f"{kind}: {error!r}")
                    return

    def send(self, client: httpx.Client, kind: str, auth: httpx.Auth, turn: int) -> None:
        """Send one request of a kind: mostly reads, and some writes."""
        if turn % 50 == 0:
            record = {"time": "2026-11-22T09:30:00Z", "attributes": {"turn": turn}}
            response = client.post("/v1/datasets/durable/records", json=record, auth=auth)
        else:
            response = client.get("/v1/clients/me", auth=auth)
        if not response.is_success or (kind != "signed" and response.extensions[REPORT].signed_by is None):
            self.wrong.append(f"{kind}: HTTP {response.status_code} {response.text[:200]}")
        with self.lock:
            self.seen[kind] += 1
            self.seen["written"] += turn % 50 == 0

    def sample(self, until: threading.Event, every: int) -> None:
        """Note the memory of the workers each time that so many more requests were served."""
        while not until.wait(0.2):
            done = sum(self.seen.values()) - self.seen["written"]
            if done >= every * len(self.memory):
                self.memory.append([resident(pid) for pid in self.server.worker_pids()])


def resident(pid: int) -> int:
    """The resident memory of a process in KiB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is asked of /proc")
def test_soak(start: Start) -> None:
    server = start()
    keys = contributors(server, CLIENTS)
    soak, over = Soak(server, REQUESTS), threading.Event()
    sampler = threading.Thread(target=soak.sample, args=(over, max(1, REQUESTS // SAMPLES)))
    threads = [threading.Thread(target=soak.run, args=(key,)) for key in keys]
    began = time.monotonic()
    for thread in (sampler, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    sampler.join()
    took = time.monotonic() - began

    assert soak.wrong == []
    written = soak.seen.pop("written")
    assert sum(soak.seen.values()) == REQUESTS
    refused = [event for event in server.log("authentication failed") if event["event"] == "authentication failed"]
    assert refused == []
    assert len(sql.read(server.url)["records"]) == written
    early, late = soak.memory[len(soak.memory) // 3], soak.memory[-1]
    remembered = len(sql.read(server.url)["nonces"])
    sys.stdout.write(
        f"{REQUESTS} requests in {took:.0f} s, {dict(soak.seen)}, {written} records; resident KiB of the workers at a"
        f" third: {early}, at the end: {late}; nonces remembered: {remembered}\n"
    )
    if REQUESTS >= LONG:
        assert all(now <= FLAT * before for before, now in zip(early, late, strict=True)), soak.memory
        assert remembered < REQUESTS, "nothing was swept"
