"""The event loop that arms run in: the one that the product's server takes."""

import asyncio


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Make a loop of uvloop where that is installed, else of asyncio, as uvicorn does for the server."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
