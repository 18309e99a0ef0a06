"""How keys are presented to the server, for enrollment and for rotation."""

import json
from collections.abc import Sequence

from crypto import PrivateKey


def presenting_body(keys: Sequence[PrivateKey], *, token: str | None = None, name: str | None = None) -> bytes:
    """Write the body that presents public keys; the request must be signed by every one of them."""
    members: dict[str, object] = {"keys": [key.public_key.jwk() for key in keys]}
    if token is not None:
        members["token"] = token
    if name is not None:
        members["name"] = name
    return json.dumps(members).encode()
