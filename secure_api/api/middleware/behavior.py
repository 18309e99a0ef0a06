"""Handing finished requests over to behavior analysis, and heeding what it found of earlier ones.

Two layers: the outer one stands before authentication and sees every request; the inner one stands behind it, where
the caller and the route are known. What they do for a request is a few look-ups in dictionaries and one append.
"""

import time
from typing import Any, Final

from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crypto import MacAlgorithm
from secure_api.api.problem import METHODS, respond_to
from secure_api.domain.clock import Clock
from secure_api.domain.errors import AuthenticationFailed, DomainError
from secure_api.services.authentication import Authentication
from secure_api.services.behavior.facts import Claim, Facts, Refused
from secure_api.services.behavior.office import BehaviorOffice

MAX_OBJECT: Final = 200  # characters of a path's parameter that are looked at
MAX_AGENT: Final = 200  # bytes of a user agent
MAX_DIGITS: Final = 12
#: What the layers and the signatures' middleware leave for one another in the request's state.
MATCHED, RESTRICTED, REFUSED = "behavior_matched", "behavior_restricted", "refused"


class WatchMiddleware:
    """Check the network of every request, and hand it over when its answer has been sent."""

    def __init__(
        self, app: ASGIApp, office: BehaviorOffice, public: frozenset[str], clock: Clock, refused: Counter
    ) -> None:
        self.app = app
        self.office = office
        self.public = public
        self.clock = clock
        self.refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"] in self.public:
            await self.app(scope, receive, send)
            return
        if self.office.restrictions.any_network:
            try:
                self.office.check_network(address_of(scope), self.clock().timestamp())
            except AuthenticationFailed as error:
                await respond_to(error, self.refused)(scope, receive, send)
                return
        began = time.perf_counter()
        status, size = 500, 0

        async def watch(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            state = scope.get("state", {})
            if RESTRICTED not in state:  # else the consequences of an alert would prolong it
                self.office.offer(
                    facts_of(scope, state, self.clock().timestamp(), time.perf_counter() - began, status, size)
                )


class RestrictionMiddleware:
    """Check the caller of an authenticated request, and note its route for the outer layer."""

    def __init__(self, app: ASGIApp, office: BehaviorOffice, clock: Clock, refused: Counter) -> None:
        self.app = app
        self.office = office
        self.clock = clock
        self.refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        state = scope.get("state", {})
        authentication = state.get("authentication")
        if not isinstance(authentication, Authentication):
            await self.app(scope, receive, send)
            return
        if len(self.office.restrictions) and authentication.caller is not None:
            try:
                self.office.check_client(
                    authentication.caller.client_id,
                    address_of(scope),
                    self.clock().timestamp(),
                    in_session=authentication.session is not None,
                )
            except DomainError as error:
                state[RESTRICTED] = True
                await respond_to(error, self.refused)(scope, receive, send)
                return
        try:
            await self.app(scope, receive, send)
        finally:
            # The scope may be a copy that the outer layer does not see; its state is the same.
            state[MATCHED] = (scope.get("route"), scope.get("path_params"))


def address_of(scope: Scope) -> str:
    """Give the peer's address, or "" (a Unix socket)."""
    client = scope.get("client")
    return client[0] if client else ""


def facts_of(
    scope: Scope, state: dict[str, Any], now: float, latency: float, status: int, response_bytes: int
) -> Facts:
    """Gather what is handed over of a finished request; anything may have been sent, and nothing is raised."""
    agent, length = b"", b"0"
    for name, value in scope["headers"]:
        if name == b"user-agent":
            agent = value[:MAX_AGENT]
        elif name == b"content-length":
            length = value
    authentication, refused = state.get("authentication"), state.get(REFUSED)
    caller = authentication.caller if isinstance(authentication, Authentication) else None
    route, parameters = state.get(MATCHED, (None, None))
    thing = str(next(iter(parameters.values())))[:MAX_OBJECT] if parameters else ""
    return Facts(
        now,
        address_of(scope),
        "" if caller is None else caller.client_id,
        "" if caller is None else caller.organization_id,
        scope["method"] if scope["method"] in METHODS else "other",
        getattr(route, "path", ""),
        status,
        thing,
        agent,
        int(length) if len(length) <= MAX_DIGITS and length.isdigit() else 0,
        response_bytes,
        latency if latency > 0.0 else 0.0,
        None if refused is None else _refused(*refused),
    )


def _refused(reason: str, labels: Any) -> Refused:
    return Refused(reason, tuple(Claim(label.keyid, isinstance(label.algorithm, MacAlgorithm)) for label in labels))
