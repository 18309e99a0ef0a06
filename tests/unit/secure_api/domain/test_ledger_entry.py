import copy
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

import pytest
from pydantic import ValidationError

from secure_api.domain import strict_json
from secure_api.domain.errors import Invalid, LedgerTampered
from secure_api.domain.ledger import GENESIS_HASH, HEAD_CONTEXT, LedgerEntry, LedgerHead, head_statement, next_entry

TIME = datetime(2026, 1, 31, 12, 0, 0, 500_000, UTC)


def entry(**changes: Any) -> LedgerEntry:
    fields: dict[str, Any] = {
        "time": TIME,
        "kind": "records.appended",
        "organization_id": "org",
        "actor": None,
        "payload": {"count": 2, "places": [{"x": 1.5}]},
    }
    return next_entry(0, GENESIS_HASH, **{**fields, **changes})


def fields_of(made: LedgerEntry) -> dict[str, object]:
    return {name: getattr(made, name) for name in LedgerEntry.model_fields}


def test_the_hashed_bytes_are_exact() -> None:
    made = entry()
    assert made.hashed_bytes() == (
        b'{"actor":null,"kind":"records.appended","organization_id":"org",'
        b'"payload":{"count":2,"places":[{"x":1.5}]},"previous_hash":"' + b"0" * 64 + b'",'
        b'"sequence":1,"time":"2026-01-31T12:00:00.5Z","version":1}'
    )
    assert made.hash == sha256(made.hashed_bytes()).hexdigest()
    assert (made.sequence, made.previous_hash) == (1, GENESIS_HASH)


def test_whoever_holds_the_wire_form_can_compute_the_hash() -> None:
    wire = json.loads(entry().model_dump_json())
    claimed = wire.pop("hash")
    assert sha256(strict_json.canonical({**wire, "version": 1})).hexdigest() == claimed
    assert fields_of(LedgerEntry.model_validate({**wire, "hash": claimed})) == fields_of(entry())


def test_the_stored_payload_reads_back_equal() -> None:
    made = entry(payload={"b": 1.0, "a": -0.0})
    assert made.payload_json() == '{"a":0,"b":1}'
    assert made.payload == strict_json.loads(made.payload_json().encode())


@pytest.mark.parametrize("name", list(LedgerEntry.model_fields))
def test_no_field_can_be_assigned_or_deleted(name: str) -> None:
    made = entry()
    before = fields_of(made)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(made, name, before[name])
    with pytest.raises(ValidationError, match="frozen"):
        delattr(made, name)
    assert fields_of(made) == before


def test_no_attribute_can_be_added() -> None:
    with pytest.raises(ValidationError):
        entry().note = "x"  # type: ignore[attr-defined]


def test_the_payload_is_frozen_at_every_depth() -> None:
    made = entry()
    payload: Any = made.payload
    for target, key in ((payload, "count"), (payload["places"], 0), (payload["places"][0], "x")):
        with pytest.raises(TypeError):
            target[key] = 1
    assert made == entry()
    assert hash(made) == hash(entry())


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 2},
        {"previous_hash": "1" * 64},
        {"time": TIME + timedelta(microseconds=1)},
        {"kind": "records.removed"},
        {"organization_id": "other"},
        {"organization_id": None},
        {"actor": "somebody"},
        {"payload": {"count": 3}},
        {"hash": "a" * 64},
    ],
    ids=str,
)
def test_no_entry_exists_with_a_hash_that_is_not_its_own(change: dict[str, object]) -> None:
    made = entry()
    with pytest.raises(LedgerTampered) as caught:
        LedgerEntry.model_validate({**fields_of(made), **change})
    assert (caught.value.sequence, caught.value.what) == (change.get("sequence", 1), "changed")
    with pytest.raises(LedgerTampered):
        made.model_copy(update=change)


def test_copies_are_equal_and_edits_of_the_wrong_form_are_invalid() -> None:
    made = entry()
    for other in (made.model_copy(), copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert other == made
        assert other.payload == made.payload
    with pytest.raises(Invalid) as caught:
        made.model_copy(update={"kind": "No slug"})
    assert caught.value.pointer == "/kind"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"kind": "Records appended"}, "/kind"),
        ({"kind": "records.appended\n"}, "/kind"),
        ({"kind": "k" * 64}, "/kind"),
        ({"organization_id": ""}, "/organization_id"),
        ({"actor": "a\x00"}, "/actor"),
        ({"actor": 7}, "/actor"),
        ({"time": 1.5}, "/time"),
        ({"time": datetime(2026, 1, 31)}, None),
        ({"payload": {"x": float("inf")}}, None),
    ],
    ids=str,
)
def test_a_field_of_the_wrong_form_is_invalid(change: dict[str, object], pointer: str | None) -> None:
    with pytest.raises(Invalid) as caught:
        entry(**change)
    assert caught.value.pointer == pointer


def test_the_predecessor_has_to_have_the_right_form() -> None:
    for sequence, previous in ((-1, GENESIS_HASH), (2**53 - 1, GENESIS_HASH), (0, "0" * 63), (0, "A" * 64)):
        with pytest.raises(Invalid):
            next_entry(sequence, previous, time=TIME, kind="a.b", organization_id=None, actor=None, payload={})


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        LedgerEntry.model_validate({**fields_of(entry()), "note": 1})


def test_times_are_kept_in_utc() -> None:
    made = entry(time=TIME.astimezone(timezone(timedelta(hours=2))))
    assert made.time.tzinfo is UTC
    assert made == entry()


def test_the_head_statement_is_exact() -> None:
    head = LedgerHead(sequence=7, hash="ab" * 32, time=TIME, keyid="k", signature=b"\xff")
    statement = (
        b'secure-api ledger head v1\n{"hash":"' + b"ab" * 32 + b'","sequence":7,"time":"2026-01-31T12:00:00.5Z"}'
    )
    assert head.statement() == head_statement(7, "ab" * 32, TIME) == statement
    assert statement.startswith(HEAD_CONTEXT)
    assert json.loads(head.model_dump_json())["signature"] == "_w=="


def test_a_head_is_frozen() -> None:
    head = LedgerHead(sequence=0, hash=GENESIS_HASH, time=TIME, keyid="k", signature=b"s")
    with pytest.raises(ValidationError, match="frozen"):
        head.sequence = 1  # type: ignore[misc]
    with pytest.raises(ValidationError):
        LedgerHead(sequence=-1, hash=GENESIS_HASH, time=TIME, keyid="k", signature=b"s")
