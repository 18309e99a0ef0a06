"""What routes ask for: the caller's view, or the caller's transaction.

Both end before the response is sent (`scope="function"`): when the commit fails, the peer is told so. Every
dependency is a coroutine function: FastAPI would run plain ones in threads, at ten times their cost.
"""

from collections.abc import AsyncIterator
from typing import Annotated

import structlog
from fastapi import Depends, Request

from secure_api.api.server import Server
from secure_api.data.database import WriteSession
from secure_api.data.errors import DatabaseUnavailable
from secure_api.domain.caller import Caller
from secure_api.domain.errors import AuthenticationFailed
from secure_api.services.authentication import Authentication
from secure_api.services.work import View, Work

log = structlog.get_logger("secure_api.api")


async def get_server(request: Request) -> Server:
    """Give the server's parts."""
    server: Server = request.app.state.server
    return server


async def get_authentication(request: Request) -> Authentication:
    """Give what the request's signatures prove.

    Raises:
        AuthenticationFailed: they were not checked; a route that asks for them is never public.
    """
    authentication = getattr(request.state, "authentication", None)
    if not isinstance(authentication, Authentication):
        raise AuthenticationFailed("not-authenticated")
    return authentication


ServerDependency = Annotated[Server, Depends(get_server)]
AuthenticationDependency = Annotated[Authentication, Depends(get_authentication)]


async def get_caller(authentication: AuthenticationDependency) -> Caller:
    """Give the calling client.

    Raises:
        AuthenticationFailed: the request was signed by keys that are still enrolling.
    """
    if authentication.caller is None:
        raise AuthenticationFailed("not-enrolled")
    return authentication.caller


CallerDependency = Annotated[Caller, Depends(get_caller)]


async def get_view(server: ServerDependency, caller: CallerDependency) -> AsyncIterator[View]:
    """Open the caller's view."""
    async with server.database.read() as session:
        yield View(session, caller, server.clock, server.limits)


async def get_work(server: ServerDependency, caller: CallerDependency) -> AsyncIterator[Work]:
    """Open the caller's transaction."""
    async with server.database.write() as session:
        work = Work(session, caller, server.clock, server.limits, server.nonces)
        yield work
    if work.ended:
        try:
            # Once more: a worker may have found them active in the moment before the commit, when told to look anew.
            await server.nonces.forget(work.ended, int(server.clock().timestamp()))
        except DatabaseUnavailable as error:
            log.warning("could not tell the store of nonces what ended", error=error.detail)


async def get_write_session(server: ServerDependency) -> AsyncIterator[WriteSession]:
    """Open a transaction for somebody who is no client yet."""
    async with server.database.write() as session:
        yield session


ViewDependency = Annotated[View, Depends(get_view, scope="function")]
WorkDependency = Annotated[Work, Depends(get_work, scope="function")]
WriteSessionDependency = Annotated[WriteSession, Depends(get_write_session, scope="function")]
