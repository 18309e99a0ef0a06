"""A compute party's part of a study over HTTP: fetch the boxes, compute with the other parties, post the result.

Sans-IO in httpx's sense: `PartyClient` takes a function that sends signed requests, so that the CLI, a program and a
test can each bring their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from crypto import MpcAborted, MpcError, MpcFormatError
from crypto.mpc.abort import AbortReason
from crypto.mpc.boxes import box_bytes, box_digest, open_box
from crypto.mpc.identity import PartyIdentity
from crypto.mpc.job import Deadlines, Job
from crypto.mpc.parameters import MpcParameters
from crypto.mpc.party import MpcResult, run_party
from crypto.mpc.ring import LIBRARY
from crypto.mpc.terms import MpcTerms
from crypto.mpc.transcript import Entry, Session
from crypto.mpc.vectors import pack
from crypto.privacy.terms import PrivacyTerms
from secure_api.client.errors import ServerUnusable

#: Sends method, path and JSON body, and gives the body of an answer that is a success. Raises ServerUnusable with the
#: status of a conflict (409), which is no failure here: not yet, or another attempt by now.
Send = Callable[[str, str, Mapping[str, object] | None], bytes]


class Standing(StrEnum):
    """What became of an attempt that came to a result here."""

    RELEASED = "released"
    ABORTED = "aborted"
    WAITING = "waiting"  # for the other parties' results
    AGAIN = "again"  # it failed for another party: there is another attempt


READY_STATES: Final = frozenset({"computing"})
OVER_STATES: Final = frozenset({"released", "aborted"})


@dataclass(frozen=True, slots=True)
class StudyTerms:
    """What a study's public description says of its computation."""

    state: str
    parameters: MpcParameters
    terms: MpcTerms

    @classmethod
    def parse(cls, study: Mapping[str, Any]) -> StudyTerms:
        """Read the answer to `GET /v1/studies/{id}`. Raises ServerUnusable, MpcTermsError."""
        try:
            if study["method"] != "mpc":
                raise ServerUnusable(f"the study {study['id']} is of the method {study['method']}, not mpc")
            parameters = MpcParameters.parse(study["parameters"])
            bounds = study["bounds"]
            terms = parameters.terms(
                study["id"],
                study["statistic"],
                study["dimension"],
                float(bounds["low"]),
                float(bounds["high"]),
                study["minimum_contributors"],
                PrivacyTerms.parse(study.get("privacy"), int(study["minimum_contributors"])),
            )
            return cls(study["state"], parameters, terms)
        except (KeyError, TypeError) as error:
            raise ServerUnusable(f"the server's description of the study makes no sense: {error}") from None


def mpc_terms(study: Mapping[str, Any]) -> MpcTerms:
    """Return the terms that contributions are encoded by. Raises ServerUnusable, MpcTermsError."""
    return StudyTerms.parse(study).terms


