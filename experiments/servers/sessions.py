"""Sessions of the product, opened before what is measured."""

import time
from typing import Final

import httpx

from crypto import KemAlgorithm, SessionKeys
from experiments.errors import ArmFailed
from experiments.servers.keys import admin_key, server_key
from secure_api.client import ClientError, Session, SignatureAuth
from secure_api.client.active_session import ActiveSession

PATH: Final = "/v1/sessions"
#: The part of its requests after which a session is replaced by a new one, and the seconds that it must have left.
_USED: Final = 0.75
_LEFT: Final = 60


class Sessions:
    """The session in use of one client of one server."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._current: ActiveSession | None = None

    def keys(self, count: int) -> SessionKeys:
        """Take `count` requests from the session in use, or from a new one. Raises ArmFailed."""
        session = self._current
        if session is None or not session.alive(time.time() + _LEFT) or not _holds(session, count):
            session = self._current = open_session(self._url, KemAlgorithm.X_WING)
        session.requests += count
        session.last_used = time.time()
        return session.keys


def open_session(url: str, suite: KemAlgorithm) -> ActiveSession:
    """Open a session by the product's client, which believes only the server's signature, and send a request in it.

    Raises ArmFailed.
    """
    session = Session(SignatureAuth(admin_key(), server_key=server_key().public_key), suite=suite)
    try:
        with httpx.Client(base_url=url, auth=session, trust_env=False) as http:
            http.get(PATH).raise_for_status()
    except (ClientError, httpx.HTTPError) as error:
        raise ArmFailed(f"the server opens no session: {error}") from error
    if session.current is None:
        raise ArmFailed("the server opens no session")
    return session.current


def _holds(session: ActiveSession, count: int) -> bool:
    return session.requests + count <= session.max_requests * _USED
