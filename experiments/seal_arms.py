"""The arms of a way to seal: sealing and opening a body of one size."""

from collections.abc import Callable
from functools import partial
from typing import Final

from experiments.errors import CheckFailed
from experiments.experiment import Arm
from experiments.refusing import Inputs, RefusingOperation
from experiments.seals import Seal, context
from experiments.subject import Operation, Setting

SEALED: Final = 4  # bodies that are opened in turn


def seal_arms(name: str, make: Callable[[], Seal], size: int) -> list[Arm]:
    """Build the arms of a way to seal, for a body of `size` bytes: `NAME seal SIZE` and `NAME open SIZE`."""
    return [
        Arm(
            f"{name} {operation} {size}",
            partial(prepare, make, size),
            {"method": name, "operation": operation, "bytes": size},
        )
        for operation, prepare in (("seal", sealing), ("open", opening))
    ]


def sealing(make: Callable[[], Seal], size: int, setting: Setting) -> Operation:
    """Prepare sealing one body again and again, each time with fresh randomness."""
    way, body, bound = make(), setting.random.randbytes(size), context()
    sealed = way.seal(body, bound)

    def check(result: object) -> None:
        if result is None or way.open(result, bound) != body:
            raise CheckFailed("what was sealed does not open to the same bytes")
        if way.wire(result) == way.wire(way.seal(body, bound)):
            raise CheckFailed("a body is sealed to the same bytes twice")
        if size >= 16 and body in way.wire(result):
            raise CheckFailed("the body can be read")
        _check_refusals(way, result, bound)

    return Operation(lambda: way.seal(body, bound), check, _sizes(way, sealed, size))


def opening(make: Callable[[], Seal], size: int, setting: Setting) -> Operation:
    """Prepare opening a few sealed bodies in turn."""
    way, body, bound = make(), setting.random.randbytes(size), context()
    inputs = Inputs([(way.seal(body, bound), bound) for _ in range(SEALED)])
    sealed = way.seal(body, bound)

    def check(result: object) -> None:
        if result != body:
            raise CheckFailed("what was sealed does not open to the same bytes")

    return RefusingOperation(
        lambda: way.open(*next(inputs.following)),
        check,
        _sizes(way, sealed, size),
        inputs=inputs,
        refusal=way.refusal,
        forged=_forgeries(way, sealed, bound),
    )


def _forgeries(way: Seal, sealed: object, bound: bytes) -> dict[str, tuple[object, bytes]]:
    wire = way.wire(sealed)
    first, last = bytes([wire[0] ^ 1]) + wire[1:], wire[:-1] + bytes([wire[-1] ^ 1])
    return {
        "a sealed body of another context": (sealed, bound + b"x"),
        "a sealed body whose first byte is changed": (way.from_wire(first), bound),
        "a sealed body whose last byte is changed": (way.from_wire(last), bound),
        "a sealed body that is cut short": (way.from_wire(wire[:-1]), bound),
    }


def _check_refusals(way: Seal, sealed: object, bound: bytes) -> None:
    for what, (forged, said) in _forgeries(way, sealed, bound).items():
        try:
            way.open(forged, said)
        except way.refusal:
            continue
        raise CheckFailed(f"{what} is accepted")


def _sizes(way: Seal, sealed: object, size: int) -> dict[str, float]:
    """Sizes in bytes: what is sealed is longer by the overhead, and a request by its reply key more."""
    overhead = len(way.wire(sealed)) - size
    return {"overhead_bytes": overhead, "request_overhead_bytes": overhead + way.reply_key_bytes}
