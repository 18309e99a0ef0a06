"""TCP ports for private servers."""

import socket


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now.

    Somebody may take it before the server does: starters retry when the server says that it is in use.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
