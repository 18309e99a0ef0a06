"""What a result says of a machine: enough to judge a figure by, and nothing of whose machine it is."""

from __future__ import annotations

import os
import platform
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pyperf  # type: ignore[import-untyped]
import pytest

from experiments import ExperimentError, environment
from experiments.anonymous import without_folders
from experiments.environment import DISTRIBUTIONS, collect


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


def test_every_library_that_the_product_asks_for_is_in_the_list() -> None:
    project = tomllib.loads((Path(environment.__file__).parents[1] / "pyproject.toml").read_text())["project"]
    asked = list(project["dependencies"])
    for extra in ("experiments", "oqs", "postgres", "redis", "speed"):
        asked += project["optional-dependencies"][extra]
    names = {re.split(r"[^A-Za-z0-9._-]", line)[0].lower() for line in asked}
    assert names - {name.lower() for name in DISTRIBUTIONS} == set()


def test_nothing_names_the_host_a_person_or_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "planted-host")
    for name in ("USER", "LOGNAME", "HOME"):
        monkeypatch.setenv(name, "/home/planted-person")
    assert "planted-host" in str(pyperf.Run([1.0], collect_metadata=True).get_metadata()), "pyperf does name the host"
    found = collect({})
    assert "planted" not in found.model_dump_json()
    texts = list(strings(found.model_dump(mode="json")))
    assert len(texts) > 50
    assert [text for text in texts if without_folders(text) != text] == []
    assert {"hostname", "python_executable", "command"}.isdisjoint(texts)


def strings(value: object) -> Iterator[str]:
    """Every text in a document, names of members too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for one in pair for text in strings(one))
    elif isinstance(value, list):
        yield from (text for one in value for text in strings(one))


def test_a_liboqs_that_cannot_be_loaded_is_described_and_not_fatal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "liboqs.so").write_text("no library")
    program = "from experiments.environment import native_versions; print(native_versions()['liboqs'])"
    monkeypatch.setenv("OQS_INSTALL_PATH", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "cannot be loaded: ProviderUnavailable\n"


def test_without_liboqs_it_is_not_among_the_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OQS_INSTALL_PATH", str(tmp_path))
    assert set(environment.native_versions()) == {"OpenSSL", "SQLite", "LMDB"}


def test_without_pyperf_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyperf", None)  # as if it were not installed
    with pytest.raises(ExperimentError, match=r"secure-api\[experiments\]"):
        collect({})


def test_the_clock_is_the_nominal_one() -> None:
    assert environment._hertz({"model name": "Intel(R) Xeon(R) CPU @ 2.20GHz"}) == 2.2e9
    if platform.machine() == "x86_64":
        assert environment._hertz({"model name": "AMD EPYC", "bogomips": "5192.50"}) == 2596.25e6


def test_a_clock_that_nothing_names_is_what_the_kernel_says_or_unknown() -> None:
    found = environment._hertz({})
    assert found is None or 1e8 < found < 1e10
