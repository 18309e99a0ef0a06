"""The other parties of a session: agreement before and after, watching over all of them, and the one abort."""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING, Final

from crypto.errors import MpcAborted, MpcFormatError
from crypto.mpc.abort import AbortReason
from crypto.mpc.codec import VectorCodec
from crypto.mpc.connecting import Connecting
from crypto.mpc.frames import Frame, FrameKind, abort_payload, parse_abort
from crypto.mpc.link import Link

if TYPE_CHECKING:
    from asyncio import Future

    from crypto.mpc.job import Job

TICKS: Final = 4  # looks, and signs of life, in a round's deadline
FAREWELL_SECONDS: Final = 2.0
_CONTROL: Final = (FrameKind.HELLO, FrameKind.KEYS, FrameKind.READY, FrameKind.FINAL)


class Peers:
    """The links of one session. `failed` is an exception, MpcAborted, as soon as the session cannot go on."""

    def __init__(self, job: Job) -> None:
        self.links: dict[int, Link] = {}
        self.failed: Future[None] = asyncio.get_running_loop().create_future()
        self.failed.add_done_callback(lambda failed: failed.exception())  # seen, whoever asks later
        self._job = job
        self._transcript = job.session.transcript
        self._others = [index for index in range(job.session.terms.parties) if index != job.index]
        self._control: dict[tuple[int, FrameKind], Future[bytes]] = {}
        self._codec = VectorCodec(job.session.terms.field)
        self._finished: set[int] = set()
        self._max_vector = _max_vector(job)
        self._told = False

    async def connect(self) -> None:
        """Make all links, and agree on the transcript over each. Raises MpcAborted."""
        self._connecting = Connecting(self._job, self._link)  # kept: asyncio aborts a stream that nobody keeps
        self.links = self._connecting.links
        await self._connecting.all()
        for link in self.links.values():
            link.write(FrameKind.HELLO, self._job.session.transcript)
        for index, transcript in (await self._all(FrameKind.HELLO)).items():
            if not hmac.compare_digest(transcript, self._transcript):
                detail = "its transcript of study, program, order and inputs is another one"
                raise MpcAborted(AbortReason.DISAGREEMENT, index, None, detail)

    def send_keys(self, index: int, keys: bytes) -> None:
        """Give a party of a higher index its keys of pseudo-random secret sharing."""
        self.links[index].write(FrameKind.KEYS, keys)

    async def keys_from(self, index: int, length: int) -> bytes:
        """Return the keys of a party of a lower index. Raises MpcAborted: not as many bytes."""
        keys = await self._awaited(index, FrameKind.KEYS)
        if len(keys) != length:
            raise MpcAborted(AbortReason.MALFORMED, index, None, f"{len(keys)} bytes of keys are not {length}")
        return keys

    async def ready(self) -> None:
        """Return when all have agreed with all."""
        for link in self.links.values():
            link.write(FrameKind.READY)
        await self._all(FrameKind.READY)

    async def conclude(self, transcript: bytes) -> None:
        """Return when all came to the same final transcript. Raises MpcAborted."""
        for link in self.links.values():
            link.write(FrameKind.FINAL, transcript)
        for index, theirs in (await self._all(FrameKind.FINAL)).items():
            if not hmac.compare_digest(theirs, transcript):
                detail = "shares or messages were false: the parties' results are not the same"
                raise MpcAborted(AbortReason.RESULT_DIFFERS, index, None, detail)

    async def watch(self) -> None:
        """Give signs of life, and fail when a party gives none for a round's deadline."""
        loop = asyncio.get_running_loop()
        limit = self._job.deadlines.round
        before = loop.time()
        while True:
            await asyncio.sleep(limit / TICKS)
            now = loop.time()
            for link in tuple(self.links.values()):
                link.write(FrameKind.ALIVE)
            # After a long computation of one's own, what others said meanwhile is read first.
            if now - before < limit / 2:
                for index, link in self.links.items():
                    if now - link.heard > limit and index not in self._finished:
                        self.fail(MpcAborted(AbortReason.SILENT, index, None, f"no sign of life for {limit:g} s"))
            before = now

    def fail(self, abort: MpcAborted) -> None:
        """End the session; only the first reason counts."""
        if not self.failed.done():
            self.failed.set_exception(abort)

    async def farewell(self, abort: MpcAborted | None) -> None:
        """Tell the others why it is over, if it failed here, and close."""
        if abort is not None and abort.told_by is None:
            for link in self.links.values():
                link.write(FrameKind.ABORT, abort_payload(AbortReason(abort.reason), abort.party))
        self._told = True
        for link in self.links.values():
            link.close()
        if self.links:
            await asyncio.wait({link.lost for link in self.links.values()}, timeout=FAREWELL_SECONDS)
        for link in self.links.values():
            link.cut()

    def _link(self, index: int) -> Link:
        return Link(index, self._codec, self._max_vector, self._take, self._lost)

    def _take(self, link: Link, frame: Frame) -> None:
        if frame.kind is FrameKind.ABORT:
            reason, party = parse_abort(frame.payload, self._job.session.terms.parties)
            self.fail(MpcAborted(reason, party, link.index))
        elif frame.kind in _CONTROL:
            future = self._promise(link.index, frame.kind)
            if future.done():
                raise MpcFormatError(f"a second {frame.kind.name}")
            future.set_result(frame.payload)
            if frame.kind is FrameKind.FINAL:
                self._finished.add(link.index)

    def _lost(self, link: Link, why: Exception | None) -> None:
        if isinstance(why, MpcFormatError):
            self.fail(MpcAborted(AbortReason.MALFORMED, link.index, None, str(why)))
        elif link.index not in self._finished and not self._told:
            detail = "the connection broke" if why is None else f"the connection broke: {why}"
            self.fail(MpcAborted(AbortReason.PARTY_LOST, link.index, None, detail))

    def _promise(self, index: int, kind: FrameKind) -> Future[bytes]:
        return self._control.setdefault((index, kind), asyncio.get_running_loop().create_future())

    async def _awaited(self, index: int, kind: FrameKind) -> bytes:
        return await self._promise(index, kind)

    async def _all(self, kind: FrameKind) -> dict[int, bytes]:
        return {index: await self._promise(index, kind) for index in self._others}


def _max_vector(job: Job) -> int:
    """Give the most bytes that a vector of the session has: where numbers are compared, random bits of all of them."""
    terms = job.session.terms
    bits = terms.program.compared_bits(terms) + 2
    return terms.field.width * terms.length * (1 if terms.program.adds else len(job.session.entries) * bits)
