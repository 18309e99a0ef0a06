"""TenSEAL's form of an encrypted vector, taken apart and put together: residues in, residues out.

A vector is a protobuf message: field 1 its length, field 2 a ciphertext as SEAL saves it, field 3 (CKKS) the scale. The
ciphertext is a header of 16 bytes and a payload that TenSEAL always compresses (zstd); SEAL reads it uncompressed, too.
The payload is a prefix that is the same for all ciphertexts of some parameters, and the residues.
"""

from __future__ import annotations

import struct
from typing import Final

from crypto.errors import CiphertextRefused
from crypto.homomorphic.parameters import WHAT, HomomorphicParameters, Scheme
from crypto.libraries import library

_HEADER: Final = struct.Struct("<HBBBBHQ")
_MAGIC: Final = 0xA15E
_VERSION: Final = (4, 3)
_NONE, _ZSTD = 0, 2
_LENGTHS, _CIPHERTEXT, _SCALE = b"\x0a", b"\x12", b"\x19"


def split_vector(parameters: HomomorphicParameters, vector: bytes) -> tuple[bytes, bytes]:
    """Take a vector that was just encrypted here apart: prefix and residues (little-endian, 8 bytes each).

    Raises CiphertextRefused: it has another form than SEAL 4.3's.
    """
    sizes, rest = _field(vector, _LENGTHS)
    saved, _ = _field(rest, _CIPHERTEXT)
    if len(saved) < _HEADER.size or not sizes:
        raise CiphertextRefused("the library writes ciphertexts in a form that is not known")
    magic, length, major, minor, mode, _, total = _HEADER.unpack_from(saved)
    if (magic, length, (major, minor), total) != (_MAGIC, _HEADER.size, _VERSION, len(saved)):
        raise CiphertextRefused("the library writes ciphertexts in a form that is not known")
    payload = saved[_HEADER.size :]
    size = 8 * parameters.residues
    if mode == _ZSTD:
        decompressor = library(WHAT, "zstandard").ZstdDecompressor()
        payload = decompressor.decompress(payload, max_output_size=2 * size)
    if len(payload) <= size:
        raise CiphertextRefused("the library writes ciphertexts in a form that is not known")
    return payload[:-size], payload[-size:]


def join_vector(parameters: HomomorphicParameters, prefix: bytes, residues: bytes) -> bytes:
    """Put a vector of all slots together for TenSEAL to read."""
    payload = prefix + residues
    saved = _HEADER.pack(_MAGIC, _HEADER.size, *_VERSION, _NONE, 0, _HEADER.size + len(payload)) + payload
    sizes = _varint(parameters.slots)
    vector = _LENGTHS + _varint(len(sizes)) + sizes + _CIPHERTEXT + _varint(len(saved)) + saved
    if parameters.scheme is Scheme.CKKS:
        vector += _SCALE + struct.pack("<d", 2.0**parameters.scale_bits)
    return vector


def _field(message: bytes, tag: bytes) -> tuple[bytes, bytes]:
    """Give the content of the message's first field, which must have this tag, and what follows it."""
    if not message.startswith(tag):
        raise CiphertextRefused("the library writes vectors in a form that is not known")
    length = shift = 0
    for at in range(1, min(len(message), 6)):
        length |= (message[at] & 0x7F) << shift
        shift += 7
        if not message[at] & 0x80:
            break
    return message[at + 1 : at + 1 + length], message[at + 1 + length :]


def _varint(value: int) -> bytes:
    encoded = b""
    while value >= 0x80:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])
