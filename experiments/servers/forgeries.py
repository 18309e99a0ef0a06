"""Requests that nobody may believe, made of good ones."""

from collections.abc import Iterator
from dataclasses import replace

from experiments.servers.message import Message
from experiments.servers.protection import Protection


def forgeries(protection: Protection, good: Message) -> Iterator[tuple[str, Message]]:
    """Spoil a good request in every way that its protection must notice; gives what was done, and the result.

    A token says nothing of the request that it comes with.
    """
    if protection.kind == "bearer":
        token = good.value("authorization").removeprefix(b"Bearer ")
        yield "a forged token", good.edited(token, _changed(token, len(token) - 20))
        yield "a changed token", good.edited(token, _changed(token, token.index(b".") + 9))
        yield "a request without a token", good.edited(b"\r\nauthorization: ", b"\r\nx-nothing: ")
        return
    yield "another body", replace(good, body=_other_body(good.body))
    signature = good.value("signature")
    yield "a forged signature", good.edited(signature, _changed(signature, len(b"sig1=:") + 8))
    nonce = good.value("signature-input").partition(b'nonce="')[2][:4]
    yield "another nonce", good.edited(b'nonce="' + nonce, b'nonce="' + _changed(nonce, 0))
    yield "a request to another host", good.edited(b"\r\nhost: 127.0.0.1:", b"\r\nhost: localhost:")
    yield "a request with another query", good.edited(b" HTTP/1.1", b"?x=1 HTTP/1.1")
    yield "a request without a signature", _unsigned(good)


def _unsigned(good: Message) -> Message:
    without = good.edited(b"\r\nsignature-input: ", b"\r\nx-nothing: ")
    return without.edited(b"\r\nsignature: ", b"\r\nx-none: ")


def _changed(text: bytes, at: int) -> bytes:
    """Change a character of base64 other than the last, whose low bits may mean nothing."""
    return text[:at] + (b"A" if text[at : at + 1] != b"A" else b"B") + text[at + 1 :]


def _other_body(body: bytes) -> bytes:
    """Give a body as long, of JSON where it was JSON."""
    at = body.index(b'"id": "') + 7 if b'"id": "' in body else len(body) // 2
    return _changed(body, at)
