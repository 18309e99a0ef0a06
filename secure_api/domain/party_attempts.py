"""What compute parties have posted of a multi-party study: one attempt after the other, until all post one result.

Pure: the state goes in and out as JSON, and who stores it sees to it that one writer at a time changes it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final, Self

from secure_api.domain import strict_json
from secure_api.domain.errors import Conflict
from secure_api.domain.strict_json import JsonValue

MAX_ATTEMPTS: Final = 64
KEPT_ABORTS: Final = 16
RESULT_DIFFERS: Final = "result-differs"


@dataclass(frozen=True, slots=True)
class PartyResult:
    """What a party says came out: the final transcript (hexadecimal) and the statistic."""

    transcript: str
    contributors: int
    values: tuple[float, ...]

    @property
    def digest(self) -> str:
        """SHA-256 (hexadecimal) of all of it: equal for equal results."""
        return hashlib.sha256(strict_json.dumps(self.json())).hexdigest()

    def json(self) -> dict[str, JsonValue]:
        """Return it as JSON."""
        return {"transcript": self.transcript, "contributors": self.contributors, "values": list(self.values)}


@dataclass(frozen=True, slots=True)
class PartyAbort:
    """Why an attempt ended: told by party `index`, about `party` if any."""

    attempt: int
    index: int
    reason: str
    party: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class PartyAttempts:
    """The present attempt, who posted which result in it (digests by index), one of these, and the newest aborts."""

    parties: int
    attempt: int = 0
    posted: tuple[tuple[int, str], ...] = ()
    result: dict[str, JsonValue] | None = None
    aborts: tuple[PartyAbort, ...] = ()

    @property
    def agreed(self) -> bool:
        """Tell whether all parties have posted one result."""
        return len(self.posted) == self.parties and len({digest for _, digest in self.posted}) == 1

    @property
    def exhausted(self) -> bool:
        """Tell whether there were as many attempts as a study has."""
        return self.attempt >= MAX_ATTEMPTS

    @property
    def standing(self) -> str:
        """Say in a line where it stands; what the parties said in their own words is not in it."""
        said = f"attempt {self.attempt}: {len(self.posted)} of {self.parties} parties have posted a result"
        if not self.aborts:
            return said
        last = self.aborts[-1]
        about = "" if last.party is None else f", about party {last.party}"
        return f"{said}; attempt {last.attempt} ended with {last.reason}, told by party {last.index}{about}"

    def with_result(self, index: int, attempt: int, result: PartyResult) -> Self:
        """Take a party's result; one that is not the others' ends the attempt.

        Raises Conflict: it is of another attempt, or the party said something else before.
        """
        if attempt != self.attempt:
            raise Conflict(f"The parties are at attempt {self.attempt}, not {attempt}.")
        posted = dict(self.posted)
        digest = result.digest
        if index in posted:
            if posted[index] != digest:
                raise Conflict("This party has posted another result of this attempt.")
            return self
        if self.posted and digest not in posted.values():
            return self.with_abort(PartyAbort(attempt, index, RESULT_DIFFERS, None, "posted results differ"))
        posted[index] = digest
        return replace(self, posted=tuple(sorted(posted.items())), result=self.result or result.json())

    def with_abort(self, abort: PartyAbort) -> Self:
        """Take a party's abort: the next attempt begins. One of an attempt that is over changes nothing but the list.

        Raises Conflict: it is of an attempt that has not begun, or all have agreed.
        """
        if abort.attempt > self.attempt or self.agreed:
            raise Conflict(f"The parties are at attempt {self.attempt}, and it is not to be aborted.")
        if abort in self.aborts:
            return self
        aborts = (*self.aborts, abort)[-KEPT_ABORTS:]
        if abort.attempt < self.attempt:
            return replace(self, aborts=aborts)
        return replace(self, attempt=self.attempt + 1, posted=(), result=None, aborts=aborts)

    def to_bytes(self) -> bytes:
        """Return the state as JSON."""
        aborts: list[JsonValue] = [
            [abort.attempt, abort.index, abort.reason, abort.party, abort.detail] for abort in self.aborts
        ]
        posted: list[JsonValue] = [[index, digest] for index, digest in self.posted]
        return strict_json.dumps(
            {
                "parties": self.parties,
                "attempt": self.attempt,
                "posted": posted,
                "result": self.result,
                "aborts": aborts,
            }
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what `to_bytes` wrote."""
        state: dict[str, object] = strict_json.loads(content)  # type: ignore[assignment]  # our own words
        posted = tuple((index, digest) for index, digest in state["posted"])  # type: ignore[attr-defined]
        aborts = tuple(PartyAbort(*told) for told in state["aborts"])  # type: ignore[attr-defined]
        return cls(state["parties"], state["attempt"], posted, state["result"], aborts)  # type: ignore[arg-type]
