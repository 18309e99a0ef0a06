"""MPyC as the party's process uses it: no start, no shutdown, no pickle, no stopping of the event loop.

This knows MPyC's insides, so it takes one version of it. MPyC's runtime sends and receives through `Party.protocol`,
for which our links stand in; connections, agreement and deadlines are made before and around it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NoReturn

from crypto.errors import LibraryMissing, MpcAborted, MpcFormatError
from crypto.libraries import require
from crypto.mpc.abort import AbortReason
from crypto.mpc.codec import VectorCodec
from crypto.mpc.terms import SECURITY_BITS, MpcTerms

if TYPE_CHECKING:
    from crypto.mpc.peers import Peers
    from crypto.mpc.vectors import Vector

VERSION: Final = "0.11"
LIBRARY: Final = f"mpyc {VERSION}"
# MPyC's SecInt(l) takes a prime of more than l + k + 1 bits; where nothing is compared, any l will do.
_ANY_BITS: Final = 1


class MpycRing:
    """The arrays of one session, computed by MPyC. One in a process: MPyC has one runtime."""

    def __init__(self, terms: MpcTerms, index: int, fail: Callable[[MpcAborted], None]) -> None:
        require("multi-party studies", "numpy", "mpyc")
        refuse_pickles()
        sys.argv = ["mpyc", "-M", str(terms.parties), "-I", str(index), "-T", str(terms.threshold)]
        sys.argv += ["-K", str(SECURITY_BITS), "--no-log", "--no-uvloop"]
        import mpyc  # type: ignore[import-untyped]  # MPyC has no types
        import mpyc.runtime as runtime  # type: ignore[import-untyped]

        if mpyc.__version__ != VERSION:
            raise LibraryMissing(f"compute parties know MPyC {VERSION}, and this is {mpyc.__version__}")
        runtime.pickle = VectorCodec(terms.field)
        runtime.asyncoro._reconcile = _reconciler(runtime.asyncoro, fail)
        runtime.thresha.np_recombine = _recombiner(runtime.thresha.np_recombine)
        self._runtime: Any = runtime.mpc
        for name in ("start", "shutdown", "transfer", "input", "run"):
            setattr(self._runtime, name, _refuse)
        self._index = index
        bits = terms.program.compared_bits(terms) or _ANY_BITS
        self._type = self._runtime.SecInt(bits, terms.field.prime)

    async def join(self, peers: Peers) -> None:
        """Take the session's links, and exchange the keys of pseudo-random secret sharing. Raises MpcAborted."""
        for index, link in peers.links.items():
            self._runtime.parties[index].protocol = link
            if index > self._index:
                peers.send_keys(index, b"".join(self._runtime._prss_keys_to_peer(index)))
        for index in range(self._index):
            keys = await peers.keys_from(index, self._runtime._prss_keys_from_peer(index))
            self._runtime._prss_keys_from_peer(index, keys)

    def array(self, shares: Vector) -> Any:
        """Return a shared array of this party's shares."""
        return self._type.array(self._type.field.array(shares.astype(object), check=False))

    async def open(self, array: Any) -> Vector:
        """Tell all parties what a shared array holds, as elements of the field."""
        opened: Vector = (await self._runtime.output(array, raw=True)).value
        return opened


def refuse_pickles() -> None:
    """Have every unpickling that looks up a name fail in this process, for good: pickles without names run no code."""

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "pickle.find_class":
            raise MpcFormatError("nothing is unpickled in the process of a compute party")

    sys.addaudithook(hook)


def _reconciler(asyncoro: Any, fail: Callable[[MpcAborted], None]) -> Callable[[Any, Any], None]:
    """Return what runs when an MPyC coroutine ends: as MPyC's own, but a failure fails the session, not the loop."""
    # In a class, the two underscores would become another name.
    settle = asyncoro.__dict__["__reconcile"]

    def reconcile(declared: Any, task: Any) -> None:
        asyncoro.runtime._pc_level -= 1
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            if declared is not None:
                settle(declared, task.result())
        elif isinstance(error, MpcFormatError):
            fail(MpcAborted(AbortReason.MALFORMED, None, None, str(error)))
        else:
            fail(MpcAborted(AbortReason.FAILED, None, None, f"{type(error).__name__}: {error}"))

    return reconcile


def _recombiner(recombine: Callable[..., Any]) -> Callable[..., Any]:
    """Return MPyC's recombination, for vectors of one length: numpy would stretch a shorter one."""

    def checked(field: Any, points: Any, x_rs: Any = 0) -> Any:
        points = list(points)
        if len({len(vector) for _, vector in points}) != 1:
            raise MpcFormatError("a party sent a vector of another length")
        return recombine(field, points, x_rs)

    return checked


def _refuse(*arguments: object, **named: object) -> NoReturn:
    raise MpcFormatError("MPyC's own input and transport are not used here")
