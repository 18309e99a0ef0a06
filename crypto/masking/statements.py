"""What is signed and what seals are bound to: the label of its purpose, the sum's terms, and fields in a fixed order.

No two statements are the same bytes: the label ends in a line break that nothing before it has, and every field behind
it has a fixed length or is counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from crypto.masking.encoding import Writer
from crypto.masking.roster import MaskingRoster
from crypto.masking.terms import LABEL, MaskingTerms

if TYPE_CHECKING:
    from crypto.masking.boxes import Box
    from crypto.masking.messages import Advertisement


def advertisement_statement(terms: MaskingTerms, keyid: str, advertised: Advertisement) -> bytes:
    """Return what a client signs in the setup: that these keys and this commitment are its own, in this sum."""
    return _begun(b"advertisement", terms).raw(_identity(keyid, advertised)).done()


def participants_digest(terms: MaskingTerms, roster: MaskingRoster, advertised: Sequence[Advertisement]) -> bytes:
    """Return 32 bytes that stand for all who take part, in the order of their indices, with their keys."""
    writer = _begun(b"participants", terms).number(len(advertised), 2)
    writer.raw(*(_identity(roster[entry.index].keyid, entry) for entry in advertised))
    return hashlib.sha256(writer.done()).digest()


def box_statement(terms: MaskingTerms, participants: bytes, box: Box) -> bytes:
    """Return what the sender of a box signs: HPKE in base mode says nothing of who sealed."""
    writer = _begun(b"box", terms).raw(participants).number(box.sender, 2).number(box.recipient, 2)
    return writer.raw(hashlib.sha256(box.shares).digest(), hashlib.sha256(box.pair).digest()).done()


def confirmation_statement(
    terms: MaskingTerms, participants: bytes, members: Sequence[int], survivors: Sequence[int]
) -> bytes:
    """Return what a client signs before it unmasks: who handed out boxes, and whose contributions are in the sum."""
    return _begun(b"confirmation", terms).raw(participants).indices(members).indices(survivors).done()


def shares_context(terms: MaskingTerms, participants: bytes, sender: int, recipient: int) -> bytes:
    """Return what the sealed shares of one client for another are bound to."""
    return _context(b"shares", terms, participants, sender, recipient)


def pair_context(terms: MaskingTerms, participants: bytes, sender: int, recipient: int) -> bytes:
    """Return what the sealed pair seed of one client for another is bound to."""
    return _context(b"pair", terms, participants, sender, recipient)


def _context(purpose: bytes, terms: MaskingTerms, participants: bytes, sender: int, recipient: int) -> bytes:
    return _begun(purpose, terms).raw(participants).number(sender, 2).number(recipient, 2).done()


def _identity(keyid: str, advertised: Advertisement) -> bytes:
    writer = Writer().number(advertised.index, 2).counted(keyid.encode())
    return writer.raw(advertised.shares_key, advertised.pair_key, advertised.commitment).done()


def _begun(purpose: bytes, terms: MaskingTerms) -> Writer:
    return Writer().raw(LABEL + purpose + b"\n", terms.digest)
