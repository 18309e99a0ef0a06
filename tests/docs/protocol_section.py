"""The section *A worked example* of docs/protocol.md, written from docs/protocol-example.json.

Short values stand there in full, long ones (ML-DSA signatures, lattice keys, ciphertexts) by length and SHA-256.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from hashlib import sha256
from textwrap import fill
from typing import Any

BEGIN, END = "<!-- example: begin -->", "<!-- example: end -->"
LONG = 300  # characters: what has more is told by length and hash
_BASE64 = re.compile(rf"[A-Za-z0-9+/_-]{{{LONG},}}={{0,2}}")
#: The others have the same form; the file has them.
_BASES_SHOWN = {"signed", "in_session"}
_STEPS = {
    "signed": """### 1. A signed request and its answer

The client signs with both of its keys, so there are two labels; the signature bases differ in their last line. The
ML-DSA signatures here and below are what a random draw gave; yours will differ, and must verify all the same.""",
    "handshake": """### 2. A handshake

An `x-wing` key is made for it; both halves of the private key come from the seed. The ciphertext and the secret in it
are the server's random draw.""",
    "in_session": """### 3. A request within the session

A MAC stands where a signature stood; all of it follows from the seeds and the handshake.""",
    "sealed_in_session": """### 4. Sealed under the session

With the two given nonces everything here follows from the session's keys.""",
    "rekey": """### 5. A rekey

Within the session, to `ml-kem-768`. Its seed is d and z of FIPS 203, 64 bytes.""",
    "sealed": """### 7. Sealed to the server's key

What is encrypted is the reply key's 1,216 bytes, and behind them the body: here there is none. The sealed bodies are
what a random draw gave; they open with the seeds above.""",
}


def page_with_section(page: str, document: Mapping[str, Any]) -> str:
    """The page with the section between the markers."""
    text = f"{BEGIN}\n{section(document)}\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: text, page, flags=re.DOTALL)


def section(document: Mapping[str, Any]) -> str:
    """The section as it should stand between the markers."""
    authority = document["given"]["authority"]
    steps = {
        name: _exchange(title, authority, document[name], bases=name in _BASES_SHOWN) for name, title in _STEPS.items()
    }
    return "\n\n".join(
        (
            _given(document),
            steps["signed"],
            f"{steps['handshake']}\n\n{_session_keys(document['handshake'], document['keys']['server ml-dsa-65'])}",
            steps["in_session"],
            steps["sealed_in_session"],
            f"{steps['rekey']}\n\n{_session_keys(document['rekey'], None)}",
            _sealing_key(document),
            steps["sealed"],
        )
    )


def _given(document: Mapping[str, Any]) -> str:
    keys, given = document["keys"], document["given"]
    rows = ["| seed of | bytes |", "|---|---|", *(f"| {name} | `{seed}` |" for name, seed in given["seeds"].items())]
    publics = ["| key | public key | keyid |", "|---|---|---|"]
    for name, key in keys.items():
        raw = _decoded(key["jwk"].get("pub") or key["jwk"]["x"])
        publics.append(f"| {name} | {_told(raw)} | `{key['keyid']}` |")
    times = (
        f"Requests are `created` at {given['created']} and expire at {given['expires']}; answers are `created` at "
        f"{given['answered']}. From the seeds follow the keys that sign:"
    )
    return "\n".join([*rows, "", fill(times, 120), "", *publics])


def _exchange(title: str, authority: str, exchange: Mapping[str, Any], *, bases: bool) -> str:
    request, answer = exchange["request"], exchange["answer"]
    target = request["path"] + ("?" + request["query"] if request["query"] else "")
    parts = [title, _message(f"{request['method']} {target} HTTP/1.1\nHost: {authority}", request)]
    parts += _bound(request, "The body is bound to")
    if bases:
        first, *others = request["signature_bases"]
        parts.append(f"The signature base{' of `sig1`' if others else ''}:\n\n{_fence(first)}")
    parts += ["The answer:", _message(f"HTTP/1.1 {answer['status']}", answer)]
    parts += _bound(answer, "Its body is bound to")
    if bases:
        parts.append(f"Its signature base:\n\n{_fence(answer['signature_bases'][0])}")
    return "\n\n".join(parts)


def _message(start: str, message: Mapping[str, Any]) -> str:
    lines = [start, *(f"{name.title()}: {value}" for name, value in message["fields"].items())]
    sealed = message.get("body_hex")
    if sealed is None:
        body = message["body"]
    elif len(sealed) < LONG:
        body = f"({len(sealed) // 2} bytes) {sealed}"
    else:
        body = f"({_told(bytes.fromhex(sealed), quote='')})"
    return _fence("\n".join([*lines, *(["", body] if body else [])]))


def _bound(message: Mapping[str, Any], introduction: str) -> list[str]:
    if "bound_to" not in message:
        return []
    inside = f"Inside is `{message['inside']}`." if message["inside"] else "Inside is an empty body."
    return [f"{introduction} these lines:\n\n{_fence(message['bound_to'])}\n\n{inside}"]


def _session_keys(handshake: Mapping[str, Any], server: Mapping[str, Any] | None) -> str:
    first = f"the server's keyid, `{server['keyid']}`" if server else "the old session's name"
    material = "`shared`" if server else "`shared || rekey`, with `rekey` of the first session"
    values = {
        "public key": handshake["public_key_hex"],
        "ciphertext": handshake["ciphertext_hex"],
        "shared": handshake["shared_secret_hex"],
        "transcript": handshake["transcript_hex"],
        "secret": handshake["secret_hex"],
        **handshake["keys_hex"],
    }
    rows = [f"| {name} | {_told(bytes.fromhex(value))} |" for name, value in values.items()]
    told = fill(f"The first part of the transcript is {first}; the keying material is {material}.", 120)
    return "\n".join([told, "", "| value | bytes |", "|---|---|", *rows])


def _sealing_key(document: Mapping[str, Any]) -> str:
    published, reply = document["sealing_key"]["published"], document["sealing_key"]["reply_public_key_hex"]
    key, signature = _decoded(published["public_key"]), _decoded(published["signature"]["value"])
    told = f"""Its public key is {_told(key)}, and the client's reply key {_told(bytes.fromhex(reply))}. The server's
key signs this statement; the signature is {_told(signature)}:"""
    statement = _fence(document["sealing_key"]["statement"])
    return f"### 6. The sealing key\n\n{fill(told, 120)}\n\n{statement}"


def _fence(text: str) -> str:
    return "\n".join(["```", _BASE64.sub(_elided, text), "```"])


def _elided(match: re.Match[str]) -> str:
    return f"({_told(_decoded(match[0]), quote='')})"


def _told(data: bytes, quote: str = "`") -> str:
    if len(data) <= 64:
        return f"{quote}{data.hex()}{quote}"
    return f"{len(data):,} bytes, SHA-256 {quote}{sha256(data).hexdigest()}{quote}"


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "==")
