from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest

from secure_api.cli.errors import CliError
from secure_api.client.patience import Patience, is_repeatable
from secure_api.client.studies import StudyClient

REQUEST = httpx.Request("GET", "http://server/")


def answered(status: int) -> httpx.HTTPStatusError:
    return httpx.HTTPStatusError("answered", request=REQUEST, response=httpx.Response(status, request=REQUEST))


UNSENT = httpx.ConnectError("refused")
LOST = [httpx.ReadError("reset"), httpx.ReadTimeout("late"), httpx.RemoteProtocolError("gone"), answered(503)]


@dataclass
class Away:
    """A server that is away for a while, and a clock that only waiting moves."""

    errors: list[Exception]
    waits: list[float] = field(default_factory=list)

    def send(self) -> str:
        if self.errors:
            raise self.errors.pop()
        return "done"

    def patience(self, seconds: float = 100.0) -> Patience:
        return Patience(seconds, 1.0, 8.0, lambda: sum(self.waits), self.waits.append, lambda: 1.0)


@pytest.mark.parametrize("error", [UNSENT, *LOST])
def test_a_server_that_is_away_is_asked_again_later_and_later(error: Exception) -> None:
    away = Away([error] * 6)
    assert away.patience().ask(away.send, repeatable=True) == "done"
    assert away.waits == [1, 2, 4, 8, 8, 8]


def test_what_the_command_line_makes_of_an_error_is_told_by_its_cause() -> None:
    explained = CliError("no answer")
    explained.__cause__ = UNSENT
    away = Away([explained])
    assert away.patience().ask(away.send, repeatable=False) == "done"


@pytest.mark.parametrize("error", LOST)
def test_what_may_have_been_carried_out_is_not_sent_again_unless_that_changes_nothing(error: Exception) -> None:
    away = Away([error])
    with pytest.raises(type(error)):
        away.patience().ask(away.send, repeatable=False)
    assert away.waits == []


@pytest.mark.parametrize("error", [answered(409), answered(500), CliError("not you"), ValueError("a defect")])
def test_an_answer_is_an_answer(error: Exception) -> None:
    away = Away([error, error])
    with pytest.raises(type(error)):
        away.patience().ask(away.send, repeatable=True)
    assert len(away.errors) == 1


def test_patience_ends_at_its_deadline() -> None:
    away = Away([UNSENT] * 100)
    with pytest.raises(httpx.ConnectError):
        away.patience(20).ask(away.send, repeatable=True)
    assert away.waits == [1, 2, 4, 8, 5]


@pytest.mark.parametrize(
    ("method", "path", "repeatable"),
    [
        ("GET", "/v1/studies", True),
        ("PUT", "/v1/studies/x/contribution", True),
        ("POST", "/v1/studies/x/close", True),
        ("POST", "/v1/studies/x/party-abort", True),
        ("POST", "/v1/studies/x/abort", False),
        ("POST", "/v1/studies", False),
    ],
)
def test_which_requests_may_be_carried_out_twice(method: str, path: str, repeatable: bool) -> None:
    assert is_repeatable(method, path) is repeatable


def over(handle: Callable[[httpx.Request], httpx.Response], away: Away) -> StudyClient:
    http = httpx.Client(transport=httpx.MockTransport(handle), base_url="http://server")
    return StudyClient.over(http, away.patience())


def test_a_server_that_never_answered_is_not_waited_for() -> None:
    away = Away([UNSENT] * 3)

    def handle(_request: httpx.Request) -> httpx.Response:
        away.send()
        return httpx.Response(200, json={"sha256": "ab"})

    client = over(handle, away)
    with pytest.raises(httpx.ConnectError):
        client.contribute("study", b"x")
    away.errors.clear()
    client.contribute("study", b"x")
    away.errors[:] = [UNSENT] * 3
    assert client.contribute("study", b"x") == "ab"
    assert away.waits == [1, 2, 4]
