"""The opaque cursor of a page of records.

A cursor says where the next page begins: version byte, microseconds since the epoch, record id. It grants nothing: it
is read together with the caller's own scope.
"""

import base64
import binascii
import struct
from datetime import UTC, datetime, timedelta

from crypto import encode_base64url
from secure_api.data.records import RecordPosition
from secure_api.domain.errors import BadCursor

_LAYOUT = struct.Struct(">Bqq")
_VERSION = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LENGTH = 23  # characters of base64url without padding


def encode_cursor(position: RecordPosition) -> str:
    """Encode a position."""
    microseconds = (position.time - _EPOCH) // timedelta(microseconds=1)
    packed = _LAYOUT.pack(_VERSION, microseconds, position.id)
    return encode_base64url(packed)


def decode_cursor(text: str) -> RecordPosition:
    """Decode a cursor.

    Raises:
        BadCursor: the text is none that this server gave out.
    """
    try:
        if len(text) != _LENGTH:
            raise BadCursor("The cursor is not one that this server gave out.")
        packed = base64.b64decode(text + "=", altchars=b"-_", validate=True)
        version, microseconds, identifier = _LAYOUT.unpack(packed)
        if version != _VERSION or identifier < 0:
            raise BadCursor("The cursor is not one that this server gave out.")
        position = RecordPosition(_EPOCH + timedelta(microseconds=microseconds), identifier)
    except (binascii.Error, struct.error, OverflowError, ValueError) as error:
        raise BadCursor("The cursor is not one that this server gave out.") from error
    if encode_cursor(position) != text:
        raise BadCursor("The cursor is not one that this server gave out.")
    return position
