"""The product in front of the route: its layers that authenticate and watch, with the arguments of `create_app`."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI

from experiments.installation import settings_of
from experiments.servers.home import SETTINGS
from experiments.servers.route import WORKER, make_app
from secure_api import logs
from secure_api.api.middleware.behavior import RestrictionMiddleware, WatchMiddleware
from secure_api.api.middleware.signatures import SignatureMiddleware
from secure_api.api.routers import sessions, status
from secure_api.app import create_app

LAYERS: Final = frozenset({RestrictionMiddleware, SignatureMiddleware, WatchMiddleware})


def build(home: Path) -> FastAPI:
    """Make the application of a home. Raises ConfigurationError (no such provider here)."""
    logs.configure("error", "json")
    whole = create_app(settings_of(home, **json.loads((home / SETTINGS).read_text())))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with whole.router.lifespan_context(whole):  # opens the stores, and sweeps them every minute
            yield

    app = make_app(lifespan)
    app.state.server = whole.state.server
    for module in (sessions, status):  # behind the route that is measured
        app.include_router(module.router)
    for layer in reversed(whole.user_middleware):  # what is added last stands before the others
        kind: Any = layer.cls
        if kind in LAYERS:
            given: dict[str, Any] = dict(layer.kwargs)
            if kind is SignatureMiddleware:
                given["public"] = given["public"] | {WORKER}
            app.add_middleware(kind, **given)
    return app
