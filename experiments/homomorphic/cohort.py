"""Contributors with one analyst's key: rows of numbers, and the ways in which they are encrypted, added and opened."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol

import numpy

from crypto import LibraryMissing
from crypto.homomorphic import (
    HOMOMORPHIC_PARAMETERS,
    Accumulator,
    AnalystKey,
    Encryptor,
    HomomorphicTerms,
    Scheme,
    check_residues,
)
from crypto.homomorphic.contexts import make_context, read_context
from crypto.libraries import library, require
from experiments.errors import Unavailable
from experiments.homomorphic.row import HIGH, LOW, Row

#: Contributions that differ; larger cohorts send them in turn.
DISTINCT: Final = 32
CONTRIBUTORS: Final = 1_024


class Way(Protocol):
    """One way to add up rows that the server cannot read, or can. `bound` is how wrong the sum of `count` may be."""

    def encrypt(self, row: Row) -> Any:
        """Make a contribution: bytes, or a list of the bytes of each ciphertext."""

    def begin(self) -> Any:
        """Begin a sum."""

    def add(self, total: Any, content: Any) -> None:
        """Add a contribution, as it comes from the network."""

    def finish(self, total: Any) -> Any:
        """Give the sum as it is stored or sent on."""

    def open(self, content: Any, count: int) -> Row:
        """Decrypt the sum of so many contributions."""

    def bound(self, count: int) -> float:
        """How wrong each value of that sum may be."""


class Ours:
    """The product: residues, checked and added by numpy; the analyst's key in a file, which counts decryptions."""

    def __init__(self, terms: HomomorphicTerms, *, accepting: bool = False) -> None:
        self._terms, self._accepting = terms, accepting
        self.key = AnalystKey.create(terms.parameters, decryptions=16)
        self._encryptor = Encryptor(self.key.public_context, self.key.fingerprint)
        self._bound = 0.0

    def encrypt(self, row: Row) -> bytes:
        """Encode, encrypt, take apart."""
        return self._encryptor.encrypt(self._terms, row)

    def begin(self) -> Accumulator:
        """Begin with zeros."""
        return Accumulator(self._encryptor.facts, self._terms.count)

    def add(self, total: Accumulator, content: bytes) -> None:
        """Check and add; checked once more where a request's part is measured, too."""
        if self._accepting:
            check_residues(self._encryptor.facts, content, self._terms.count)
        total.add(content)

    def finish(self, total: Accumulator) -> bytes:
        """Reduce and write."""
        return total.to_bytes()

    def open(self, content: bytes, count: int) -> Row:
        """Decrypt with a new copy of the key's file, as `secure-api study decrypt` does it without a passphrase."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "key"
            self.key.save(path, None)
            facts = self._encryptor.facts
            found = AnalystKey.decrypt_with(path, None, self._terms, facts, content, count)
        self._bound = found.bound
        values: Row = found.values
        return values

    def bound(self, count: int) -> float:
        """The one that the product told when it decrypted."""
        return self._bound


class Shipped:
    """TenSEAL as it is shipped: its vectors, serialized, parsed and added by SEAL; the canary's slot is a value."""

    def __init__(self, terms: HomomorphicTerms) -> None:
        tenseal = library("encrypted sums", "tenseal")
        self._terms, scheme = terms, terms.parameters.scheme
        self._private = make_context(terms.parameters)
        self._public = read_context(self._private.serialize(save_galois_keys=False, save_relin_keys=False))
        ckks = scheme is Scheme.CKKS
        self._make = tenseal.ckks_vector if ckks else tenseal.bfv_vector
        self._read = tenseal.ckks_vector_from if ckks else tenseal.bfv_vector_from

    def encrypt(self, row: Row) -> list[bytes]:
        """Encrypt the same slots as the product, and serialize."""
        return [self._make(self._public, slots).serialize() for slots in self._terms.encode(row)]

    def begin(self) -> list[Any]:
        """Begin with nothing."""
        return []

    def add(self, total: list[Any], content: list[bytes]) -> None:
        """Parse and add."""
        vectors = [self._read(self._public, one) for one in content]
        if total:
            for index, vector in enumerate(vectors):
                total[index] += vector
        else:
            total += vectors

    def finish(self, total: list[Any]) -> list[bytes]:
        """Serialize."""
        return [vector.serialize() for vector in total]

    def open(self, content: list[bytes], count: int) -> Row:
        """Parse and decrypt; no noise is added."""
        slots = numpy.array([self._read(self._private, one).decrypt() for one in content])
        plain = self._terms.parameters.plain_modulus
        if plain:
            slots = (slots + plain // 2) % plain - plain // 2
        values: Row = self._terms.result(self._terms.moments(slots), count, 0.0)[0]
        return values

    def bound(self, count: int) -> float:
        """What rounding to BFV's grid costs at most, or seven standard deviations of CKKS' own error, and as much."""
        return (HIGH - LOW) / 2 * count * max(self._terms.step, 1e-9)


class Plain:
    """Not encrypted: float64."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension

    def encrypt(self, row: Row) -> bytes:
        """Write the numbers."""
        return row.tobytes()

    def begin(self) -> Row:
        """Begin with zeros."""
        return numpy.zeros(self._dimension)

    def add(self, total: Row, content: bytes) -> None:
        """Add in place."""
        numpy.add(total, numpy.frombuffer(content), out=total)

    def finish(self, total: Row) -> bytes:
        """Write the sum."""
        return total.tobytes()

    def open(self, content: bytes, count: int) -> Row:
        """Read it."""
        return numpy.frombuffer(content)

    def bound(self, count: int) -> float:
        """What the order of additions makes of rounding."""
        return 1e-9 * count


@cache
def rows(dimension: int) -> Row:
    """Give what the contributors have."""
    return numpy.random.default_rng(dimension).uniform(LOW, HIGH, (DISTINCT, dimension))


@cache
def way(name: str, parameters: str, dimension: int) -> tuple[Way, tuple[Any, ...]]:
    """Give a way by name, with what it encrypts of each row; made once in this process. Raises Unavailable."""
    try:
        require("encrypted sums", "numpy", "tenseal", "zstandard")
    except LibraryMissing as error:
        raise Unavailable(str(error)) from None
    terms = HomomorphicTerms(HOMOMORPHIC_PARAMETERS[parameters], "sum", dimension, LOW, HIGH, CONTRIBUTORS)
    made: Way
    if name == "TenSEAL":
        made = Shipped(terms)
    elif name == "plaintext":
        made = Plain(dimension)
    elif name == "seal-python":
        from experiments.homomorphic.seal_python import SealPython

        made = SealPython(terms)
    else:
        made = Ours(terms, accepting=name == "ours, accepting too")
    return made, tuple(made.encrypt(row) for row in rows(dimension))
