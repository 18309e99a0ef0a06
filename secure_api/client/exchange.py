"""One request and its answer on the client's side: sealed and signed going out, verified and opened coming in."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import httpx

from crypto import (
    CryptoError,
    Request,
    Response,
    SealedType,
    SignatureInput,
    SigningKey,
    VerificationKey,
    accept_signature,
    is_sealed,
    parse_signature_input,
    request_context,
    response_context,
    sign_request,
    verify_response,
)
from secure_api.client.errors import ClientError, ResponseRefused
from secure_api.client.report import REPORT, Report, SealReport, field_bytes
from secure_api.client.sealer import Sealer

BODY_TYPE: Final = "application/octet-stream"
NO_BODY_TYPE: Final = "application/json"
LABEL: Final = "sig1"
_PUBLIC_PATHS: Final = frozenset(
    {"/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/.well-known/secure-api"}
)
#: Methods of requests that may be carried out twice (RFC 9110 §9.2.2).
REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
#: A server that does not believe a request, or cannot read it, cannot sign its answer to it. Such answers say that
#: nothing was done, and all that whoever forges one can do is to say so.
_BEFORE_SIGNING: Final = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.MISDIRECTED_REQUEST,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    }
)


_OF_THE_STREAM: Final = frozenset({b"content-length", b"transfer-encoding"})
_SIGNATURE_FIELDS: Final = frozenset({b"content-digest", b"signature-input", b"signature"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """The keys that sign a request, and the one that the answer must be signed by (None: any answer is believed)."""

    keys: tuple[SigningKey, ...]
    server_key: VerificationKey | None = None
    server_keyid: str = ""


class Exchange:
    """A request, ready to be sent as `request`; `receive` takes its answer.

    Raises:
        SigningError: the request cannot be signed as it stands.
        SealingError: it cannot be sealed.
    """

    def __init__(
        self,
        request: httpx.Request,
        credentials: Credentials,
        sealer: Sealer | None,
        *,
        created: int,
        lifetime: int,
        nonce_source: Callable[[], str],
    ) -> None:
        self._credentials = credentials
        self._sealer = sealer
        self._context = b""
        self.report = Report()
        nonces = [nonce_source() for _ in credentials.keys]
        body = request.content
        request.headers.setdefault("Content-Type", BODY_TYPE if body else NO_BODY_TYPE)
        if sealer is not None:
            request = self._sealed(request, sealer, nonces[0])
        began = time.perf_counter()
        self._signed = signable(request)
        fields = sign_request(
            self._signed, request.content, credentials.keys, created=created, lifetime=lifetime, nonces=nonces
        )
        self.report.timed("sign", began)
        for name, value in fields:
            request.headers[name] = value
        self.report.bytes["signature"] = sum(field_bytes(name, value) for name, value in fields)
        self._signed = signable(request)
        self._inputs: Sequence[SignatureInput] = tuple(parse_signature_input(fields[1][1].encode()).values())
        if credentials.server_key is not None:
            wish = accept_signature(
                self._inputs, keyid=credentials.server_keyid, alg=credentials.server_key.algorithm, label=LABEL
            )
            request.headers["Accept-Signature"] = wish
            self.report.bytes["answer's signature"] = field_bytes("Accept-Signature", wish)
        self.request = request

    def receive(self, response: httpx.Response) -> None:
        """Verify the answer's signature, and put what was sealed in the place of its body.

        Raises:
            ResponseRefused: not signed by the server's key for this request, or sealed to somebody else.
        """
        response.extensions[REPORT] = self.report
        if self._credentials.server_key is None:  # the body may not have been read, and nothing is to be held to
            return
        answer = Response(response.status_code, tuple(response.headers.raw), response.content)
        if not self._verified(answer, self._credentials.server_key):
            return
        content_type = response.headers.get("content-type", "")
        if self._sealer is None:
            if is_sealed(content_type):
                raise ResponseRefused("the answer is sealed, and the request was not")
            return
        if not is_sealed(content_type):
            # Refusals that come before the body is opened, and answers without one, are in the clear.
            if response.content and not response.is_client_error and not response.is_server_error:
                raise ResponseRefused("the answer is not sealed, and the request was")
            return
        began = time.perf_counter()
        try:
            sealed_type = SealedType.parse(content_type)
            context = response_context(self._context, status=response.status_code, content_type=content_type)
            body = self._sealer.open(sealed_type, response.content, context)
        except CryptoError as error:
            raise ResponseRefused(f"the answer cannot be opened: {error}") from error
        self.report.timed("open", began)
        growth = len(content_type) - len(sealed_type.content_type)
        self.report.bytes["answer's seal"] = len(response.content) - len(body) + growth
        self.report.answer = SealReport(
            sealed_type.algorithm.value, sealed_type.kid, context, len(body), len(response.content)
        )
        # httpx has no public way to give an answer another body, and hands out this very object.
        response._content = body
        response.headers["Content-Type"] = sealed_type.content_type
        response.headers["Content-Length"] = str(len(body))

    def _sealed(self, request: httpx.Request, sealer: Sealer, nonce: str) -> httpx.Request:
        began = time.perf_counter()
        sealed_type = sealer.sealed_type(request.headers["Content-Type"])
        self._context = request_context(
            signable(request),
            content_type=sealed_type.text,
            keyid=self._credentials.keys[0].keyid,
            nonce=nonce,
        )
        body = sealer.seal(request.content, self._context)
        self.report.timed("seal", began)
        growth = len(sealed_type.text) - len(sealed_type.content_type)
        self.report.bytes["seal"] = len(body) - len(request.content) + growth
        self.report.request = SealReport(
            sealed_type.algorithm.value, sealed_type.kid, self._context, len(request.content), len(body)
        )
        sealed = with_body(request, body)
        sealed.headers["Content-Type"] = sealed_type.text
        return sealed

    def _verified(self, answer: Response, key: VerificationKey) -> bool:
        began = time.perf_counter()
        try:
            signed = answer.field(b"signature") is not None
            if not signed and (_may_be_unsigned(answer.status) or is_public(self._signed.path)):
                return False
            verify_response(answer, self._signed, self._inputs, key, keyid=self._credentials.server_keyid, label=LABEL)
        except CryptoError as error:
            raise ResponseRefused(f"the answer (HTTP {answer.status}) is not the server's: {error}") from error
        self.report.timed("verify", began)
        self.report.signed_by = self._credentials.server_keyid
        self.report.bytes["answer's signature"] += sum(
            field_bytes(name, value) for name, value in answer.headers if name.lower() in _SIGNATURE_FIELDS
        )
        return True


def require_readable(request: httpx.Request, kind: type[httpx.SyncByteStream | httpx.AsyncByteStream]) -> None:
    """See that a client of this kind can read the request's body, which is signed as a whole.

    Raises:
        ClientError: it comes from an iterator of the other kind.
    """
    if not isinstance(request.stream, kind):
        client, iterator = ("an AsyncClient", "an async") if kind is httpx.AsyncByteStream else ("a Client", "a plain")
        raise ClientError(f"{client} cannot read this body: give it bytes, or {iterator} iterator")


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


def with_body(request: httpx.Request, body: bytes) -> httpx.Request:
    """Copy a request with a body that is in memory, whatever the length or the encoding of the stream was."""
    headers = [line for line in request.headers.raw if line[0].lower() not in _OF_THE_STREAM]
    return httpx.Request(request.method, request.url, headers=headers, content=body, extensions=request.extensions)


def is_public(path: str) -> bool:
    """Tell whether everybody may read a path, so that nobody signs what is there."""
    return path in _PUBLIC_PATHS or path.startswith("/docs/")


def _may_be_unsigned(status: int) -> bool:
    return status in _BEFORE_SIGNING or status >= HTTPStatus.INTERNAL_SERVER_ERROR or 300 <= status < 400
