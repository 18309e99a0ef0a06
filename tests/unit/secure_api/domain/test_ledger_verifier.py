import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_api.domain.errors import LedgerTampered
from secure_api.domain.ledger import GENESIS_HASH, EntryContent, LedgerEntry, LedgerHead, LedgerVerifier, next_entry
from secure_api.domain.ledger_verifier import RENUMBERING_REACH

TIME = datetime(2026, 1, 31, 12, tzinfo=UTC)
LENGTH = 8
Row = dict[str, Any]


def chain(length: int = LENGTH, salt: str = "") -> list[LedgerEntry]:
    entries: list[LedgerEntry] = []
    for number in range(1, length + 1):
        entries.append(
            next_entry(
                number - 1,
                entries[-1].hash if entries else GENESIS_HASH,
                time=TIME + timedelta(seconds=number),
                kind="records.appended",
                organization_id="org",
                actor="client",
                payload={"count": number, "salt": salt},
            )
        )
    return entries


def stored(entries: Sequence[LedgerEntry]) -> list[Row]:
    """Give the rows as the database keeps them: the payload is canonical text."""
    return [
        {name: getattr(entry, name) for name in LedgerEntry.model_fields} | {"payload": entry.payload_json()}
        for entry in entries
    ]


def head_of(entry: LedgerEntry) -> LedgerHead:
    return LedgerHead(sequence=entry.sequence, hash=entry.hash, time=TIME, keyid="key", signature=b"checked")


def rehashed(row: Row, **changes: object) -> Row:
    """Give the row as a forger leaves it who knows how the hash is made."""
    fields = {**row, **changes, "payload": json.loads(row["payload"])}
    del fields["hash"]
    digest = sha256(EntryContent.model_validate(fields).hashed_bytes()).hexdigest()
    return {**row, **changes, "hash": digest}


def found(rows: Sequence[LedgerEntry | Row], **how: Any) -> tuple[int, str] | None:
    verifier = LedgerVerifier(**how)
    try:
        for row in rows:
            verifier.feed(row)
        verifier.finish()
    except LedgerTampered as error:
        tampered = error
    else:
        return None
    assert f"entry {tampered.sequence} was {tampered.what}" in str(tampered)
    return tampered.sequence, tampered.what


ENTRIES = chain()
ROWS = stored(ENTRIES)
HEAD = head_of(ENTRIES[-1])


@pytest.mark.parametrize("rows", [[], ENTRIES, ROWS, [entry.model_dump(mode="json") for entry in ENTRIES]])
def test_an_untouched_ledger_verifies(rows: Sequence[LedgerEntry | Row]) -> None:
    assert found(rows) is None


def test_the_tip_is_told() -> None:
    verifier = LedgerVerifier(heads=[HEAD])
    for row in ROWS:
        verifier.feed(row)
    verifier.finish()
    assert (verifier.sequence, verifier.hash) == (LENGTH, ENTRIES[-1].hash)


def test_verification_goes_on_from_a_trusted_head() -> None:
    assert found(ROWS[5:], trusted=head_of(ENTRIES[4]), heads=[head_of(ENTRIES[2]), HEAD]) is None
    assert found(ROWS[6:], trusted=head_of(ENTRIES[4])) == (6, "removed")
    assert found(ROWS[4:], trusted=head_of(ENTRIES[4])) == (5, "duplicated")
    other = stored(chain(salt="other"))
    assert found(other[5:], trusted=head_of(ENTRIES[4])) == (6, "changed")


CHANGES: list[Row] = [
    {"previous_hash": "1" * 64},
    {"time": TIME},
    {"time": "no instant"},
    {"kind": "records.removed"},
    {"kind": "No slug"},
    {"organization_id": "other"},
    {"organization_id": None},
    {"actor": "other"},
    {"actor": None},
    {"payload": '{"count":99,"salt":""}'},
    {"payload": '{"salt":"","count":4}'},  # not canonical
    {"payload": "no JSON"},
    {"payload": "[]"},
    {"payload": None},
    {"hash": "1" * 64},
    {"hash": None},
    {"note": "more than was hashed"},
]


@pytest.mark.parametrize("place", [1, 4, LENGTH])
@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_changed_field_is_named(change: Row, place: int) -> None:
    rows = list(ROWS)
    rows[place - 1] = {**rows[place - 1], **change}
    assert found(rows) == (place, "changed")


@pytest.mark.parametrize("name", list(LedgerEntry.model_fields))
def test_a_missing_field_is_a_change(name: str) -> None:
    rows = list(ROWS)
    rows[3] = {key: value for key, value in rows[3].items() if key != name}
    assert found(rows) == (4, "changed")


def test_an_entry_hashed_anew_is_named_by_the_next_one() -> None:
    rows = list(ROWS)
    rows[3] = rehashed(rows[3], kind="records.removed")
    assert found(rows) == (4, "changed")


def test_a_first_entry_that_follows_something_else_is_a_change() -> None:
    assert found([rehashed(ROWS[0], previous_hash="1" * 64)]) == (1, "changed")


