"""Signature-Input as our own signer writes it, read by one regular expression.

Nearly every request carries one signature whose input is composed by `SignatureInput.compose`, with the profile's
components and parameters in their usual order. For that text, and for no other, reading it is one match. Whatever does
not match is read by `parse_signature_input`; a test holds the two to the same answers.
"""

from __future__ import annotations

import re
from typing import Final

from crypto.errors import FieldSyntaxError
from crypto.profile import COMPONENTS
from crypto.signature_base import SignatureInput
from crypto.structured_fields import decode_base64

_ITEMS: Final = " ".join(f'"{name}"' for name in COMPONENTS)
_SAFE: Final = rb"[\x20\x21\x23-\x5b\x5d-\x7e]*+"  # of a string: what needs no escape
_INTEGER: Final = rb"0|-?[1-9][0-9]{0,14}"
_INPUT: Final = re.compile(
    rb"([a-z*][a-z0-9_.*-]*+)=(\(" + re.escape(_ITEMS.encode()) + rb"\);created=(" + _INTEGER + rb");expires=("
    rb""
    + _INTEGER
    + rb');nonce="('
    + _SAFE
    + rb')";keyid="('
    + _SAFE
    + rb')";alg="('
    + _SAFE
    + rb')";tag="('
    + _SAFE
    + rb')")'
)


def read_usual_input(field: bytes) -> SignatureInput | None:
    """Return the one member of a Signature-Input field in its usual form; None if it has another."""
    match = _INPUT.fullmatch(field)
    if match is None:
        return None
    label, text, created, expires, nonce, keyid, alg, tag = map(_text, match.groups())
    return SignatureInput(label, COMPONENTS, text, int(created), int(expires), nonce, keyid, alg, tag)


def read_usual_signature(field: bytes, label: str) -> bytes | None:
    """Return the bytes of a Signature field that has this one label; None if it has another form."""
    start = len(label) + 2
    if not field.endswith(b":") or field[:start] != b"%b=:" % label.encode("ascii") or len(field) <= start:
        return None
    try:
        return decode_base64(field[start:-1].decode("ascii"))
    except (FieldSyntaxError, UnicodeDecodeError):
        return None


def _text(value: bytes) -> str:
    return value.decode("ascii")
