"""Compute parties as they are run: `secure-api mpc party`, each a process with a profile of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from crypto import write_private_key
from crypto.mpc.identity import PartyIdentity
from secure_api.client import ClientProfile, ProfileStore
from tests.durability.study_members import HIGH, LOW, Crowd, Member, new_study
from tests.services.fixtures.process import ProcessRunner, ServerProcess
from tests.services.fixtures.secure_api_server import SecureApiServer
from tests.unit.crypto.mpc.local_study import quiet_port

ORGANIZATIONS = ("north", "south", "west")


@dataclass
class Parties:
    """Three organizations that run a party each, and contribute; and an analyst."""

    folder: Path
    run: ProcessRunner
    analyst: Member
    members: Sequence[Member]

    @classmethod
    def meet(cls, crowd: Crowd, server: SecureApiServer, folder: Path, run: ProcessRunner) -> Parties:
        """Enroll them, and write their profiles."""
        members = [crowd.enroll(server, name) for name in ORGANIZATIONS]
        for member in members:
            file = folder / f"{member.name}.pem"
            write_private_key(file, member.key, None)
            url = f"http://{server.authority}"
            ProfileStore(folder).put(ClientProfile(name=member.name, url=url, keys=(file,)))
        return cls(folder, run, crowd.enroll(server, "institute", "analyst"), members)

    def create(self, name: str, dimension: int, **members: Any) -> dict[str, Any]:
        """Create a study with parties of its own, which have ports of their own."""
        descriptions = []
        ports = [quiet_port() for _ in self.members]  # all bound at once: three different ones
        for member, port in zip(self.members, ports, strict=True):
            identity = PartyIdentity.create(self._folder(name, member), datetime.now(UTC))
            descriptions.append(identity.description(member.name, f"127.0.0.1:{port.getsockname()[1]}"))
        for port in ports:
            port.close()
        parameters = {"parties": descriptions}
        return self.analyst.studies.create(new_study("mpc", dimension, self.members, parameters=parameters) | members)

    def contribute(self, study: dict[str, Any], seed: int) -> np.ndarray:
        """Have everybody contribute; returns the values, a row a contributor."""
        values = np.random.default_rng(seed).uniform(LOW, HIGH, (len(self.members), study["dimension"]))
        for member, row in zip(self.members, values, strict=True):
            member.studies.contribute(study["id"], member.studies.prepare(study, row, member.keyid))
        return values

    def party(self, name: str, index: int, study: str, *options: str) -> ServerProcess:
        """Start a party of a study that was created under a name."""
        member = self.members[index]
        command = (sys.executable, "-m", "secure_api", "mpc", "party", "--study", study, "--profile", member.name)
        folders = ("--folder", str(self._folder(name, member)), "--config", str(self.folder))
        return self.run(*command, *folders, *options)

    def _folder(self, name: str, member: Member) -> Path:
        return self.folder / name / member.name


def child_of(party: ServerProcess) -> psutil.Process:
    """Wait until a party computes, and give the process that does."""
    process = psutil.Process(party.pid)
    while not (children := process.children()):
        assert party.returncode is None, party.output()
        time.sleep(0.05)
    return children[0]
