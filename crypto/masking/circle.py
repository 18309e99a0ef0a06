"""The circle of all who take part: what its members seal and sign for each other, and how that is opened again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from crypto.errors import KeyFormatError, MaskingRefused, SharingError, UnsealingError
from crypto.masking.boxes import Box
from crypto.masking.messages import Advertisement
from crypto.masking.roster import MaskingRoster
from crypto.masking.statements import (
    advertisement_statement,
    box_statement,
    pair_context,
    participants_digest,
    shares_context,
)
from crypto.masking.terms import MaskingTerms
from crypto.sealing import SealingPrivateKey, SealingPublicKey
from crypto.sharing import VALUE_BYTES, Share
from crypto.signing import SigningKey

_NO_SIGNATURE: Final = b""


@dataclass(frozen=True, slots=True)
class Held:
    """What a client holds of another one, or of itself: a share of its root and of its mask, and their pair's seed."""

    subject: int
    root: Share = field(repr=False)
    mask: Share = field(repr=False)
    seed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Circle:
    """All who take part in one sum, and what stands for them. Raises MaskingRefused."""

    terms: MaskingTerms
    roster: MaskingRoster
    digest: bytes

    @classmethod
    def of(cls, terms: MaskingTerms, roster: MaskingRoster, advertisements: tuple[Advertisement, ...]) -> Circle:
        """Return the circle of verified advertisements. Raises MaskingRefused when two of them share a key."""
        for advertised in advertisements:
            verify_advertisement(terms, roster, advertised)
        refuse_same_keys(advertisements)
        return cls(terms, roster, participants_digest(terms, roster, advertisements))

    def pack(self, held: Held, recipient: Advertisement, key: SigningKey) -> Box:
        """Return the box for one recipient: `held` is what it is to hold of its subject, the sender."""
        sender = held.subject
        ends = (self.terms, self.digest, sender, recipient.index)
        payload = held.root.value.to_bytes(VALUE_BYTES) + held.mask.value.to_bytes(VALUE_BYTES)
        shares = SealingPublicKey(recipient.shares_key).seal(payload, shares_context(*ends))
        pair = b""
        if sender < recipient.index:
            pair = SealingPublicKey(recipient.pair_key).seal(held.seed, pair_context(*ends))
        statement = box_statement(self.terms, self.digest, Box(sender, recipient.index, shares, pair, _NO_SIGNATURE))
        return Box(sender, recipient.index, shares, pair, key.sign(statement))

    def verify(self, box: Box) -> None:
        """Return if the sender signed the box for this recipient. Raises MaskingRefused."""
        statement = box_statement(self.terms, self.digest, box)
        self.roster.verify(box.sender, box.signature, statement, f"the box for client {box.recipient}")

    def open_shares(self, box: Box, key: SealingPrivateKey) -> tuple[Share, Share]:
        """Return the recipient's shares of the sender's root and mask. Raises MaskingRefused."""
        context = shares_context(self.terms, self.digest, box.sender, box.recipient)
        try:
            payload = key.open(box.shares, context)
            values = int.from_bytes(payload[:VALUE_BYTES]), int.from_bytes(payload[VALUE_BYTES:])
            return Share(box.recipient, values[0]), Share(box.recipient, values[1])
        except (UnsealingError, SharingError):
            raise MaskingRefused(f"client {box.sender} sealed no shares in its box for {box.recipient}") from None

    def open_pair(self, box: Box, key: SealingPrivateKey) -> bytes:
        """Return the pair seed that the lower client chose. Raises MaskingRefused."""
        try:
            return key.open(box.pair, pair_context(self.terms, self.digest, box.sender, box.recipient))
        except UnsealingError:
            raise MaskingRefused(f"client {box.sender} sealed no pair seed in its box for {box.recipient}") from None


def verify_advertisement(terms: MaskingTerms, roster: MaskingRoster, advertised: Advertisement) -> None:
    """Return if the client signed it, and both keys can be sealed to. Raises MaskingRefused."""
    if advertised.index not in roster:
        raise MaskingRefused(f"client {advertised.index} is not invited")
    statement = advertisement_statement(terms, roster[advertised.index].keyid, advertised)
    roster.verify(advertised.index, advertised.signature, statement, "its advertisement")
    try:
        for key in (advertised.shares_key, advertised.pair_key):
            SealingPublicKey(key)
    except KeyFormatError as error:
        raise MaskingRefused(f"client {advertised.index} advertised a key that nobody can use: {error}") from None


def refuse_same_keys(advertisements: tuple[Advertisement, ...]) -> None:
    """Refuse keys that are advertised twice, by one client or by two. Raises MaskingRefused."""
    keys = [key for advertised in advertisements for key in (advertised.shares_key, advertised.pair_key)]
    if len(set(keys)) != len(keys):
        raise MaskingRefused("two of the advertised keys are the same")
