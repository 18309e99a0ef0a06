"""A home that `secure-api init` made, a server that `secure-api serve` runs, and profiles that `enroll` wrote."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.cli.serving import Serving, serving


@dataclass(frozen=True)
class Consortium:
    """A served consortium: whoever has the `program` can act as any of its profiles."""

    program: Program
    serving: Serving

    @property
    def url(self) -> str:
        """Where it is served."""
        return self.serving.url


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program on folders that are not there yet."""
    return Program(tmp_path / "home", tmp_path / "config")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """An initialized home, not to be changed."""
    folder = tmp_path_factory.mktemp("initialized")
    program = Program(folder / "home", folder / "config")
    program.spawn("init", "--no-passphrase").ok()
    return program


@pytest.fixture
def installed(template: Program, program: Program) -> Program:
    """The program on an initialized home of its own."""
    shutil.copytree(template.home, program.home)
    shutil.copytree(template.config, program.config)
    return program


@pytest.fixture(scope="session")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    """A consortium that tests share, with the profiles `admin`, `clinic` (contributor) and `auditor`."""
    folder = tmp_path_factory.mktemp("consortium")
    program = Program(folder / "home", folder / "config")
    program.spawn("init", "--no-passphrase").ok()
    with serving(program) as server:
        program("organizations", "create", "clinic").ok()
        for name, role in (("clinic", "contributor"), ("auditor", "auditor")):
            token = program("tokens", "create", "--organization", "clinic", "--role", role).ok().out.strip()
            key = folder / f"{name}.pem"
            program("keys", "generate", "--algorithm", "ed25519", "--out", key, "--no-passphrase").ok()
            program("enroll", "--url", server.url, "--token", token, "--key", key, "--profile", name).ok()
        yield Consortium(program, server)


@pytest.fixture(scope="session")
def unique() -> Callable[[str], str]:
    """Names that no other test of the session uses."""
    numbers = itertools.count(1)
    return lambda kind: f"{kind}-{next(numbers)}"


@pytest.fixture
def token(consortium: Consortium) -> str:
    """A token that nobody has spent yet."""
    return consortium.program("tokens", "create", "--organization", "clinic", "--role", "analyst").ok().out.strip()
