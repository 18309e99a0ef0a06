"""Problems as responses (RFC 9457), and the handlers that make every error one."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import structlog
from asgi_correlation_id import correlation_id
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import Counter
from rfc9457 import Problem
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from secure_api.api import error_map
from secure_api.domain import strict_json
from secure_api.domain.errors import AuthenticationFailed, DomainError

MEDIA_TYPE = "application/problem+json"

#: Names of the two forms of a body that is one thing or an array of them. Pydantic puts the form that it took first
#: in an error's location, where it is no part of the place in the document.
UNION_TAGS = ("(one)", "(many)")

#: Broken rules that one answer names: a body can break as many as it has bytes.
MAX_FINDINGS = 20
#: The methods that a route can have.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

log = structlog.get_logger("secure_api.errors")


def respond(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Make the response of a problem; `instance` is the request's id, by which the log knows it."""
    document = problem.marshal()
    if (request_id := correlation_id.get()) is not None:
        document["instance"] = f"urn:request-id:{request_id}"
    return Response(
        strict_json.dumps(document),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def respond_to(error: DomainError, refused: Counter | None = None) -> Response:
    """Make the response of a domain error; log, and count in `refused`, what the peer is not told."""
    problem, headers = error_map.problem_of(error)
    if isinstance(error, AuthenticationFailed):
        if refused is not None:
            refused.labels(error.reason).inc()
        log.warning("authentication failed", reason=error.reason)
    elif problem.status >= 500:
        log.error("request failed", error=error.detail, exc_info=error)
    return respond(problem, headers)


def install(app: FastAPI, refused: Counter) -> None:
    """Make every error of the application a problem document; `refused` counts failed authentications by reason."""

    @app.exception_handler(DomainError)
    async def domain_error(_request: Request, error: DomainError) -> Response:
        return respond_to(error, refused)

    @app.exception_handler(HTTPException)
    async def http_exception(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(allowed_methods(request))
        return respond(error_map.problem_of_status(error.status_code), headers)

    @app.exception_handler(RequestValidationError)
    async def validation_error(_request: Request, error: RequestValidationError) -> Response:
        findings = [_finding(item) for item in error.errors()[:MAX_FINDINGS]]
        return respond(error_map.problem_of_validation(findings))

    @app.exception_handler(Exception)
    async def unexpected(_request: Request, error: Exception) -> Response:
        log.error("unexpected error", exc_info=error)
        # This answer is given outside the middleware that adds the request's id to all others.
        request_id = correlation_id.get()
        return respond(error_map.problem_of_status(500), {} if request_id is None else {"X-Request-ID": request_id})


def allowed_methods(request: Request) -> list[str]:
    """List the methods that the request's path has (RFC 9110 §15.5.6): the router knows of its first route alone."""
    routes: Sequence[BaseRoute] = request.app.routes
    return [
        method
        for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


def _finding(item: dict[str, object]) -> dict[str, str]:
    """Name one broken rule and its place; never the value, which may be large or secret."""
    location = item.get("loc")
    parts = [str(part) for part in location] if isinstance(location, tuple) else []
    where, rest = (parts[0], parts[1:]) if parts else ("body", [])
    detail = str(item.get("msg", "is not valid"))
    if where == "body":
        if rest and rest[0] in UNION_TAGS:
            rest = rest[1:]
        pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in rest)
        return {"pointer": error_map.short(pointer), "detail": detail}
    return {"in": where, "parameter": ".".join(rest), "detail": detail}
