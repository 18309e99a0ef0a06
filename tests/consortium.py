"""A consortium under test: the real application with its database, in this process, and peers who sign."""

from __future__ import annotations

import json as json_text
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from crypto import (
    PrivateKey,
    Request,
    SignatureAlgorithm,
    StorageKey,
    sign_request,
    write_private_key,
    write_secret_file,
)
from secure_api.data.database import Database
from secure_api.services.installation import initialize
from secure_api.settings import Settings

OPERATOR = "operator"
AUTHORITY = "testserver"
ADMIN_SEED = bytes(range(32))
SERVER_SEED = bytes(range(32, 64))
STORAGE_KEY = StorageKey(bytes(range(64, 96)))


class SteeredClock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Message:
    """One signed request, ready to be sent, or to be spoilt by `replace` and `with_header` first."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def with_header(self, name: str, value: str | None) -> Message:
        """Set a header field to another value; None takes it away."""
        others = tuple((key, old) for key, old in self.headers if key.lower() != name.lower())
        return replace(self, headers=others if value is None else (*others, (name, value)))

    def header(self, name: str) -> str:
        """The value of a header field."""
        return next(value for key, value in self.headers if key.lower() == name.lower())

    def edited(self, name: str, old: str, new: str) -> Message:
        """Replace a part of a header field, which must be there."""
        value = self.header(name)
        assert old in value, f"{old!r} is not in {name}: {value[:300]}"
        return self.with_header(name, value.replace(old, new))


def compose(
    keys: Sequence[PrivateKey],
    method: str,
    target: str,
    body: bytes = b"",
    *,
    now: datetime,
    authority: str = AUTHORITY,
    content_type: str = "application/json",
    lifetime: int = 60,
    nonces: Sequence[str] | None = None,
    digest: str = "sha-256",
) -> Message:
    """Sign a request by the product's own signer."""
    path, _, query = target.partition("?")
    headers = (("host", authority), ("content-type", content_type))
    request = Request(
        method=method,
        scheme="http",
        authority=authority,
        path=path,
        query=query,
        headers=tuple((name.encode(), value.encode()) for name, value in headers),
    )
    fields = sign_request(
        request,
        body,
        keys,
        created=int(now.timestamp()),
        lifetime=lifetime,
        nonces=nonces or [secrets.token_urlsafe(16) for _ in keys],
        digest=digest,
    )
    return Message(method, target, (*headers, *fields), body)


@dataclass
class Peer:
    """A client of the consortium: its keys, and the connection over which it sends."""

    http: httpx.AsyncClient
    keys: Sequence[PrivateKey]
    clock: SteeredClock
    authority: str = AUTHORITY

    def sign(self, method: str, target: str, body: Any = None, **options: Any) -> Message:
        """Sign a request; a body that is not bytes becomes JSON."""
        content = b"" if body is None else body if isinstance(body, bytes) else json_text.dumps(body).encode()
        options.setdefault("now", self.clock())
        options.setdefault("authority", self.authority)
        return compose(options.pop("keys", self.keys), method, target, content, **options)

    async def send(self, message: Message) -> httpx.Response:
        """Send a message exactly as it is."""
        request = httpx.Request(
            message.method,
            self.http.base_url.join("/"),
            headers=[*message.headers, ("content-length", str(len(message.body)))],
            content=message.body,
        )
        request.url = httpx.URL(str(self.http.base_url)).copy_with(raw_path=message.target.encode())
        return await self.http.send(request)

    async def request(self, method: str, target: str, body: Any = None, **options: Any) -> httpx.Response:
        """Sign and send a request."""
        return await self.send(self.sign(method, target, body, **options))

    async def ok(self, method: str, target: str, body: Any = None, **options: Any) -> Any:
        """Sign and send a request that must succeed; returns its JSON."""
        response = await self.request(method, target, body, **options)
        assert response.is_success, (response.status_code, response.text)
        return response.json() if response.content else None


@dataclass
class Consortium:
    """A running application and its first admin."""

    app: FastAPI
    http: httpx.AsyncClient
    clock: SteeredClock
    settings: Settings
    admin: Peer = field(init=False)
    authority: str = AUTHORITY

    def __post_init__(self) -> None:
        self.admin = Peer(self.http, [admin_key()], self.clock, self.authority)

    async def member(
        self,
        organization: str,
        role: str = "contributor",
        algorithms: Sequence[SignatureAlgorithm] = (SignatureAlgorithm.ML_DSA_44,),
    ) -> Peer:
        """Enroll a client of an organization, which is made when it is not there."""
        return await enroll_member(self.admin, organization, role, algorithms)


async def enroll_member(admin: Peer, organization: str, role: str, algorithms: Sequence[SignatureAlgorithm]) -> Peer:
    """Enroll a client through the API: organization, token, proof of possession."""
    if organization != OPERATOR:
        made = await admin.request("POST", "/v1/organizations", {"name": organization})
        assert made.status_code in {201, 409}, made.text
    token = await admin.ok("POST", "/v1/tokens", {"organization": organization, "role": role})
    keys = [PrivateKey.generate(algorithm) for algorithm in algorithms]
    peer = Peer(admin.http, keys, admin.clock, admin.authority)
    await peer.ok("POST", "/v1/clients", enrollment(token["token"], keys))
    return peer


def enrollment(token: str, keys: Sequence[PrivateKey]) -> dict[str, Any]:
    """The body that enrolls keys."""
    return {"token": token, "keys": [key.public_key.jwk() for key in keys]}


def admin_key() -> PrivateKey:
    """The first admin's key."""
    return PrivateKey.from_seed(SignatureAlgorithm.ML_DSA_65, ADMIN_SEED)


def server_key() -> PrivateKey:
    """The server's key."""
    return PrivateKey.from_seed(SignatureAlgorithm.ML_DSA_65, SERVER_SEED)


async def install(url: str) -> None:
    """Migrate and initialize a database."""
    database = Database(url)
    try:
        await initialize(database, operator=OPERATOR, admin_key=admin_key().public_key, server_key=server_key())
    finally:
        await database.close()


def make_home(folder: Path, sqlite_template: Path | None) -> Path:
    """Make a server's home: its key, and a copy of an initialized SQLite database."""
    folder.mkdir(mode=0o700, exist_ok=True)
    write_private_key(folder / "server-key.pem", server_key(), None)
    write_secret_file(folder / "storage.key", STORAGE_KEY.text.encode())
    if sqlite_template is not None:
        shutil.copy(sqlite_template, folder / "secure-api.db")
    return folder
