"""Patience: a request to a server that does not answer is sent again, later and later, until a deadline.

Only requests that may be carried out twice are sent twice (RFC 9110, section 9.2.2): an answer that got lost says
nothing of the request. Others are sent again when no connection was made. Waits double, and vary by half ("equal
jitter"; Brooker, *Exponential Backoff and Jitter*, 2015), so that clients do not come back all at once.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeVar

import httpx

Answer = TypeVar("Answer")

#: A proxy without its server; a server that is about to stop, or cannot reach its database.
AWAY_STATUSES: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
_UNSENT: Final = httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout
_UNANSWERED: Final = httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError
_REPEATABLE_POSTS: Final = ("/v1/contexts", "/close", "/party-abort")


@dataclass(frozen=True, slots=True)
class Patience:
    """How a server that does not answer is asked again: for `seconds`, after waits of `first` to `most` seconds."""

    seconds: float = 300.0
    first: float = 0.25
    most: float = 15.0
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def ask(self, send: Callable[[], Answer], repeatable: bool) -> Answer:
        """Return what `send` returns at last.

        Raises what `send` raises: when the server is there, when a request that is not `repeatable` might be carried
        out twice, or when the time is over. What `send` raises may also have an error of httpx as its cause.
        """
        until, wait = self.clock() + self.seconds, self.first
        while True:
            try:
                return send()
            except Exception as error:
                left = until - self.clock()
                if left <= 0 or not _may_be_sent_again(error, repeatable):
                    raise
            self.pause(min(left, wait * (1 + self.chance()) / 2))
            wait = min(self.most, 2 * wait)


def is_repeatable(method: str, path: str) -> bool:
    """Tell whether a request to the API changes nothing more when it is carried out again."""
    return method != "POST" or path.endswith(_REPEATABLE_POSTS)


def _may_be_sent_again(error: Exception, repeatable: bool) -> bool:
    met = error if isinstance(error, httpx.HTTPError) else error.__cause__
    if isinstance(met, _UNSENT):
        return True
    if isinstance(met, httpx.HTTPStatusError):
        return repeatable and met.response.status_code in AWAY_STATUSES
    return repeatable and isinstance(met, _UNANSWERED)
