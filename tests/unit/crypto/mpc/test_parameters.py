from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crypto.errors import KeyFileError, MpcTermsError
from crypto.mpc.identity import PartyIdentity
from crypto.mpc.parameters import MpcParameters

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    folder = tmp_path_factory.mktemp("parties")
    return [
        PartyIdentity.create(folder / name, NOW).description(name, f"{name}.example:444{index}")
        for index, name in enumerate(("north", "south", "west"))
    ]


def test_parameters_give_terms_pins_and_keys(described: list[dict[str, str]]) -> None:
    given = {"parties": described, "fraction_bits": 8, "maximum_contributors": 9, "arguments": {"q": 1}}
    parsed = MpcParameters.parse(given)
    assert [(party.organization, party.host, party.port) for party in parsed.parties] == [
        ("north", "north.example", 4440), ("south", "south.example", 4441), ("west", "west.example", 4442)
    ]  # fmt: skip
    assert [pin.hex() for pin in parsed.certificates] == [item["certificate"] for item in described]
    terms = parsed.terms("s", "quantile", 2, 0.0, 1.0, 3)
    assert (terms.parties, terms.contributors, terms.fraction_bits, dict(terms.arguments)) == (3, 9, 8, {"q": 1.0})
    assert MpcParameters.parse({"parties": described}).terms("s", "sum", 1, 0.0, 1.0, 1).contributors == 1024


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("organization", ""),
        ("organization", "south"),
        ("address", "north.example"),
        ("address", "north.example:70000"),
        ("address", "south.example:4441"),
        ("certificate", "0" * 63),
        ("certificate", "A" * 64),
        ("sealing_key", "AAAA"),
        ("sealing_key", 5),
        ("another", "member"),
    ],
)
def test_a_party_that_is_none_or_twice_is_refused(member: str, value: object, described: list[dict[str, str]]) -> None:
    with pytest.raises(MpcTermsError):
        MpcParameters.parse({"parties": [{**described[0], member: value}, *described[1:]]})


@pytest.mark.parametrize(
    "changes",
    [
        {"parties": None},
        {"parties": []},
        {"round": 1},
        {"fraction_bits": 1.5},
        {"maximum_contributors": True},
        {"arguments": []},
        {"arguments": {"q": "half"}},
        {"arguments": {"q": float("nan")}},
        {"arguments": dict.fromkeys("abcdefghi", 1)},
    ],
)
def test_parameters_of_another_shape_are_refused(changes: dict[str, Any], described: list[dict[str, str]]) -> None:
    with pytest.raises(MpcTermsError):
        MpcParameters.parse({"parties": described} | changes)


def test_an_identity_is_made_once_read_back_and_kept_from_others(tmp_path: Path) -> None:
    made = PartyIdentity.create(tmp_path / "party", NOW)
    read = PartyIdentity.read(tmp_path / "party")
    assert (read.certificate, read.sealing_key.public_key) == (made.certificate, made.sealing_key.public_key)
    files = sorted((tmp_path / "party").iterdir())
    assert [(path.name, path.stat().st_mode & 0o777) for path in files] == [
        ("party.crt", 0o600), ("party.key", 0o600), ("sealing.seed", 0o600)
    ]  # fmt: skip
    with pytest.raises(KeyFileError, match="there already"):
        PartyIdentity.create(tmp_path / "party", NOW)
    with pytest.raises(MpcTermsError, match="host:port"):
        made.description("north", "north")
    files[2].write_text("nothing")
    with pytest.raises(KeyFileError, match="no compute party"):
        PartyIdentity.read(tmp_path / "party")
    files[1].chmod(0o644)
    with pytest.raises(KeyFileError, match="open to other users"):
        PartyIdentity.read(tmp_path / "party")
    with pytest.raises(KeyFileError, match="cannot make"):
        PartyIdentity.create(files[0] / "below", NOW)