@dataclass(frozen=True, slots=True)
class PartyClient:
    """One compute party of one study."""

    study: str
    identity: PartyIdentity
    send: Send
    deadlines: Deadlines
    listen: tuple[str, int] | None = None  # where to listen, if not at the study's address

    def look(self) -> StudyTerms:
        """Return the study as it stands now. Raises ServerUnusable, MpcError, and what `send` raises."""
        found = self._get("")
        if found.get("id") != self.study:
            raise ServerUnusable(f"the server describes another study than {self.study:.64}")
        return StudyTerms.parse(found)

    def fetch(self, study: StudyTerms) -> Job:
        """Return the job of the present attempt, with all of this party's boxes opened.

        Raises MpcError: the study pins another certificate or sealing key than this party has, or a box is not what
        the session says (this is posted as an abort, which names the contributor). Raises ServerUnusable, and what
        `send` raises.
        """
        session, index = self._session(study)
        party = study.parameters.parties[index]
        own = self.identity
        if party.certificate != own.certificate or party.sealing_key.raw != own.sealing_key.public_key:
            raise MpcError(f"the study has another certificate or sealing key for party {index} than {own.folder}")
        try:
            shares = b"".join(self._shares(session, index))
        except MpcFormatError as error:
            self._post_abort(session.attempt, AbortReason.MALFORMED, None, str(error))
            raise
        addresses = tuple((item.host, item.port) for item in study.parameters.parties)
        files = own.key_file, own.certificate_file
        listen = self.listen or addresses[index]
        return Job(session, index, addresses, listen, None, *files, self.deadlines, shares)

    async def run(self, job: Job) -> MpcResult:
        """Compute with the others and post what came out, or why nothing did. Raises MpcAborted, MpcError."""
        try:
            result = await run_party(job)
        except MpcAborted as abort:
            self._post_abort(job.session.attempt, abort.reason, abort.party, abort.detail)
            raise
        except MpcError as error:
            self._post_abort(job.session.attempt, AbortReason.FAILED, job.index, str(error))
            raise
        answer = {
            "attempt": job.session.attempt,
            "transcript": result.transcript.hex(),
            "contributors": result.contributors,
            "values": result.values.tolist(),
        }
        try:
            self.send("PUT", self._path("/party-result"), answer)
        except ServerUnusable as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
            raise MpcAborted(AbortReason.FAILED, None, None, "another party has ended the attempt") from error
        return result

    def standing(self, job: Job) -> Standing:
        """Tell what became of an attempt whose result this party has posted. Raises what `send` raises."""
        state = self.look().state
        if state in OVER_STATES:
            return Standing(state)
        try:
            attempt = self._get("/party").get("attempt")
        except ServerUnusable as error:
            if error.status != HTTPStatus.CONFLICT:  # it was released a moment ago
                raise
            return Standing.WAITING
        return Standing.WAITING if attempt == job.session.attempt else Standing.AGAIN

    def _session(self, study: StudyTerms) -> tuple[Session, int]:
        answer = self._get("/party")
        try:
            entries = tuple(
                Entry(item["contributor"], tuple(map(bytes.fromhex, item["boxes"]))) for item in answer["contributors"]
            )
            index, attempt = answer["index"], answer["attempt"]
            if not 0 <= index < len(study.parameters.parties):
                raise ServerUnusable(f"the server says that this is party {index}")
            return Session(study.terms, attempt, study.parameters.certificates, entries, LIBRARY), index
        except (KeyError, TypeError, ValueError) as error:
            raise ServerUnusable(f"the server's description of the session makes no sense: {error}") from None

    def _shares(self, session: Session, index: int) -> list[bytes]:
        terms = session.terms
        size = box_bytes(terms)
        shares: list[bytes] = []
        while len(shares) < len(session.entries):
            path = self._path(f"/shares?attempt={session.attempt}&start={len(shares)}")
            boxes = self.send("GET", path, None)
            left = len(session.entries) - len(shares)
            if not boxes or len(boxes) % size or len(boxes) // size > left:
                raise ServerUnusable(f"{len(boxes)} bytes are not boxes of {size} bytes")
            for at in range(0, len(boxes), size):
                entry = session.entries[len(shares)]
                box = boxes[at : at + size]
                if box_digest(box) != entry.boxes[index]:
                    raise MpcFormatError(f"the box of {entry.contributor:.64} is not the one that the session names")
                vector = open_box(terms, box, entry.contributor, index, self.identity.sealing_key)
                shares.append(pack(terms.field, vector))
        return shares

    def _post_abort(self, attempt: int, reason: str, party: int | None, detail: str) -> None:
        told = {"attempt": attempt, "reason": reason, "party": party, "detail": detail}
        try:
            self.send("POST", self._path("/party-abort"), told)
        except ServerUnusable as error:
            if error.status != HTTPStatus.CONFLICT:  # the study is over, and the abort comes too late to matter
                raise

    def _get(self, path: str) -> dict[str, Any]:
        try:
            answer = json.loads(self.send("GET", self._path(path), None))
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise ServerUnusable("the server's answer is not a JSON object")
        return answer

    def _path(self, path: str) -> str:
        return f"/v1/studies/{quote(self.study, safe='')}{path}"
