"""`SignatureAuth`: an `httpx.Auth` that signs every request, for sync and async clients alike.

It signs what httpx is about to send: the Host field, the raw target, the bytes of the body (a streamed body is read
into memory first). All six components of the profile are always covered, so a request without a content type gets one.

httpx follows redirects behind the back of an `httpx.Auth`, with the header fields of the first request. Where it was
told to follow them, the refusal that this earns is answered by signing the new target, on the same server only:
a signature is worth something to whoever gets it.
"""

import secrets
import time
from collections.abc import Callable, Generator
from http import HTTPStatus
from pathlib import Path
from typing import Final, Self

import httpx

from crypto import PrivateKey, Request, SigningError, sign_request
from secure_api.client.profiles import ProfileStore, read_private_key_maybe_open

BODY_TYPE: Final = "application/octet-stream"
NO_BODY_TYPE: Final = "application/json"
DEFAULT_LIFETIME: Final = 60  # seconds


def new_nonce() -> str:
    """Make a nonce: 16 random bytes as base64url (22 characters)."""
    return secrets.token_urlsafe(16)


class SignatureAuth(httpx.Auth):
    """Sign requests with one key, or with the two keys of a hybrid client.

    `lifetime` is the time in seconds that a request may take to arrive; `clock` gives POSIX seconds.

    Raises:
        SigningError: there is no key.
    """

    requires_request_body = True

    def __init__(
        self,
        *keys: PrivateKey,
        lifetime: int = DEFAULT_LIFETIME,
        clock: Callable[[], float] = time.time,
        nonce_source: Callable[[], str] = new_nonce,
    ) -> None:
        if not keys:
            raise SigningError("a key is needed to sign")
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
    def from_profile(cls, name: str, config_dir: Path | str | None = None) -> Self:
        """Sign with the keys of a profile; the passphrase comes from its file or from SECURE_API_PASSPHRASE.

        Raises:
            ClientError: there is no such profile, or it cannot be read.
            CryptoError: a key cannot be used.
        """
        store = ProfileStore(None if config_dir is None else Path(config_dir))
        return cls(*store.get(name).read_keys())

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign one request, and where httpx was redirected to (httpx calls this).

        Raises:
            SigningError: the request cannot be signed as it stands.
        """
        self.sign(request)
        response = yield request
        # Each turn adds to httpx's own history, so its limit on redirects ends this as well.
        while response.status_code == HTTPStatus.UNAUTHORIZED and response.request is not request:
            redirected = response.request
            if _server(redirected.url) != _server(request.url):
                return
            body = request.content if redirected.stream is request.stream else b""
            headers = [(name, value) for name, value in redirected.headers.raw if name.lower() != b"transfer-encoding"]
            request = httpx.Request(
                redirected.method, redirected.url, headers=headers, content=body, extensions=redirected.extensions
            )
            self.sign(request)
            response = yield request

    def sign(self, request: httpx.Request) -> None:
        """Set the fields that make a request, whose body is in memory, a signed one.

        Raises:
            SigningError: the request cannot be signed as it stands.
        """
        body = request.content
        request.headers.setdefault("Content-Type", BODY_TYPE if body else NO_BODY_TYPE)
        fields = sign_request(
            signable(request),
            body,
            self.keys,
            created=int(self._clock()),
            lifetime=self.lifetime,
            nonces=[self._nonce_source() for _ in self.keys],
        )
        for name, value in fields:
            request.headers[name] = value


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


def _server(url: httpx.URL) -> tuple[str, bytes]:
    return url.scheme, url.netloc
