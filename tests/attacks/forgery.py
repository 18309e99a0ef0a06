"""A signer that obeys no profile, written from RFC 9421 and not from our code: it signs whatever it is told to."""

from __future__ import annotations

import hashlib
import secrets
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crypto import Request, SigningKey
from tests.consortium import Message

COMPONENTS = ("@method", "@authority", "@path", "@query", "content-type", "content-digest")


def digest_of(body: bytes, algorithm: str = "sha-256") -> str:
    """A Content-Digest (RFC 9530)."""
    return f"{algorithm}=:{b64encode(hashlib.new(algorithm.replace('-', ''), body).digest()).decode()}:"


@dataclass(frozen=True)
class Forgery:
    """A request and how to sign it; `message()` does. Without changes it is one that the server accepts.

    `parameters` are serialized as they stand, in their order, `without` those named; `fields` are further ones of the
    header.
    """

    key: SigningKey
    authority: str
    method: str = "POST"
    target: str = "/v1/datasets"
    body: bytes = b""
    content_type: str | None = "application/json"
    digest: str | None = ""
    components: Sequence[str] = COMPONENTS
    parameters: Mapping[str, str] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    fields: tuple[tuple[str, str], ...] = ()
    label: str = "sig1"

    def __post_init__(self) -> None:
        now = int(time.time())
        defaults = {
            "created": str(now),
            "expires": str(now + 60),
            "nonce": f'"{secrets.token_urlsafe(16)}"',
            "keyid": f'"{self.key.keyid}"',
            "alg": f'"{self.key.algorithm.value}"',
            "tag": '"secure-api"',
        }
        object.__setattr__(self, "parameters", defaults | dict(self.parameters))
        if self.digest == "":
            object.__setattr__(self, "digest", digest_of(self.body))

    def but(self, **changes: Any) -> Forgery:
        """The same request with some attributes changed."""
        if "body" in changes:
            changes.setdefault("digest", "")
        return replace(self, **changes)

    def giving(self, **parameters: str) -> Forgery:
        """The same request with some signature parameters set to other serialized values."""
        return replace(self, parameters={**self.parameters, **parameters})

    def lacking(self, *names: str) -> Forgery:
        """The same request without some signature parameters."""
        return replace(self, without=self.without | set(names))

    def between(self, created: int, expires: int) -> Forgery:
        """The same request, created and expiring so many seconds from now."""
        now = int(time.time())
        return self.giving(created=str(now + created), expires=str(now + expires))

    @property
    def signature_input(self) -> str:
        """The inner list and its parameters (RFC 9421 §2.3)."""
        items = " ".join(component if component.startswith('"') else f'"{component}"' for component in self.components)
        kept = {name: value for name, value in self.parameters.items() if name not in self.without}
        parameters = "".join(f";{name}={value}" for name, value in kept.items())
        return f"({items}){parameters}"

    def base(self) -> bytes:
        """The signature base (RFC 9421 §2.5)."""
        path, _, query = self.target.partition("?")
        values = {
            "@method": self.method,
            "@authority": self.authority,
            "@path": path,
            "@query": f"?{query}",
            "@scheme": "http",
            "@request-target": self.target,
            **dict(self.headers()),
        }
        lines = []
        for component in self.components:
            identifier = component if component.startswith('"') else f'"{component}"'
            lines.append(f"{identifier}: {values.get(identifier.split(chr(34))[1], '')}")
        return "\n".join([*lines, f'"@signature-params": {self.signature_input}']).encode()

    def signature(self) -> bytes:
        """The signature over the base."""
        return self.key.sign(self.base())

    def headers(self) -> tuple[tuple[str, str], ...]:
        """The fields without the signature."""
        named = (("host", self.authority), ("content-type", self.content_type), ("content-digest", self.digest))
        return (*((name, value) for name, value in named if value is not None), *self.fields)

    def request(self) -> Request:
        """What the product makes of the request, to verify its answer."""
        path, _, query = self.target.partition("?")
        headers = tuple((name.encode(), value.encode()) for name, value in self.headers())
        return Request(self.method, self.authority, path, query, headers, scheme="http")

    def message(self, signature: bytes | str | None = None) -> Message:
        """Sign, or put another signature there: bytes, or the text between the colons."""
        signature = self.signature() if signature is None else signature
        text = signature if isinstance(signature, str) else b64encode(signature).decode()
        signed = (
            ("signature-input", f"{self.label}={self.signature_input}"),
            ("signature", f"{self.label}=:{text}:"),
        )
        return Message(self.method, self.target, (*self.headers(), *signed), self.body)


def joined(*messages: Message) -> Message:
    """One message with the signatures of several over the same request, each under its own label."""
    result = messages[0]
    for name in ("signature-input", "signature"):
        result = result.with_header(name, ", ".join(message.header(name) for message in messages))
    return result
