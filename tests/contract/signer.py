"""Signing what `requests` is about to send: schemathesis sends by it."""

from __future__ import annotations

import secrets
import time
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase

from crypto import PrivateKey, Request, sign_request


class Signed(AuthBase):
    """Signs with one key, whatever was generated; a value that no header field may have is left to `requests`."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key

    def __call__(self, prepared: PreparedRequest) -> PreparedRequest:
        """Sign a prepared request."""
        body = prepared.body or b""
        content = body.encode() if isinstance(body, str) else body
        if not isinstance(content, bytes):
            raise TypeError(f"a body of {type(body).__name__} cannot be signed")
        prepared.headers.setdefault("Content-Type", "application/json")
        content_type = prepared.headers["Content-Type"]
        content_type = content_type if isinstance(content_type, bytes) else content_type.encode("latin-1")
        url = urlsplit(prepared.url or "")
        fields = sign_request(
            Request(
                method=prepared.method or "GET",
                scheme=url.scheme,
                authority=url.netloc,
                path=url.path or "/",
                query=url.query,
                headers=((b"content-type", content_type),),
            ),
            content,
            [self._key],
            created=int(time.time()),
            nonces=[secrets.token_urlsafe(16)],
        )
        prepared.headers.update(fields)
        return prepared
