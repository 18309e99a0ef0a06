"""The choice of provider, with and without liboqs: nothing is fetched, built, printed or left running."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crypto import PrivateKey, ProviderUnavailable, SignatureAlgorithm, UnsupportedAlgorithm
from crypto.providers import FastestProvider, OpenSSLProvider, default_provider, oqs_library, select_provider


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own: the choice is the process's."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[4],
    )


@pytest.fixture
def without_liboqs(tmp_path: Path) -> dict[str, str]:
    """An environment in which liboqs is nowhere, and every program that could fetch or build it fails the test."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("git", "cmake", "gcc", "cc", "ldconfig", "ninja", "make"):
        program = programs / name
        program.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\nexit 1\n")
        program.chmod(0o755)
    return {"OQS_INSTALL_PATH": str(tmp_path), "PATH": str(programs), "HOME": str(tmp_path)}


def test_without_liboqs_auto_is_openssl_and_silent(without_liboqs: dict[str, str], tmp_path: Path) -> None:
    done = run(
        "import sys\n"
        "from crypto.providers import select_provider\n"
        "assert select_provider('auto').name == 'openssl'\n"
        "assert 'oqs' not in sys.modules",
        **without_liboqs,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "called").exists()


def test_without_liboqs_asking_for_it_says_how_to_get_it(without_liboqs: dict[str, str], tmp_path: Path) -> None:
    done = run("from crypto.providers import select_provider\nselect_provider('oqs')", **without_liboqs)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "ProviderUnavailable: liboqs is not there: pip install" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "called").exists()


def test_a_library_that_cannot_be_loaded_is_not_replaced(without_liboqs: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "liboqs.so").write_bytes(b"not a library")
    done = run("from crypto.providers import select_provider\nselect_provider('oqs')", **without_liboqs)
    library = tmp_path / "lib" / "liboqs.so"
    assert f"ProviderUnavailable: {library} cannot be loaded: file too short" in done.stderr.splitlines()[-1]
    assert done.stdout == ""
    done = run(
        "from crypto.providers import oqs_library, select_provider\n"
        "print(select_provider('auto').name, oqs_library.obstacle())",
        **without_liboqs,
    )
    assert (done.stdout, done.stderr) == (f"openssl {library} cannot be loaded: file too short\n", "")
    assert not (tmp_path / "called").exists()


def test_what_is_not_there_is_no_obstacle(without_liboqs: dict[str, str]) -> None:
    done = run("from crypto.providers import oqs_library\nprint(oqs_library.obstacle())", **without_liboqs)
    assert (done.stdout, done.stderr) == ("None\n", "")


def test_the_library_is_looked_for_in_named_and_usual_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library = tmp_path / "_oqs" / "lib64" / "liboqs.so"
    library.parent.mkdir(parents=True)
    library.touch()
    monkeypatch.delenv(oqs_library.INSTALL_PATH, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert oqs_library.find_library() == library
    monkeypatch.setenv(oqs_library.INSTALL_PATH, str(tmp_path / "_oqs"))
    assert oqs_library.find_library() == library


def test_names_are_an_allow_list() -> None:
    before = default_provider()
    with pytest.raises(ProviderUnavailable, match="no provider 'pqcrypto'"):
        select_provider("pqcrypto")
    assert default_provider() is before
    assert select_provider("openssl").name == "openssl"


class _Narrow(OpenSSLProvider):
    """A provider that carries Ed25519 alone."""

    def __init__(self) -> None:
        super().__init__()
        self.algorithms = frozenset({SignatureAlgorithm.ED25519})


def test_the_first_that_carries_an_algorithm_is_chosen() -> None:
    narrow, wide = _Narrow(), OpenSSLProvider()
    both = FastestProvider([narrow, wide])
    assert both.chosen(SignatureAlgorithm.ED25519) is narrow
    assert both.chosen(SignatureAlgorithm.ML_DSA_44) is wide
    assert both.algorithms == frozenset(SignatureAlgorithm)
    key = PrivateKey.from_seed(SignatureAlgorithm.ML_DSA_44, both.generate_seed(SignatureAlgorithm.ML_DSA_44))
    both.verifier(key.algorithm, key.public_key.raw).verify(both.signer(key.algorithm, key.seed).sign(b"x"), b"x")
    with pytest.raises(UnsupportedAlgorithm):
        FastestProvider([narrow]).signer(key.algorithm, key.seed)
