"""`SignatureAuth`: an `httpx.Auth` that signs every request, for sync and async clients alike.

It signs what httpx is about to send: the Host field, the raw target, the bytes of the body (a streamed body is read
into memory first). All six components of the profile are always covered, so a request without a content type gets one.
With the server's public key it asks for signed answers and refuses others; with `seal=True` it seals bodies too.

httpx follows redirects behind the back of an `httpx.Auth`, with the header fields of the first request. Where it was
told to follow them, the refusal that this earns is answered by signing the new target, on the same server only:
a signature is worth something to whoever gets it.
"""

import secrets
import time
from collections.abc import AsyncGenerator, Callable, Generator
from http import HTTPStatus
from pathlib import Path
from typing import Final, Self

import httpx

from crypto import PrivateKey, PublicKey, SigningError
from secure_api.client.discovery import DISCOVERY_PATH, read_discovery
from secure_api.client.errors import ClientError, ResponseRefused
from secure_api.client.exchange import REPEATABLE, Credentials, Exchange, require_readable
from secure_api.client.problem import Problem
from secure_api.client.profiles import ProfileStore, read_private_key_maybe_open
from secure_api.client.sealer import HpkeSealer, Sealer, SealingTarget

DEFAULT_LIFETIME: Final = 60  # seconds
UNOPENED: Final = "urn:problem-type:secure-api:sealed-body-rejected"

Flow = Generator[httpx.Request, httpx.Response, None]


def new_nonce() -> str:
    """Make a nonce: 16 random bytes as base64url (22 characters)."""
    return secrets.token_urlsafe(16)


