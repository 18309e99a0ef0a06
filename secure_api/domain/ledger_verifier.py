"""Verification of the ledger: entry by entry, in constant memory, naming what befell which entry.

    changed      a field is not what was hashed; or the entry was hashed anew, which the next one's
                 `previous_hash` or a signed head gives away
    removed      its number is missing: between two entries, or at the end when a signed head knows more
    reordered    it stands in another place than the one it was appended to
    duplicated   it stands a second time

The entry that is named is always the original one: when entry 3 stands as number 7, that is entry 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, NoReturn

from pydantic import ValidationError

from secure_api.domain.errors import Invalid, LedgerTampered
from secure_api.domain.ledger_entry import GENESIS_HASH, EntryContent, LedgerEntry
from secure_api.domain.ledger_head import LedgerHead
from secure_api.domain.strict_json import loads

#: How far from its number an entry whose hash does not fit is looked for, in entries on each side.
RENUMBERING_REACH = 50_000


class LedgerVerifier:
    """Takes the entries in the order in which they are kept: `feed` each one, then `finish`, always.

    Without `finish` an entry that is missing goes unnoticed: until the end it could still come, out of
    order. `trusted` is the head to start behind (None: the beginning), `heads` pin entries to come. The
    caller checks their signatures first. Without a head, a tail cut off and a chain computed anew cannot be
    noticed by anybody. `sequence` and `hash` are those of the last entry that was fed.
    """

    def __init__(self, *, trusted: LedgerHead | None = None, heads: Iterable[LedgerHead] = ()) -> None:
        self.sequence = 0 if trusted is None else trusted.sequence
        self.hash = GENESIS_HASH if trusted is None else trusted.hash
        self._pins = {head.sequence: head for head in heads if head.sequence > self.sequence}
        self._trusted = self.sequence
        self._gap = range(0)  # numbers that were jumped over: removed, unless they still come

    def feed(self, entry: LedgerEntry | Mapping[str, object]) -> None:
        """Take the next entry: an instance, or the fields as stored (the payload may be RFC 8785 text).

        Raises:
            LedgerTampered: the chain is broken here.
        """
        fields = _fields(entry)
        claimed = fields.pop("hash", None)
        try:
            content = _content(fields)
        except (ValidationError, Invalid):
            number = fields.get("sequence")
            self._fail(number if isinstance(number, int) else self.sequence + 1, "changed")
        hashed = content.hashed_bytes()
        digest = sha256(hashed).hexdigest()
        if digest != claimed:
            self._name_unfit(content.sequence, hashed, claimed)
        self._place(content)
        pin = self._pins.pop(content.sequence, None)
        if pin is not None and pin.hash != digest:
            self._fail(content.sequence, "changed", "and hashed anew: a signed head knows it otherwise")
        self.sequence, self.hash = content.sequence, digest

    def finish(self) -> None:
        """Say that no entry follows.

        Raises:
            LedgerTampered: an entry is missing, by the others' numbers or by a signed head.
        """
        if self._gap:
            raise LedgerTampered(self._gap.start, "removed")
        if self._pins:
            last = max(self._pins)
            self._fail(self.sequence + 1, "removed", f"from the end: a signed head covers {last} entries")

    def _place(self, content: EntryContent) -> None:
        """Check the number and the link of an entry that is intact in itself."""
        number = content.sequence
        if number in self._gap:
            raise LedgerTampered(number, "reordered")
        if number <= self.sequence:
            self._fail(number, "duplicated")
        if number > self.sequence + 1:
            self._gap = range(self._gap.start if self._gap else self.sequence + 1, number)
        elif content.previous_hash != self.hash:
            if self.sequence == self._trusted:
                self._fail(number, "changed", "and hashed anew: it does not follow what was there before")
            self._fail(self.sequence, "changed", f"and hashed anew: entry {number} remembers another hash")

    def _name_unfit(self, number: int, hashed: bytes, claimed: object) -> NoReturn:
        """Say what befell an entry whose hash does not fit its fields: another number may be all."""
        original = _original_number(number, hashed, claimed)
        if original is None:
            self._fail(number, "changed")
        if original <= self.sequence and original not in self._gap:
            self._fail(original, "duplicated", f"and stands as number {number} too")
        if original in self._gap:
            raise LedgerTampered(original, "reordered", f"Ledger entry {original} was reordered to number {number}.")
        self._fail(original, "reordered", f"to number {number}")

    def _fail(self, number: int, what: str, more: str = "") -> NoReturn:
        """Refuse; an entry that was missing before this one is the first thing to say."""
        if self._gap:
            raise LedgerTampered(self._gap.start, "removed")
        raise LedgerTampered(number, what, f"Ledger entry {number} was {what} {more}".rstrip() + ".")


def _fields(entry: LedgerEntry | Mapping[str, object]) -> dict[str, object]:
    if isinstance(entry, LedgerEntry):
        return {name: getattr(entry, name) for name in LedgerEntry.model_fields}
    return dict(entry)


def _content(fields: dict[str, Any]) -> EntryContent:
    text = fields.get("payload")
    if not isinstance(text, str):
        return EntryContent.model_validate(fields)
    content = EntryContent.model_validate({**fields, "payload": loads(text.encode())})
    if content.payload_json() != text:
        raise Invalid("The payload is not written in its canonical form.")
    return content


def _original_number(number: int, hashed: bytes, claimed: object) -> int | None:
    """Find the number, near this one, under which the hashed bytes have the claimed hash."""
    # In canonical form only `time` and `version` follow, and neither can hold this text again.
    before, _, after = hashed.rpartition(b'"sequence":%d,' % number)
    start = sha256(before)
    for distance in range(1, RENUMBERING_REACH + 1):
        for candidate in (number + distance, number - distance):
            if candidate > 0:
                attempt = start.copy()
                attempt.update(b'"sequence":%d,%b' % (candidate, after))
                if attempt.hexdigest() == claimed:
                    return candidate
    return None