def test_a_last_entry_hashed_anew_is_named_by_the_head() -> None:
    rows = [*ROWS[:-1], rehashed(ROWS[-1], kind="records.removed")]
    assert found(rows) is None  # nobody can tell without a head
    assert found(rows, heads=[HEAD]) == (LENGTH, "changed")


def test_a_chain_computed_anew_is_named_by_the_head() -> None:
    forged = stored(chain(salt="forged"))
    assert found(forged) is None
    assert found(forged, heads=[HEAD]) == (LENGTH, "changed")
    assert found(forged, heads=[head_of(ENTRIES[2]), HEAD]) == (3, "changed")


@pytest.mark.parametrize("place", range(1, LENGTH))
def test_a_removed_entry_is_named(place: int) -> None:
    assert found(ROWS[: place - 1] + ROWS[place:]) == (place, "removed")


def test_a_removed_tail_is_named_by_the_head() -> None:
    assert found(ROWS[:5]) is None
    assert found(ROWS[:5], heads=[HEAD]) == (6, "removed")
    assert found([], heads=[HEAD]) == (1, "removed")


def test_the_first_of_several_removed_entries_is_named() -> None:
    assert found([ROWS[0], ROWS[3], ROWS[4], ROWS[7]]) == (2, "removed")
    assert found([ROWS[0], ROWS[3], {**ROWS[4], "kind": "x.y"}]) == (2, "removed")


@pytest.mark.parametrize("place", range(1, LENGTH))
def test_swapped_rows_are_named(place: int) -> None:
    rows = list(ROWS)
    rows[place - 1], rows[place] = rows[place], rows[place - 1]
    assert found(rows) == (place, "reordered")


def test_a_late_row_is_reordered_however_late() -> None:
    assert found([*ROWS[:2], *ROWS[3:], ROWS[2]]) == (3, "reordered")
    assert found(ROWS[::-1]) == (LENGTH - 1, "reordered")
    assert found([ROWS[2], ROWS[4], ROWS[0], ROWS[1]]) == (1, "reordered")


def test_swapped_contents_are_named() -> None:
    """Two rows whose sequence numbers were exchanged, read in the order of sequence."""
    rows = list(ROWS)
    rows[2], rows[4] = {**ROWS[4], "sequence": 3}, {**ROWS[2], "sequence": 5}
    assert found(rows) == (5, "reordered")


def test_an_entry_moved_to_the_end_under_another_number_is_named() -> None:
    rows = [*ROWS[:2], *ROWS[3:], {**ROWS[2], "sequence": 100}]
    assert found(rows) == (3, "reordered")


def test_an_entry_moved_out_of_reach_is_still_noticed() -> None:
    rows = [*ROWS[:2], *ROWS[3:], {**ROWS[2], "sequence": 10 + RENUMBERING_REACH}]
    assert found(rows) == (3, "removed")


def test_renumbering_after_a_removal_is_noticed() -> None:
    rows = ROWS[:2] + [{**row, "sequence": row["sequence"] - 1} for row in ROWS[3:]]
    assert found(rows) == (4, "reordered")


@pytest.mark.parametrize("place", range(1, LENGTH + 1))
def test_a_duplicated_row_is_named(place: int) -> None:
    assert found([*ROWS, ROWS[place - 1]]) == (place, "duplicated")
    assert found(ROWS[:place] + ROWS[place - 1 :]) == (place, "duplicated")


def test_a_copy_under_another_number_is_named() -> None:
    rows = list(ROWS)
    rows[6] = {**ROWS[2], "sequence": 7}
    assert found(rows) == (3, "duplicated")


def test_an_instance_that_was_reached_into_is_noticed() -> None:
    """Frozen protects from mistakes; the hash is what proves."""
    entries = chain()
    entries[3].__dict__["kind"] = "records.removed"
    assert found(entries) == (4, "changed")
    entries = chain()
    entries[4] = LedgerEntry.model_construct(**{**ROWS[4], "payload": {"count": 0}})
    assert found(entries) == (5, "changed")


@given(st.permutations(range(LENGTH)))
def test_no_other_order_verifies(order: list[int]) -> None:
    verdict = found([ROWS[index] for index in order])
    if order == sorted(order):
        assert verdict is None
    else:
        assert verdict is not None
        assert verdict[1] == "reordered"


@given(st.sets(st.integers(0, LENGTH - 1), min_size=1))
def test_no_selection_verifies_against_a_head(dropped: set[int]) -> None:
    rows = [row for index, row in enumerate(ROWS) if index not in dropped]
    assert found(rows, heads=[HEAD]) == (min(dropped) + 1, "removed")


@given(
    st.lists(st.dictionaries(st.sampled_from([*LedgerEntry.model_fields, "x"]), st.none() | st.integers() | st.text()))
)
def test_any_rows_raise_nothing_else(rows: list[Row]) -> None:
    assert found([*ROWS[:3], *rows]) is None or rows