class SignatureAuth(httpx.Auth):
    """Sign requests with one key, or with the two keys of a hybrid client.

    `server_key` is the server's public key: with it, an answer that the server did not sign for this request is
    refused (`ResponseRefused`). `seal` encrypts every body, to the server and back; it needs `server_key`, which
    vouches for the key to seal to. `lifetime` is the time in seconds that a request may take to arrive; `clock` gives
    POSIX seconds.

    Raises:
        SigningError: there is no key.
        ClientError: `seal` without `server_key`.
    """

    requires_request_body = True

    def __init__(
        self,
        *keys: PrivateKey,
        server_key: PublicKey | None = None,
        seal: bool = False,
        lifetime: int = DEFAULT_LIFETIME,
        clock: Callable[[], float] = time.time,
        nonce_source: Callable[[], str] = new_nonce,
    ) -> None:
        if not keys:
            raise SigningError("a key is needed to sign")
        if seal and server_key is None:
            raise ClientError("sealing needs the server's public key, which vouches for the key to seal to")
        self.keys = keys
        self.server_key = server_key
        self.seal = seal
        self.lifetime = lifetime
        self.requires_response_body = server_key is not None
        self._clock = clock
        self._nonce_source = nonce_source
        self._credentials = Credentials(keys, server_key, server_key.keyid if server_key else "")
        self._targets: dict[tuple[str, bytes], SealingTarget] = {}

    def sealing(self) -> "SignatureAuth":
        """Give one that signs with the same keys, clock and nonces, and seals.

        Raises:
            ClientError: the server's public key is not known.
        """
        return SignatureAuth(
            *self.keys,
            server_key=self.server_key,
            seal=True,
            lifetime=self.lifetime,
            clock=self._clock,
            nonce_source=self._nonce_source,
        )

    @classmethod
    def from_key_file(
        cls,
        path: Path | str,
        passphrase: bytes | None = None,
        *,
        server_key: PublicKey | None = None,
        seal: bool = False,
    ) -> Self:
        """Sign with the key of a PEM file.

        Raises:
            CryptoError: the file is missing, open to others, or the passphrase does not open it.
            ClientError: `seal` without `server_key`.
        """
        return cls(read_private_key_maybe_open(Path(path), passphrase), server_key=server_key, seal=seal)

    @classmethod
    def from_profile(cls, name: str, config_dir: Path | str | None = None, *, seal: bool = False) -> Self:
        """Sign with the keys of a profile; the passphrase comes from its file or from SECURE_API_PASSPHRASE.

        Raises:
            ClientError: there is no such profile, or it cannot be read.
            CryptoError: a key cannot be used.
        """
        profile = ProfileStore(None if config_dir is None else Path(config_dir)).get(name)
        return cls(*profile.read_keys(), server_key=profile.read_server_key(), seal=seal)

    def sync_auth_flow(self, request: httpx.Request) -> Flow:
        """Do what `auth_flow` does for a sync client (httpx calls this).

        Raises:
            ClientError: the body comes from an async iterator; or as `auth_flow`.
        """
        require_readable(request, httpx.SyncByteStream)
        return super().sync_auth_flow(request)

    def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Do the same for an async client (httpx calls this).

        Raises:
            ClientError: the body comes from an iterator that is not async; or as `auth_flow`.
        """
        require_readable(request, httpx.AsyncByteStream)
        return super().async_auth_flow(request)

    def auth_flow(self, request: httpx.Request) -> Flow:
        """Send one request signed, and where httpx was redirected to (httpx calls this).

        Raises:
            CryptoError: the request cannot be signed or sealed as it stands.
            ClientError: the answer is not the server's, or the server offers no key to seal to.
        """
        sent, response = yield from self._exchange(request)
        # Each turn adds to httpx's own history, so its limit on redirects ends this as well.
        while response.status_code == HTTPStatus.UNAUTHORIZED and response.request is not sent:
            redirected = response.request
            if _server(redirected.url) != _server(request.url):
                return
            if self.server_key is not None and redirected.method not in REPEATABLE:
                # Nobody signs a redirect: whoever is between could have what was accepted sent once more.
                raise ResponseRefused(
                    f"redirected to {redirected.url}: a {redirected.method} is not sent twice unasked"
                )
            body = request.content if redirected.stream is sent.stream else b""
            headers = [(name, value) for name, value in redirected.headers.raw if name.lower() != b"transfer-encoding"]
            request = httpx.Request(
                redirected.method, redirected.url, headers=headers, content=body, extensions=redirected.extensions
            )
            sent, response = yield from self._exchange(request)

    def prepare(self, request: httpx.Request, sealer: Sealer | None = None) -> Exchange:
        """Sign a request whose body is in memory, sealed first when there is a sealer.

        Raises:
            CryptoError: the request cannot be signed or sealed as it stands.
        """
        return self.exchange_with(self._credentials, request, sealer)

    def exchange_with(self, credentials: Credentials, request: httpx.Request, sealer: Sealer | None) -> Exchange:
        """Sign a request by other credentials, with this object's clock, nonces and lifetime.

        Raises:
            CryptoError: the request cannot be signed or sealed as it stands.
        """
        return Exchange(
            request,
            credentials,
            sealer,
            created=int(self._clock()),
            lifetime=self.lifetime,
            nonce_source=self._nonce_source,
        )

    def sign(self, request: httpx.Request) -> None:
        """Set the fields that make a request, whose body is in memory, a signed one; nothing is sealed.

        Raises:
            SigningError: the request cannot be signed as it stands.
        """
        self.prepare(request)

    def now(self) -> float:
        """Give POSIX seconds by this object's clock."""
        return self._clock()

    def _exchange(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, tuple[httpx.Request, httpx.Response]]:
        sent, response = yield from self._attempt(request)
        if self.seal and response.request is sent and _unopened(response):
            # The server has signed that nothing was done: the key that was sealed to is gone. Fetch another.
            self._targets.pop(_server(request.url), None)
            sent, response = yield from self._attempt(request)
        return sent, response

    def _attempt(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, tuple[httpx.Request, httpx.Response]]:
        sealer = HpkeSealer((yield from self._target(request))) if self.seal else None
        exchange = self.prepare(request, sealer)
        response = yield exchange.request
        if response.request is exchange.request:
            exchange.receive(response)
        elif self.server_key is not None and response.status_code != HTTPStatus.UNAUTHORIZED:
            raise ResponseRefused(f"the answer came from {response.request.url}, where nothing signed was sent")
        return exchange.request, response

    def _target(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, SealingTarget]:
        server = _server(request.url)
        known = self._targets.get(server)
        if known is None or known.retires < self._clock():
            assert self.server_key is not None  # noqa: S101 - `__init__` made sure
            url = request.url.copy_with(raw_path=DISCOVERY_PATH)
            response = yield httpx.Request("GET", url, extensions=request.extensions)
            known = SealingTarget.choose(read_discovery(response), self.server_key, self._clock())
            self._targets[server] = known
        return known


def _unopened(response: httpx.Response) -> bool:
    problem = Problem.parse(response.headers.get("content-type", ""), response.content)
    return problem is not None and problem.type == UNOPENED


def _server(url: httpx.URL) -> tuple[str, bytes]:
    return url.scheme, url.netloc
