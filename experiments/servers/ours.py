"""The product's authentication in front of the route: its middleware, with the arguments that `create_app` gives it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from experiments.installation import settings_of
from experiments.servers.home import SETTINGS
from experiments.servers.route import WORKER, make_app
from secure_api import logs
from secure_api.api.middleware.signatures import SignatureMiddleware
from secure_api.api.routers import sessions, status
from secure_api.app import create_app


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
    ours: Any = next(part for part in whole.user_middleware if getattr(part, "cls", None) is SignatureMiddleware)
    app.add_middleware(SignatureMiddleware, **{**ours.kwargs, "public": ours.kwargs["public"] | {WORKER}})
    return app
