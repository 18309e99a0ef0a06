"""Public keys under which anybody can sign: a server that enrolled one could never say who sent a request.

Their owner could as well publish a seed, which nobody can notice; these two kinds can be noticed, and an array of zeros
stored by mistake is of both. And X25519 keys to which nothing can be encrypted.
"""

from typing import Final

from crypto.errors import KeyFormatError
from crypto.signatures import SignatureAlgorithm

_P: Final = 2**255 - 19
_SIGN: Final = 1 << 255
_ORDER_8_Y: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
# y-coordinates of the eight points of order 1, 2, 4 and 8 on edwards25519, with those that are written above p.
_SMALL_ORDER_Y: Final = frozenset(
    {
        0,
        1,
        _P - 1,
        _P,
        _P + 1,
        _ORDER_8_Y,
        _P - _ORDER_8_Y,
    }
)
# u-coordinates of small order on Curve25519 and its twist, with those that are written above p (RFC 7748 §6.1).
_SMALL_ORDER_U: Final = frozenset(
    {
        0,
        1,
        0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
        0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
        _P - 1,
        _P,
        _P + 1,
    }
)
_RHO_BYTES: Final = 32


def refuse_weak_key(algorithm: SignatureAlgorithm, raw: bytes) -> None:
    """Raise KeyFormatError for a raw public key that verifies signatures which anybody can make.

    Ed25519: a point of small order, for which s = 0 and R = A verify one message in eight or all. ML-DSA: t1 = 0, for
    which the response z = 0 verifies every message (the challenge then depends on public values only, FIPS 204
    algorithm 8).
    """
    if algorithm is SignatureAlgorithm.ED25519:
        if int.from_bytes(raw, "little") & ~_SIGN in _SMALL_ORDER_Y:
            raise KeyFormatError("the Ed25519 public key is a point of small order: anybody could sign for it")
    elif not any(raw[_RHO_BYTES:]):
        raise KeyFormatError(f"the public key of {algorithm} is empty (t1 = 0): anybody could sign for it")


def refuse_small_order(x25519: bytes) -> None:
    """Raise KeyFormatError for an X25519 public key whose shared secrets are all zeros (RFC 9180 §7.1.4)."""
    if int.from_bytes(x25519, "little") & ~_SIGN in _SMALL_ORDER_U:
        raise KeyFormatError("the X25519 part of the public key is a point of small order")
