"""Domain errors to HTTP: the only place that knows both.

Every problem `type` is `urn:problem-type:secure-api:<slug>`, the slug being the error class's own; docs/problems.md
lists them. RFC 9457.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from rfc9457 import Problem

from secure_api.data.errors import DatabaseUnavailable
from secure_api.domain.errors import (
    AuthenticationFailed,
    BadCursor,
    ConfigurationError,
    Conflict,
    DomainError,
    Forbidden,
    FreshSignatureRequired,
    HeadersTooLarge,
    Invalid,
    JsonRejected,
    LedgerTampered,
    NotFound,
    NotReady,
    PayloadTooLarge,
    RequestTimeout,
    SealedBodyRejected,
    Throttled,
    UnsupportedMediaType,
)

MAX_ECHO = 300  # characters
TYPE_PREFIX = "urn:problem-type:secure-api:"

#: What a peer must cover and send; the answer to a request that was not believed carries it (RFC 9421 §5.1).
ACCEPT_SIGNATURE = (
    'sig1=("@method" "@authority" "@path" "@query" "content-type" "content-digest")'
    ';created;expires;nonce;keyid;alg;tag="secure-api"'
)


@dataclass(frozen=True, slots=True)
class Answer:
    """How an error class looks over HTTP."""

    status: HTTPStatus
    title: str
    headers: Mapping[str, str] = field(default_factory=dict)


RETRY = MappingProxyType({"Retry-After": "1"})

ANSWERS: Mapping[type[DomainError], Answer] = MappingProxyType(
    {
        AuthenticationFailed: Answer(
            HTTPStatus.UNAUTHORIZED,
            "Authentication failed",
            MappingProxyType({"WWW-Authenticate": "Signature", "Accept-Signature": ACCEPT_SIGNATURE}),
        ),
        FreshSignatureRequired: Answer(
            HTTPStatus.FORBIDDEN, "Fresh signature required", MappingProxyType({"Accept-Signature": ACCEPT_SIGNATURE})
        ),
        Throttled: Answer(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests", RETRY),
        Forbidden: Answer(HTTPStatus.FORBIDDEN, "Forbidden"),
        NotFound: Answer(HTTPStatus.NOT_FOUND, "Not found"),
        Conflict: Answer(HTTPStatus.CONFLICT, "Conflict"),
        JsonRejected: Answer(HTTPStatus.BAD_REQUEST, "JSON rejected"),
        BadCursor: Answer(HTTPStatus.BAD_REQUEST, "Bad cursor"),
        Invalid: Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "Validation failed"),
        PayloadTooLarge: Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Payload too large"),
        HeadersTooLarge: Answer(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "Header fields too large"),
        UnsupportedMediaType: Answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unsupported media type"),
        SealedBodyRejected: Answer(HTTPStatus.BAD_REQUEST, "Sealed body rejected"),
        RequestTimeout: Answer(HTTPStatus.REQUEST_TIMEOUT, "Request timeout"),
        DatabaseUnavailable: Answer(HTTPStatus.SERVICE_UNAVAILABLE, "Database unavailable", RETRY),
        NotReady: Answer(HTTPStatus.SERVICE_UNAVAILABLE, "Not ready", RETRY),
        LedgerTampered: Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error"),
        ConfigurationError: Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error"),
        DomainError: Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error"),
    }
)


def answer_for(error: DomainError) -> Answer:
    """Find the answer of the nearest class in the error's ancestry that has one."""
    return next(ANSWERS[kind] for kind in type(error).__mro__ if kind in ANSWERS)


def problem_of(error: DomainError) -> tuple[Problem, Mapping[str, str]]:
    """Turn a domain error into its problem and the header fields that go with it."""
    answer = answer_for(error)
    extras: dict[str, Any] = {}
    if isinstance(error, JsonRejected):
        place = {"pointer": short(error.pointer), "line": error.line, "column": error.column}
        extras["errors"] = [{"reason": error.reason, "detail": short(error.detail), **place}]
    elif isinstance(error, Invalid) and error.pointer is not None:
        extras["errors"] = [{"pointer": short(error.pointer), "detail": short(error.detail)}]
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR and answer.status != HTTPStatus.SERVICE_UNAVAILABLE:
        return problem_of_status(answer.status), {}
    problem = Problem(
        answer.title,
        type_=TYPE_PREFIX + error.slug,
        detail=short(error.detail),
        status=int(answer.status),
        **extras,
    )
    return problem, answer.headers


def problem_of_status(status: int) -> Problem:
    """Give the problem of a bare HTTP status, as the router raises it (no such route, method not allowed)."""
    known = HTTPStatus(status)
    if known is HTTPStatus.INTERNAL_SERVER_ERROR:
        return Problem(
            "Internal error",
            type_=TYPE_PREFIX + "internal",
            detail="Something went wrong here; the log has the request's id.",
            status=status,
        )
    slug = known.phrase.lower().replace(" ", "-")
    return Problem(known.phrase, type_=TYPE_PREFIX + slug, detail=known.description or None, status=status)


def problem_of_validation(errors: list[dict[str, str]]) -> Problem:
    """Give the problem of a well-formed request whose members break the schema."""
    return Problem(
        "Validation failed",
        type_=TYPE_PREFIX + Invalid.slug,
        detail="The request does not have the form that this route takes.",
        status=int(HTTPStatus.UNPROCESSABLE_ENTITY),
        errors=errors,
    )


def short(text: str) -> str:
    """Cut what may echo a member's name, which can be as long as a body."""
    return text if len(text) <= MAX_ECHO else text[:MAX_ECHO] + "..."
