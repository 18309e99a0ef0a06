"""The server's end of a masked sum: it passes on what it cannot read, adds, and unmasks the sum alone.

In each stage clients send one message; `close` goes on to the next stage with those who did. What a client repeats is
taken once. Every message is checked as far as the server can, so that one client's forgery is refused when it arrives
and not when it spoils the sum. A state is stored with `to_bytes`, or by keeping the messages and taking them again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from crypto.errors import MaskingOrderError, MaskingRefused
from crypto.masking.arrays import WORD, require_numpy
from crypto.masking.boxes import Delivery, Sharing
from crypto.masking.circle import Circle, refuse_same_keys, verify_advertisement
from crypto.masking.messages import (
    Advertisement,
    Confirmation,
    Confirmations,
    Contribution,
    Participants,
    Reveal,
    Survivors,
)
from crypto.masking.roster import MaskingRoster
from crypto.masking.server_state import MaskingServerStage, ServerState
from crypto.masking.statements import confirmation_statement, participants_digest
from crypto.masking.terms import MaskingTerms, refuse_few
from crypto.masking.unmasking import MaskedSum, Unmasking


class MaskingServer:
    """One sum on the server, for the invited clients of a roster. Every `bytes` that it takes may come from anybody."""

    __slots__ = ("_circle", "_roster", "_state")

    def __init__(self, state: ServerState, roster: MaskingRoster) -> None:
        self._state = state
        self._roster = roster
        self._circle: Circle | None = None

    @classmethod
    def open(cls, terms: MaskingTerms, roster: MaskingRoster) -> MaskingServer:
        """Return a server that waits for advertisements."""
        return cls(ServerState(terms), roster)

    @classmethod
    def from_bytes(cls, data: bytes, roster: MaskingRoster) -> MaskingServer:
        """Go on from a stored state, with the same roster. Raises MaskingFormatError, LibraryMissing."""
        return cls(ServerState.from_bytes(data), roster)

    def to_bytes(self) -> bytes:
        """Return the state: as many bytes as all boxes, and four a value."""
        return self._state.to_bytes()

    @property
    def stage(self) -> MaskingServerStage:
        """What the server waits for."""
        return self._state.stage

    @property
    def heard(self) -> tuple[int, ...]:
        """The clients that did their part of the present stage."""
        return self._state.heard

    @property
    def most_bytes(self) -> int:
        """How many bytes a client's message of the present stage can have: more need not be read."""
        kinds = (Advertisement, Sharing, Contribution, Confirmation, Reveal)
        return kinds[self._state.stage].most_bytes(self._state.terms)

    def close(self) -> None:
        """End the present stage, without those who are not heard. Raises TooFewClients, MaskingOrderError."""
        stage = self._state.stage
        if stage is MaskingServerStage.REVEALING:
            raise MaskingOrderError("this is the last stage")
        refuse_few(len(self.heard), self._state.terms, f"were heard in the stage {stage.name.lower()}")
        self._state.stage = MaskingServerStage(stage + 1)

    def advertise(self, message: bytes) -> int:
        """Take an Advertisement; return whose it is. Raises MaskingFormatError, MaskingRefused, MaskingOrderError."""
        state = self._state
        state.expect(MaskingServerStage.SETUP)
        entry = Advertisement.decode(message, state.terms)
        verify_advertisement(state.terms, self._roster, entry)
        refuse_same_keys((*(known for known in state.listed if known.index != entry.index), entry))
        known = state.advertised.setdefault(entry.index, entry)
        if replace(known, signature=b"") != replace(entry, signature=b""):
            raise MaskingOrderError(f"client {entry.index} advertised other keys before")
        return entry.index

    def participants(self) -> bytes:
        """Return the Participants, for everybody who is among them. Raises MaskingOrderError."""
        self._state.expect_after(MaskingServerStage.SETUP)
        return Participants(self._state.listed).encode(self._state.terms)

    def share(self, message: bytes) -> int:
        """Take a Sharing; return whose it is. Raises MaskingFormatError, MaskingRefused, MaskingOrderError."""
        state = self._state
        state.expect(MaskingServerStage.SHARING)
        entry = Sharing.decode(message, state.terms)
        state.expect_among(entry.sender, state.advertised, "advertised no keys")
        if [box.recipient for box in entry.boxes] != sorted(state.advertised.keys() - {entry.sender}):
            raise MaskingRefused(f"client {entry.sender} sent boxes for others than those who take part")
        known = state.sharings.get(entry.sender)
        if known is not None and known != entry:
            raise MaskingOrderError(f"client {entry.sender} sent other boxes before")
        if known is None:
            for box in entry.boxes:
                self._circle_of_all().verify(box)
            state.sharings[entry.sender] = entry
        return entry.sender

    def delivery(self, index: int) -> bytes:
        """Return the Delivery for a member. Raises MaskingOrderError."""
        state = self._state
        state.expect_after(MaskingServerStage.SHARING)
        state.expect_among(index, state.sharings, "sent no boxes")
        boxes = (state.sharings[sender].box_for(index) for sender in state.members if sender != index)
        return Delivery(index, tuple(boxes)).encode(state.terms)

    def collect(self, message: bytes) -> int:
        """Add a Contribution; return whose it is. Raises MaskingFormatError, MaskingOrderError, LibraryMissing.

        One that comes again is refused, for nobody keeps it to compare with: `heard` tells who contributed.
        """
        state = self._state
        if state.total is None:
            require_numpy()
        import numpy

        state.expect(MaskingServerStage.COLLECTING)
        entry = Contribution.decode(message, state.terms)
        state.expect_among(entry.index, state.sharings, "sent no boxes")
        if entry.index in state.contributed:
            raise MaskingOrderError(f"client {entry.index} has contributed already")
        if state.total is None:
            state.total = numpy.zeros(state.terms.words, WORD)
        numpy.add(state.total, numpy.frombuffer(entry.masked, WORD), out=state.total)
        state.contributed.add(entry.index)
        return entry.index

    def survivors(self) -> bytes:
        """Return the Survivors, for everybody who is among them. Raises MaskingOrderError."""
        self._state.expect_after(MaskingServerStage.COLLECTING)
        return Survivors(self._state.survivors).encode(self._state.terms)

    def confirm(self, message: bytes) -> int:
        """Take a Confirmation; return whose it is. Raises MaskingFormatError, MaskingRefused, MaskingOrderError."""
        state = self._state
        state.expect(MaskingServerStage.CONFIRMING)
        entry = Confirmation.decode(message, state.terms)
        state.expect_among(entry.index, state.contributed, "has not contributed")
        statement = confirmation_statement(state.terms, self._circle_of_all().digest, state.members, state.survivors)
        self._roster.verify(entry.index, entry.signature, statement, "these members and survivors")
        state.confirmations.setdefault(entry.index, entry)
        return entry.index

    def confirmations(self) -> bytes:
        """Return the Confirmations, for all survivors. Raises MaskingOrderError."""
        self._state.expect_after(MaskingServerStage.CONFIRMING)
        listed = sorted(self._state.confirmations.items())
        return Confirmations(tuple(entry for _, entry in listed)).encode(self._state.terms)

    def reveal(self, message: bytes) -> int:
        """Take a Reveal; return whose it is. Raises MaskingFormatError, MaskingRefused, MaskingOrderError."""
        state = self._state
        state.expect(MaskingServerStage.REVEALING)
        entry = Reveal.decode(message, state.terms)
        state.expect_among(entry.index, state.contributed, "has not contributed")
        subjects = tuple(index for index, _ in entry.masks), tuple(index for index, _ in entry.roots)
        if subjects != (state.survivors, state.dropped):
            raise MaskingRefused(f"client {entry.index} revealed other shares than are asked for")
        if state.reveals.setdefault(entry.index, entry) != entry:
            raise MaskingOrderError(f"client {entry.index} revealed other shares before")
        return entry.index

    def result(self) -> MaskedSum:
        """Return the sum, once as many as the threshold revealed.

        Raises MaskingOrderError, TooFewClients, MaskingRefused (false shares), MaskingError (a sum that cannot be).
        """
        state = self._state
        state.expect(MaskingServerStage.REVEALING)
        refuse_few(len(state.reveals), state.terms, "revealed their shares")
        reveals = tuple(entry for _, entry in sorted(state.reveals.items()))
        unmasking = Unmasking(self._circle_of_all(), state.advertised, state.sharings, state.survivors, reveals)
        return unmasking.unmask(state.sum)

    def _circle_of_all(self) -> Circle:
        # The signatures were verified when the advertisements came; what is kept here is only put together.
        if self._circle is None:
            digest = participants_digest(self._state.terms, self._roster, self._state.listed)
            self._circle = Circle(self._state.terms, self._roster, digest)
        return self._circle

    def __reduce__(self) -> NoReturn:
        """Refuse: `to_bytes` has the one form of a state."""
        raise TypeError("a MaskingServer is not pickled or copied; to_bytes is what to keep")
