"""What a server says of itself: `/.well-known/secure-api`."""

import json
from typing import Any, Final

import httpx

from secure_api.client.errors import ServerUnusable

DISCOVERY_PATH: Final = b"/.well-known/secure-api"
MAX_BYTES: Final = 1 << 18


def read_discovery(response: httpx.Response) -> dict[str, Any]:
    """Read the discovery document. Nobody signs it: believe what it says of keys only where a signature says so, too.

    Raises:
        ServerUnusable: the answer holds none.
    """
    if not response.is_success:
        raise ServerUnusable(f"no discovery document: HTTP {response.status_code}", response.status_code)
    if len(response.content) > MAX_BYTES:
        raise ServerUnusable("the discovery document is too large")
    try:
        document = json.loads(response.content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ServerUnusable("the discovery document is no JSON object")
    return document
