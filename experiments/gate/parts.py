"""The parts that authenticating a request is made of, and all of it together, each as a step that can be timed."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final

from crypto import (
    TAG,
    DigestError,
    InvalidSignature,
    VerificationError,
    open_request,
    signature_base,
    verify_content_digest,
)
from experiments.gate.doorway import AUTHORITY, HMAC, Doorway
from experiments.gate.hollow import Hollow
from experiments.gate.prepared import PATH, Prepared
from experiments.gate.whole import Refused, Whole
from secure_api.api.middleware.signatures import request_of
from secure_api.data.nonces import NonceRefused
from secure_api.domain.errors import AuthenticationFailed

#: In the order in which the product does them.
PARTS: Final = ("parse", "digest", "lookup", "base", "verify", "nonce")
#: What is left when those are taken out.
REST: Final = "rest"
WHOLE: Final = "together"
STRANGER: Final = "A" * 43


@dataclass(frozen=True, slots=True)
class Part:
    """One step: what it does to a request, what must come of it, and which requests it must refuse by `refusal`.

    `forged` makes those of several good requests, the first of which went through the step before; its keys say what is
    wrong. A step that is `awaited` is a coroutine function; one that `spends` takes each request once. It runs `within`
    a context.
    """

    step: Callable[[Prepared], Any]
    expected: Callable[[Prepared, Any], bool]
    refusal: type[Exception]
    forged: Callable[[Sequence[Prepared]], Mapping[str, Prepared]]
    awaited: bool = False
    spends: bool = False
    within: Callable[[], AbstractContextManager[None]] = nullcontext


def parts_of(door: Doorway, algorithm: str) -> dict[str, Part]:
    """Give the parts by name for requests under one algorithm's key, `REST`, and `WHOLE`, which is all of it."""
    whole, hollow = Whole(door), Hollow(door)
    return {
        "parse": _parse(door),
        "digest": Part(
            lambda p: verify_content_digest(p.request.field(b"content-digest") or b"", p.body),
            lambda _p, result: result is None,
            DigestError,
            lambda some: {"another body": replace(some[0], body=some[0].body + b" ")},
        ),
        "lookup": _lookup(door, algorithm),
        "base": Part(
            lambda p: signature_base(p.request, p.label.input),
            lambda p, result: result == base_of(p),
            VerificationError,
            lambda some: {},
        ),
        "verify": Part(
            lambda p: p.key.verify(p.label.signature, p.base),
            lambda _p, result: result is None,
            InvalidSignature,
            lambda some: {
                "another signature base": replace(some[0], base=some[0].base + b" "),
                "another request's signature": replace(some[0], label=some[1].label),
            },
        ),
        "nonce": Part(
            lambda p: door.server.nonces.spend((p.use,), int(time.time())),
            lambda _p, result: result is None,
            NonceRefused,
            lambda some: {
                "a nonce that was spent": some[0],
                "a nonce of an unknown key": replace(some[1], use=replace(some[1].use, keyid=STRANGER)),
            },
            awaited=True,
            spends=True,
        ),
        REST: Part(hollow.step, hollow.expected, Refused, lambda some: {}, awaited=True, within=hollow.within),
        WHOLE: Part(whole.step, whole.expected, Refused, whole.forged, awaited=True, spends=True),
    }


def _parse(door: Doorway) -> Part:
    profile = door.settings.profile()

    def without_nonce(p: Prepared) -> Prepared:
        lines = [(name, value.replace(b";nonce=", b";nonsense=")) for name, value in p.scope["headers"]]
        return replace(p, scope={**p.scope, "headers": lines})

    def without_signature(p: Prepared) -> Prepared:
        return replace(
            p, scope={**p.scope, "headers": [line for line in p.scope["headers"] if line[0] != b"signature"]}
        )

    return Part(
        lambda p: open_request(request_of(p.scope), profile, int(time.time())),
        lambda p, result: bool(result == p.signed and [label.input.tag for label in result.labels] == [TAG]),
        VerificationError,
        lambda some: {
            "a request without a nonce": without_nonce(some[0]),
            "a request without a signature": without_signature(some[0]),
        },
    )


def _lookup(door: Doorway, algorithm: str) -> Part:
    def forged(some: Sequence[Prepared]) -> dict[str, Prepared]:
        return {"an unknown key": replace(some[0], label=replace(some[0].label, keyid=STRANGER))}

    if algorithm == HMAC:
        keeper = door.keeper
        return Part(
            lambda p: keeper.find(p.label.keyid),
            lambda p, found: bool(found.keys.session == p.label.keyid),
            AuthenticationFailed,
            forged,
            awaited=True,
        )
    # The product keeps the keys that it knows to itself: there is no public name for finding one.
    known_key = door.authenticator._known_key
    return Part(
        lambda p: known_key(p.label.keyid),
        lambda p, found: bool(found.public_key == p.key),
        AuthenticationFailed,
        forged,
        awaited=True,
    )


def base_of(p: Prepared) -> bytes:
    """Write the signature base of a request (RFC 9421 §2.5) without the product's help."""
    fields = dict(p.scope["headers"])
    _, _, text = fields[b"signature-input"].partition(b"=")
    lines = (
        b'"@method": POST',
        b'"@authority": ' + AUTHORITY.encode(),
        b'"@path": ' + PATH.encode(),
        b'"@query": ?',
        b'"content-type": ' + fields[b"content-type"],
        b'"content-digest": ' + fields[b"content-digest"],
        b'"@signature-params": ' + text,
    )
    return b"\n".join(lines)
