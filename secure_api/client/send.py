"""How the clients of studies send: by a function that signs, so that each caller brings its own."""

from collections.abc import Callable
from typing import Final

OCTETS: Final = "application/octet-stream"
JSON: Final = "application/json"
#: Sends method, path, body and its content type; gives the body of an answer that is a success.
Send = Callable[[str, str, bytes, str], bytes]
