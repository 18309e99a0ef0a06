"""`SignatureAuth`: an `httpx.Auth` that signs every request, for sync and async clients alike.

It signs what httpx is about to send: the Host field, the raw target, the body's bytes. Redirects are signed anew by
httpx calling the flow again.
"""

import secrets
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final, Self

import httpx

from crypto import PrivateKey, Request, sign_request
from secure_api.client.profiles import ProfileStore, read_private_key_maybe_open

DEFAULT_CONTENT_TYPE: Final = "application/json"
DEFAULT_LIFETIME: Final = 60  # seconds


def new_nonce() -> str:
    """Make a nonce: 16 random bytes as base64url (22 characters)."""
    return secrets.token_urlsafe(16)


class SignatureAuth(httpx.Auth):
    """Sign requests with one key, or with the two keys of a hybrid client.

    `lifetime` is the time in seconds that a request may take to arrive; `clock` gives POSIX seconds.
    """

    requires_request_body = True

    def __init__(
        self,
        *keys: PrivateKey,
        lifetime: int = DEFAULT_LIFETIME,
        clock: Callable[[], float] = time.time,
        nonce_source: Callable[[], str] = new_nonce,
    ) -> None:
        self.keys = keys
        self.lifetime = lifetime
        self._clock = clock
        self._nonce_source = nonce_source

    @classmethod
    def from_key_file(cls, path: Path | str, passphrase: bytes | None = None) -> Self:
        """Sign with the key of a PEM file.

        Raises:
            CryptoError: the file is missing, open to others, or the passphrase does not open it.
        """
        return cls(read_private_key_maybe_open(Path(path), passphrase))

    @classmethod
    def from_profile(cls, name: str, config: Path | None = None) -> Self:
        """Sign with the keys of a profile; the passphrase comes from its file or from SECURE_API_PASSPHRASE.

        Raises:
            ClientError: there is no such profile, or it cannot be read.
            CryptoError: a key cannot be used.
        """
        return cls(*ProfileStore(config).get(name).read_keys())

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign one request (httpx calls this).

        Raises:
            SigningError: the request cannot be signed as it stands.
        """
        request.headers.setdefault("Content-Type", DEFAULT_CONTENT_TYPE)
        for name, value in sign_request(
            signable(request),
            request.content,
            self.keys,
            created=int(self._clock()),
            lifetime=self.lifetime,
            nonces=[self._nonce_source() for _ in self.keys],
        ):
            request.headers[name] = value
        yield request


def signable(request: httpx.Request) -> Request:
    """Give the parts of an httpx request that a signature covers."""
    path, _, query = request.url.raw_path.partition(b"?")
    return Request(
        method=request.method,
        scheme=request.url.scheme,
        authority=request.headers["Host"],
        path=path.decode("ascii"),
        query=query.decode("ascii"),
        headers=tuple((name.lower(), value) for name, value in request.headers.raw),
    )
