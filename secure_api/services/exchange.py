"""One authenticated request and its answer: what was sealed is opened, the answer is sealed and signed.

The keys follow from how the request came: within a session they are the session's, else the server's signing key, the
server's sealing keys, and the reply key that the client put before the body it sealed.
"""

import secrets
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from crypto import (
    KEM_ALGORITHMS,
    NONCE_BYTES,
    REPLY_KID,
    CryptoError,
    FieldSyntaxError,
    KemAlgorithm,
    PrivateKey,
    Response,
    SealedType,
    SealingAlgorithm,
    SealingPublicKey,
    SignedRequest,
    UnsealingError,
    is_sealed,
    open_under,
    request_context,
    response_context,
    seal_under,
    sign_response,
    wanted_label,
)
from secure_api.domain.clock import Clock
from secure_api.domain.errors import Invalid, SealedBodyRejected
from secure_api.services.authentication import Authentication
from secure_api.services.sealing_keyring import SealingKeyring
from secure_api.services.session_keeper import OpenSession

_REPLY_BYTES: Final = KEM_ALGORITHMS[KemAlgorithm.X_WING].public_key_bytes
_BODILESS: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_NO_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class OpenedBody:
    """A request's body as the routes read it, and, if it came sealed, how to seal the answer."""

    body: bytes
    content_type: str
    context: bytes | None = None
    reply_key: SealingPublicKey | None = None


class Exchanger:
    """Opens requests and prepares answers, for one server process."""

    def __init__(self, keyring: SealingKeyring, server_key: PrivateKey, *, clock: Clock) -> None:
        self._keyring = keyring
        self._server_key = server_key
        self._clock = clock

    async def open(self, signed: SignedRequest, body: bytes, session: OpenSession | None) -> OpenedBody:
        """Open a request's body, if it is sealed.

        Raises:
            SealedBodyRejected: malformed, under a key that is not the caller's to use, or for another request.
        """
        request = signed.request
        content_type = (request.field(b"content-type") or b"").decode("latin-1")
        if not is_sealed(content_type):
            return OpenedBody(body, content_type)
        first = signed.labels[0]
        try:
            sealed_type = SealedType.parse(content_type)
            context = request_context(request, content_type=content_type, keyid=first.keyid, nonce=first.nonce)
            if sealed_type.algorithm is SealingAlgorithm.AES_256_GCM:
                if session is None or sealed_type.kid != session.keys.session:
                    raise SealedBodyRejected
                plaintext = open_under(session.keys.client_aead, body, context)
                return OpenedBody(plaintext, sealed_type.content_type, context)
            if session is not None:
                raise SealedBodyRejected("Within a session, a body is sealed under the session's keys.")
            key = await self._keyring.find(sealed_type.kid)
            if key is None:
                raise SealedBodyRejected(
                    "The body is sealed to a key that is not here (any more): fetch the keys anew."
                )
            plaintext = key.open(body, context)
            if len(plaintext) < _REPLY_BYTES:
                raise SealedBodyRejected("A sealed body begins with the key that the answer is sealed to.")
            reply_key = SealingPublicKey(plaintext[:_REPLY_BYTES])
        except (UnsealingError, FieldSyntaxError) as error:
            raise SealedBodyRejected from error
        except CryptoError as error:
            raise SealedBodyRejected(f"The key to seal the answer to: {error}.") from error
        return OpenedBody(plaintext[_REPLY_BYTES:], sealed_type.content_type, context, reply_key)

    def seal(self, response: Response, opened: OpenedBody, session: OpenSession | None) -> Response:
        """Seal an answer to a request that came sealed; any other stays as it is, and one that cannot have a body."""
        if opened.context is None or response.status in _BODILESS:
            return response
        inner = (response.field(b"content-type") or _NO_TYPE.encode()).decode("latin-1")
        if opened.reply_key is not None:
            sealed_type = SealedType(SealingAlgorithm.HPKE_X_WING, REPLY_KID, inner).text
            context = response_context(opened.context, status=response.status, content_type=sealed_type)
            body = opened.reply_key.seal(response.body, context)
        else:
            assert session is not None  # noqa: S101 - `open` lets nobody else seal under a session's keys
            sealed_type = SealedType(SealingAlgorithm.AES_256_GCM, session.keys.session, inner).text
            context = response_context(opened.context, status=response.status, content_type=sealed_type)
            nonce = secrets.token_bytes(NONCE_BYTES)
            body = seal_under(session.keys.server_aead, response.body, context, nonce)
        headers = [line for line in response.headers if line[0] not in (b"content-type", b"content-length")]
        headers += [(b"content-type", sealed_type.encode("ascii")), (b"content-length", b"%d" % len(body))]
        return replace(response, headers=tuple(headers), body=body)

    def label_for(self, signed: SignedRequest, session: OpenSession | None) -> str | None:
        """Give the label under which the request asks for a signed answer; None when it does not, or for another's.

        Raises:
            Invalid: the field that asks is malformed.
        """
        wish = signed.request.field(b"accept-signature")
        if wish is None:
            return None
        key = self._server_key if session is None else session.keys.server_mac
        try:
            return wanted_label(wish, [label.input for label in signed.labels], key)
        except FieldSyntaxError as error:
            raise Invalid("Accept-Signature is not what RFC 9421 §5.1 makes of it.") from error

    def sign(self, response: Response, authentication: Authentication, label: str) -> Response:
        """Sign an answer, bound to the request; one without a content type gets one, as the signature covers it."""
        if response.field(b"content-type") is None:
            response = replace(response, headers=(*response.headers, (b"content-type", _NO_TYPE.encode())))
        session, signed = authentication.session, authentication.signed
        fields = sign_response(
            response,
            signed.request,
            [entry.input for entry in signed.labels],
            self._server_key if session is None else session.keys.server_mac,
            label=label,
            created=int(self._clock().timestamp()),
        )
        lines = tuple((name.encode(), value.encode()) for name, value in fields)
        return replace(response, headers=(*response.headers, *lines))
