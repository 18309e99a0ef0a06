"""The client's end of a masked sum (Bonawitz et al., CCS 2017, against an active server): bytes in, bytes out.

Five steps, each with one message to send: advertise, share, receive and contribute, confirm, reveal. A step can be
repeated with the same input, after a crash or a lost answer, and says the same; with another input it is refused, for
the next sum of what the server hears must not depend on how often it asks. That takes a memory: **store `to_bytes()`
before sending what a step returned**, and never go back to an older state.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from crypto.errors import MaskingOrderError, MaskingRefused, MaskingTermsError
from crypto.masking.arrays import WORD, require_numpy
from crypto.masking.boxes import Delivery
from crypto.masking.circle import Circle
from crypto.masking.client_state import ClientState, MaskingClientStage
from crypto.masking.dealing import Randomness, advertisement, deal, open_all
from crypto.masking.masks import SEED_BYTES, add_mask, subtract_mask
from crypto.masking.messages import Confirmation, Confirmations, Contribution, Participants, Reveal, Survivors
from crypto.masking.roster import MaskingRoster
from crypto.masking.statements import advertisement_statement, confirmation_statement
from crypto.masking.terms import MaskingTerms, refuse_few
from crypto.signing import SigningKey

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class MaskingClient:
    """One client in one sum. It is never pickled, its repr hides it; `to_bytes` holds secrets: keep it encrypted."""

    __slots__ = ("_roster", "_state")

    def __init__(self, state: ClientState, roster: MaskingRoster) -> None:
        self._state = state
        self._roster = roster

    @classmethod
    def join(
        cls, terms: MaskingTerms, roster: MaskingRoster, index: int, randomness: Randomness = secrets.token_bytes
    ) -> MaskingClient:
        """Return a client with fresh secrets. Raises MaskingTermsError."""
        if index not in roster:
            raise MaskingTermsError(f"client {index} is not invited")
        root, shares_seed, self_seed = (randomness(SEED_BYTES) for _ in range(3))
        return cls(ClientState(terms, index, MaskingClientStage.JOINED, root, shares_seed, self_seed), roster)

    @classmethod
    def from_bytes(cls, data: bytes, roster: MaskingRoster) -> MaskingClient:
        """Go on from a stored state, with the same roster. Raises MaskingFormatError, MaskingTermsError."""
        return cls(ClientState.from_bytes(data), roster)

    def to_bytes(self) -> bytes:
        """Return the state, secrets included."""
        return self._state.to_bytes()

    @property
    def stage(self) -> MaskingClientStage:
        """What the client did last."""
        return self._state.stage

    def advertise(self, key: SigningKey) -> bytes:
        """Return an Advertisement, signed by the client's enrolled key. Raises MaskingTermsError, MaskingOrderError."""
        state = self._state
        self._roster.check_signer(state.index, key)
        if state.stage > MaskingClientStage.SHARED:
            raise MaskingOrderError("the time to advertise keys is over: boxes were received under them")
        unsigned = advertisement(state)
        statement = advertisement_statement(state.terms, key.keyid, unsigned)
        return replace(unsigned, signature=key.sign(statement)).encode(state.terms)

    def share(self, message: bytes, key: SigningKey, randomness: Randomness = secrets.token_bytes) -> bytes:
        """Return a Sharing for the Participants of `message`.

        Raises MaskingFormatError, MaskingRefused, MaskingOrderError, MaskingTermsError, TooFewClients.
        """
        state, terms = self._state, self._state.terms
        self._roster.check_signer(state.index, key)
        everybody = Participants.decode(message, terms).advertisements
        refuse_few(len(everybody), terms, "take part")
        circle = Circle.of(terms, self._roster, everybody)
        if state.stage is MaskingClientStage.SHARED and circle.digest == state.circle:
            return state.sharing
        if state.stage is not MaskingClientStage.JOINED:
            raise MaskingOrderError("shares were made for another list of participants, or boxes received already")
        if not any(replace(entry, signature=b"") == advertisement(state) for entry in everybody):
            raise MaskingRefused(f"client {state.index} is not among the participants as it advertised itself")
        sharing, own = deal(state, circle, everybody, key, randomness)
        encoded = sharing.encode(terms)
        participants = tuple(entry.index for entry in everybody)
        state = replace(state, stage=MaskingClientStage.SHARED, sharing=encoded, held=(own,))
        self._state = replace(state, circle=circle.digest, participants=participants)
        return encoded

    def receive(self, message: bytes) -> tuple[int, ...]:
        """Open a Delivery; return the members, this client included.

        Raises MaskingFormatError, MaskingRefused, MaskingOrderError, TooFewClients.
        """
        state, terms = self._state, self._state.terms
        delivery = Delivery.decode(message, terms)
        digest = hashlib.sha256(message).digest()
        if state.delivery == digest:
            return state.members
        if state.stage is not MaskingClientStage.SHARED:
            raise MaskingOrderError("boxes are received once, after one's own were sent")
        if delivery.recipient != state.index:
            raise MaskingRefused(f"these boxes are for client {delivery.recipient}")
        refuse_few(len(delivery.boxes) + 1, terms, "handed out boxes")
        held = open_all(state, Circle(terms, self._roster, state.circle), delivery.boxes)
        state = replace(state, stage=MaskingClientStage.RECEIVED, delivery=digest, held=held)
        self._state = replace(state, root=b"", shares_seed=b"", sharing=b"")
        return self._state.members

    def contribute(self, values: ArrayLike) -> bytes:
        """Return a Contribution: the levels of `terms.dimension` numbers, and a one that counts, under all masks.

        Raises MaskingOrderError (too early, or other values than before), QuantizationError, LibraryMissing.
        """
        require_numpy()
        import numpy

        state, terms = self._state, self._state.terms
        if state.stage not in (MaskingClientStage.RECEIVED, MaskingClientStage.CONTRIBUTED):
            raise MaskingOrderError("a contribution is made between the boxes and the survivors")
        masked = numpy.ones(terms.words, WORD)
        masked[:-1] = terms.quantization.encode(values, terms.dimension)
        add_mask(masked, state.self_seed)
        for held in state.held:
            if held.subject > state.index:
                add_mask(masked, held.seed)
            elif held.subject < state.index:
                subtract_mask(masked, held.seed)
        content = masked.tobytes()
        digest = hashlib.sha256(content).digest()
        if state.contribution and state.contribution != digest:
            # The same masks over two contributions: their difference would be for everybody to see.
            raise MaskingOrderError("other values were contributed before, under the same masks")
        self._state = replace(state, stage=MaskingClientStage.CONTRIBUTED, contribution=digest)
        return Contribution(state.index, content).encode(terms)

    def confirm(self, message: bytes, key: SigningKey) -> bytes:
        """Return a Confirmation of the Survivors of `message`; from here on, of no others.

        Raises MaskingFormatError, MaskingRefused, MaskingOrderError, MaskingTermsError, TooFewClients.
        """
        state, terms = self._state, self._state.terms
        self._roster.check_signer(state.index, key)
        survivors = Survivors.decode(message, terms).indices
        if state.stage not in (MaskingClientStage.CONTRIBUTED, MaskingClientStage.CONFIRMED):
            raise MaskingOrderError("survivors are confirmed after one's own contribution")
        if state.survivors and state.survivors != survivors:
            raise MaskingRefused("the server said before that others survived")
        if not set(survivors) <= set(state.members):
            raise MaskingRefused("who sent no boxes cannot have survived")
        if state.index not in survivors:
            raise MaskingOrderError(f"the sum goes on without client {state.index}: it has nothing to confirm")
        refuse_few(len(survivors), terms, "contributed")
        held = tuple(replace(entry, seed=b"") for entry in state.held)
        self._state = replace(state, stage=MaskingClientStage.CONFIRMED, self_seed=b"", held=held, survivors=survivors)
        statement = confirmation_statement(terms, state.circle, state.members, survivors)
        return Confirmation(state.index, key.sign(statement)).encode(terms)

    def reveal(self, message: bytes) -> bytes:
        """Return a Reveal, once as many as the threshold confirm the survivors that this client confirmed.

        Of each member it has the share of one secret: of the mask if it survived, else of the root; never of both.
        Raises MaskingFormatError, MaskingRefused, MaskingOrderError, TooFewClients.
        """
        state, terms = self._state, self._state.terms
        confirmations = Confirmations.decode(message, terms).confirmations
        if state.stage is not MaskingClientStage.CONFIRMED:
            raise MaskingOrderError("nothing is revealed before the survivors are confirmed")
        refuse_few(len(confirmations), terms, "confirmed the survivors")
        statement = confirmation_statement(terms, state.circle, state.members, state.survivors)
        for entry in confirmations:
            if entry.index not in state.survivors:
                raise MaskingRefused(f"client {entry.index} is no survivor, and cannot confirm")
            self._roster.verify(entry.index, entry.signature, statement, "these members and survivors")
        masks = tuple((held.subject, held.mask) for held in state.held if held.subject in state.survivors)
        roots = tuple((held.subject, held.root) for held in state.held if held.subject not in state.survivors)
        return Reveal(state.index, masks, roots).encode(terms)

    def __repr__(self) -> str:
        """Name the sum and the client, never a secret."""
        return f"MaskingClient({self._state.terms.study!r}, {self._state.index}, {self._state.stage.name})"

    def __reduce__(self) -> NoReturn:
        """Refuse: a pickle would hold the secrets in clear, and could bring an old state back."""
        raise TypeError("a MaskingClient is not pickled or copied; to_bytes is what to keep, encrypted")
