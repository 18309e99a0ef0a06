"""The tests' own HKDF and that of `cryptography`, against RFC 5869 appendix A.1 to A.3 (SHA-256)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from tests.vectors import hkdf

VECTORS = Path(cryptography_vectors.__file__).parent / "KDF" / "rfc-5869-HKDF-SHA256.txt"


def _cases() -> Iterator[dict[str, str]]:
    case: dict[str, str] = {}
    for line in VECTORS.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            case[name.strip()] = value.strip()
        if name.strip() == "OKM":
            yield case
            case = {}


CASES = list(_cases())


def test_all_three_are_there() -> None:
    assert [(case["COUNT"], case["Hash"], case["L"]) for case in CASES] == [
        ("1", "SHA-256", "42"),
        ("2", "SHA-256", "82"),
        ("3", "SHA-256", "42"),
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["COUNT"])
def test_appendix_a(case: dict[str, str]) -> None:
    material, salt, info, secret, output = (bytes.fromhex(case[name]) for name in ("IKM", "salt", "info", "PRK", "OKM"))
    length = int(case["L"])
    assert hkdf.extract(salt, material) == HKDF.extract(SHA256(), salt, material) == secret
    assert hkdf.expand(secret, info, length) == HKDFExpand(SHA256(), length, info).derive(secret) == output
