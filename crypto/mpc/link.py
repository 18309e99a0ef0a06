"""One connection to another party, authenticated: frames in and out, in the shape in which MPyC asks for messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from crypto.errors import MpcFormatError
from crypto.mpc.codec import VectorCodec
from crypto.mpc.frames import HEAD, Frame, FrameKind, FrameReader

if TYPE_CHECKING:
    from asyncio import Future

    from crypto.mpc.vectors import Vector

MAX_UNCLAIMED: Final = 2**28  # bytes of vectors that came before they were asked for


class Link(asyncio.Protocol):
    """Frames to and from the party `index`. `on_frame` gets all but vectors, `on_lost` the end of the connection."""

    def __init__(
        self,
        index: int,
        codec: VectorCodec,
        max_vector: int,
        on_frame: Callable[[Link, Frame], None],
        on_lost: Callable[[Link, Exception | None], None],
    ) -> None:
        self.index = index
        self.nbytes_sent = 0  # MPyC's name
        self.heard = asyncio.get_running_loop().time()
        self.lost: Future[None] = asyncio.get_running_loop().create_future()
        self._codec = codec
        self._reader = FrameReader(max_vector)
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._vectors: dict[int, tuple[Vector, int]] = {}
        self._awaited: dict[int, Future[Vector]] = {}
        self._unclaimed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the TLS connection, once its handshake is done."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Give each vector to whom it is for, and every other frame to the session."""
        self.heard = asyncio.get_running_loop().time()
        try:
            for frame in self._reader.feed(data):
                if frame.kind is FrameKind.VECTOR:
                    self._take(frame)
                else:
                    self._on_frame(self, frame)
        except MpcFormatError as error:
            self._on_lost(self, error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the session."""
        if not self.lost.done():
            self.lost.set_result(None)
        self._on_lost(self, exc)

    def write(self, kind: FrameKind, payload: bytes = b"", label: int = 0) -> None:
        """Send a frame, unless the connection is gone."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(HEAD.pack(kind, label, len(payload)) + payload)
            self.nbytes_sent += HEAD.size + len(payload)

    def send(self, label: int, payload: bytes) -> None:
        """Send a vector (MPyC calls this)."""
        self.write(FrameKind.VECTOR, payload, label)

    def receive(self, label: int) -> Vector | Future[Vector]:
        """Give the vector of a label, or a promise of it (MPyC calls this)."""
        if label in self._vectors:
            vector, size = self._vectors.pop(label)
            self._unclaimed -= size
            return vector
        self._awaited[label] = future = asyncio.get_running_loop().create_future()
        return future

    def close(self) -> None:
        """Close the connection, after what was written; again is fine.

        A TLS transport of asyncio that is closed twice forgets its protocol, and cannot be cut then in Python 3.11.2.
        """
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()

    def cut(self) -> None:
        """Drop the connection, whatever was written."""
        if self._transport is not None:
            self._transport.abort()

    def _take(self, frame: Frame) -> None:
        vector = self._codec.decode(frame.payload)
        awaited = self._awaited.pop(frame.label, None)
        if awaited is not None:
            if not awaited.done():
                awaited.set_result(vector)
            return
        self._unclaimed += len(frame.payload)
        if frame.label in self._vectors or self._unclaimed > MAX_UNCLAIMED:
            raise MpcFormatError("a vector twice, or more of them than anybody asked for")
        self._vectors[frame.label] = vector, len(frame.payload)
