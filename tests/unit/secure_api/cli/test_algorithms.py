from __future__ import annotations

import pytest

from crypto import ALGORITHMS, KEM_ALGORITHMS, SealingAlgorithm
from crypto.macs import MacAlgorithm
from crypto.providers import oqs_library
from crypto.research import research_kems, research_signatures
from tests.cli.program import Program


@pytest.fixture
def _without_liboqs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(oqs_library.INSTALL_PATH, "/nonexistent")
    oqs_library.load.cache_clear()


def test_it_lists_every_algorithm_once(program: Program) -> None:
    listed = program("algorithms", "--json").ok().json()
    assert {entry["name"] for entry in listed if entry["use"] == "server"} == {
        *ALGORITHMS,
        *KEM_ALGORITHMS,
        *MacAlgorithm,
        *SealingAlgorithm,
    }
    research = [entry["name"] for entry in listed if entry["use"] == "research"]
    assert research == [*research_signatures(), *research_kems()]
    assert len({entry["name"] for entry in listed}) == len(listed) == 41


@pytest.mark.usefixtures("_without_liboqs")
def test_what_it_says_of_an_algorithm(program: Program) -> None:
    listed = {entry["name"]: entry for entry in program("algorithms", "--json").ok().json()}
    assert listed["x-wing"] == {
        "kind": "kem",
        "name": "x-wing",
        "use": "server",
        "public_key_bytes": 1216,
        "output_bytes": 1120,
        "variable_length": False,
        "security_level": 1,
        "providers": ["openssl"],
        "standard": "draft-connolly-cfrg-xwing-kem",
        "status": "draft",
    }
    falcon = listed["falcon-512"]
    assert (falcon["providers"], falcon["output_bytes"], falcon["variable_length"]) == ([], 752, True)
    assert (listed["ed25519"]["security_level"], listed["ml-dsa-87"]["security_level"]) == (0, 5)


@pytest.mark.usefixtures("_without_liboqs")
def test_without_liboqs_the_table_is_whole_and_one_line_says_how_to_get_the_rest(program: Program) -> None:
    outcome = program("algorithms").ok()
    rows = [line.split("\t") for line in outcome.out.splitlines()]
    assert len(rows) == 41
    assert rows[1] == ["signature", "ml-dsa-65", "server", "1952", "3309", "3", "openssl", "FIPS 204", "final"]
    assert [row[1:6] for row in rows if row[0] in {"mac", "sealing"}] == [
        ["hmac-sha256", "server", "0", "32", "5"],
        ["aes-256-gcm", "server", "0", "28", "5"],
        ["hpke-x-wing", "server", "1216", "1136", "1"],
    ]
    assert {row[6] for row in rows if row[2] == "research"} == {"-"}
    assert [row[4] for row in rows if row[1] == "falcon-512"] == ["≤ 752"]
    assert len(outcome.said.splitlines()) == 1
    assert 'pip install "secure-api[oqs]"' in outcome.said


@pytest.mark.oqs
@pytest.mark.skipif(oqs_library.find_library() is None, reason="the native liboqs is not on this machine")
def test_liboqs_is_named_for_what_it_carries(program: Program) -> None:
    outcome = program("algorithms", "--json").ok()
    providers = {entry["name"]: entry["providers"] for entry in outcome.json()}
    assert [providers.pop(name) for name in ("ed25519", *MacAlgorithm, *SealingAlgorithm)] == [["openssl"]] * 4
    server = {name for name, names in providers.items() if names == ["openssl", "oqs"]}
    assert server == {*ALGORITHMS, *KEM_ALGORITHMS} - {"ed25519"}
    assert {tuple(names) for names in providers.values()} == {("openssl", "oqs"), ("oqs",)}
    assert outcome.said == ""
