"""What a result says of a machine: enough to judge a figure by, and nothing of whose machine it is."""

from __future__ import annotations

import getpass
import os
import platform
import socket
import subprocess
from pathlib import Path

import pytest

from experiments import environment
from experiments.environment import collect, git_revision


def test_the_machine_the_libraries_and_the_sources_are_named() -> None:
    found = collect({"servers": 1}, {"PostgreSQL": "18.6"})
    assert found.cpu
    assert found.cores == os.cpu_count()
    assert found.memory_bytes > 1 << 28
    assert found.libraries["cryptography"].startswith("5")
    assert found.native["OpenSSL"].startswith("OpenSSL ")
    assert found.native["PostgreSQL"] == "18.6"
    assert found.pinned == {"servers": 1}
    assert found.pyperf["timer"]


def test_nothing_names_the_host_a_person_or_a_path() -> None:
    text = collect({}).model_dump_json()
    assert socket.gethostname() not in text.split('"')
    assert str(Path.home()) not in text
    assert str(Path(environment.__file__).parents[1]) not in text
    assert "hostname" not in text
    assert "python_executable" not in text
    assert f'"{getpass.getuser()}"' not in text


def checkout(folder: Path) -> str:
    """A repository with one commit; returns it."""
    run = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*run, "init", "-q"], check=True)
    (folder / "file").write_text("1")
    subprocess.run([*run, "add", "file"], check=True)
    subprocess.run([*run, "commit", "-qm", "one"], check=True)
    return subprocess.run([*run, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


def test_the_revision_is_that_of_the_sources_and_changes_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_SOURCES", tmp_path)
    assert git_revision() is None
    assert collect({}).dirty is None
    revision = checkout(tmp_path)
    assert git_revision() == revision
    assert collect({}).dirty is False
    (tmp_path / "file").write_text("2")
    assert collect({}).dirty is True


def test_the_clock_is_the_nominal_one() -> None:
    assert environment._hertz({"model name": "Intel(R) Xeon(R) CPU @ 2.20GHz"}) == 2.2e9
    if platform.machine() == "x86_64":
        assert environment._hertz({"model name": "AMD EPYC", "bogomips": "5192.50"}) == 2596.25e6
