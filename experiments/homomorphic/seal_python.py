"""The peer seal-python (PyPI, 4.4): Microsoft SEAL without TenSEAL's frame. Its callers manage scales themselves."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy

from crypto.homomorphic import HomomorphicTerms, Scheme
from experiments.errors import Unavailable
from experiments.homomorphic.row import HIGH, LOW, Row


class SealPython:
    """Ciphertexts of the product's parameters, written without compression, which is its fastest form."""

    def __init__(self, terms: HomomorphicTerms) -> None:
        try:
            seal: Any = import_module("seal")
        except ModuleNotFoundError:
            raise Unavailable("seal-python is not installed") from None
        self._seal = seal
        self._terms, chosen = terms, terms.parameters
        self._ckks = chosen.scheme is Scheme.CKKS
        self._scale = 2.0**chosen.scale_bits
        parameters = seal.EncryptionParameters(seal.scheme_type.ckks if self._ckks else seal.scheme_type.bfv)
        parameters.set_poly_modulus_degree(chosen.degree)
        parameters.set_coeff_modulus(seal.CoeffModulus.Create(chosen.degree, list(chosen.coefficient_bits)))
        if not self._ckks:
            parameters.set_plain_modulus(chosen.plain_modulus)
        self._context = seal.SEALContext(parameters)
        keys = seal.KeyGenerator(self._context)
        self._encryptor = seal.Encryptor(self._context, keys.create_public_key())
        self._decryptor = seal.Decryptor(self._context, keys.secret_key())
        self._encoder = seal.CKKSEncoder(self._context) if self._ckks else seal.BatchEncoder(self._context)
        self._evaluator = seal.Evaluator(self._context)

    def encrypt(self, row: Row) -> list[bytes]:
        """Encrypt the same slots as the product, and serialize."""
        return [self._write(self._encryptor.encrypt(self._encode(slots))) for slots in self._terms.encode(row)]

    def begin(self) -> list[Any]:
        """Begin with nothing."""
        return []

    def add(self, total: list[Any], content: list[bytes]) -> None:
        """Parse and add."""
        read = [self._read(one) for one in content]
        if total:
            for one, other in zip(total, read, strict=True):
                self._evaluator.add_inplace(one, other)
        else:
            total += read

    def finish(self, total: list[Any]) -> list[Any]:
        """Give the ciphertexts: it writes to files only, which others need not."""
        return total

    def open(self, content: list[Any], count: int) -> Row:
        """Decrypt; no noise is added."""
        slots = numpy.array([self._encoder.decode(self._decryptor.decrypt(one)) for one in content])
        plain = self._terms.parameters.plain_modulus
        if plain:
            slots = (slots + plain // 2) % plain - plain // 2
        values: Row = self._terms.result(self._terms.moments(slots), count, 0.0)[0]
        return values

    def bound(self, count: int) -> float:
        """As TenSEAL's."""
        return (HIGH - LOW) / 2 * count * max(self._terms.step, 1e-9)

    def _encode(self, slots: list[float] | list[int]) -> Any:
        if self._ckks:
            return self._encoder.encode(numpy.array(slots, dtype=numpy.float64), self._scale)
        return self._encoder.encode(numpy.array(slots, dtype=numpy.int64))

    def _write(self, ciphertext: Any) -> bytes:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "ciphertext"
            ciphertext.save(str(path), self._seal.compr_mode_type.none)
            return path.read_bytes()

    def _read(self, content: bytes) -> Any:
        ciphertext = self._seal.Ciphertext()
        ciphertext.load_bytes(self._context, content)
        return ciphertext
