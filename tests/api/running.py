"""Running the application of some settings in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from secure_api.app import create_app
from secure_api.settings import Settings
from tests.consortium import AUTHORITY, Consortium, SteeredClock


@asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[Consortium]:
    """Start the application, and stop it; what it raises beyond its own error handlers stays its own."""
    clock = SteeredClock()
    app = create_app(settings, clock=clock)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=f"http://{AUTHORITY}") as http,
    ):
        yield Consortium(app, http, clock, settings)


def altered(settings: Settings, **values: Any) -> Settings:
    """Give settings with other values, checked as they are when they are read."""
    return Settings(**{**settings.model_dump(), **values})
