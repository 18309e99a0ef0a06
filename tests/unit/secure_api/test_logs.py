"""Logs: one JSON object a line, with the request's id, without secrets, from every library alike."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from asgi_correlation_id import correlation_id

from secure_api import logs

TOKEN = "sat_" + "aB3-" * 10 + "xyz"
URL = "postgresql+asyncpg://alice:s3cr3t@db.example.org/consortium"
KEY = "-----BEGIN PRIVATE KEY-----\nMDQCAQAwCwYJYIZIAWUDBAMRBCKAIHNlY3JldA==\n-----END PRIVATE KEY-----\n"

#: Loggers that `configure` touches.
NAMES = ["", "uvicorn", "uvicorn.error", "uvicorn.access", "aiosqlite", "asyncio", "alembic", "sqlalchemy.pool"]


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Put everybody's logging back as it was; pytest itself comes and goes with its handlers."""
    loggers = [logging.getLogger(name) for name in NAMES]
    before = [(logger, logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, level, propagate in before:
        logger.setLevel(level)
        logger.propagate = propagate
        logger.handlers = [
            handler
            for handler in logger.handlers
            if not isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
        ]
    structlog.reset_defaults()


class Lines:
    """What was written to stderr since the last look."""

    def __init__(self) -> None:
        self.stderr = io.StringIO()

    def configure(self, level: str, form: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stderr", self.stderr)
            logs.configure(level, form)

    def text(self) -> str:
        text = self.stderr.getvalue()
        self.stderr.seek(0)
        self.stderr.truncate()
        return text

    def __call__(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]

    def one(self) -> dict[str, Any]:
        (line,) = self()
        return line


@pytest.fixture
def lines() -> Lines:
    lines = Lines()
    lines.configure("info", "json")
    return lines


def test_a_line_is_an_object_with_time_level_and_logger(lines: Lines) -> None:
    structlog.get_logger("secure_api.test").warning("something happened", count=3, ratio=0.5, none=None, yes=True)
    line = lines.one()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "something happened",
        "level": "warning",
        "logger": "secure_api.test",
        "count": 3,
        "ratio": 0.5,
        "none": None,
        "yes": True,
    }


def test_other_libraries_write_the_same(lines: Lines) -> None:
    for name in ("uvicorn", "uvicorn.error", "sqlalchemy.engine", "anything"):
        logging.getLogger(name).warning("Started %s process [%d]", "server", 7)
        line = lines.one()
        assert (line["event"], line["logger"], line["level"]) == ("Started server process [7]", name, "warning")


def test_uvicorn_keeps_no_handler_and_no_access_log_of_its_own(lines: Lines) -> None:
    """As uvicorn's own configuration would have left them."""
    logging.getLogger("uvicorn.access").addHandler(logging.StreamHandler())
    lines.configure("info", "json")
    logging.getLogger("uvicorn.access").info('127.0.0.1 - "GET / HTTP/1.1" 200')
    assert lines.text() == ""
    assert all(logging.getLogger(name).handlers == [] for name in ("uvicorn", "uvicorn.error", "uvicorn.access"))


def test_a_line_carries_the_id_of_the_request_at_work(lines: Lines) -> None:
    identifier = correlation_id.set("7f5c")
    structlog.get_logger("ours").info("one")
    logging.getLogger("theirs").info("two")
    correlation_id.reset(identifier)
    structlog.get_logger("ours").info("three")
    assert [line.get("request_id") for line in lines()] == ["7f5c", "7f5c", None]


def test_the_level_holds_and_noisy_libraries_are_kept_down(lines: Lines) -> None:
    structlog.get_logger("ours").debug("not shown")
    for name in ("aiosqlite", "asyncio", "alembic", "sqlalchemy.pool"):
        logging.getLogger(name).info("not shown")
        logging.getLogger(name).warning("shown")
    assert [line["event"] for line in lines()] == ["shown"] * 4
    lines.configure("error", "json")
    logging.getLogger("aiosqlite").warning("not shown")
    structlog.get_logger("ours").warning("not shown")
    structlog.get_logger("ours").error("shown")
    assert [line["event"] for line in lines()] == ["shown"]
    lines.configure("debug", "json")
    structlog.get_logger("ours").debug("shown")
    assert [line["event"] for line in lines()] == ["shown"]


def test_an_exception_stays_on_its_line(lines: Lines) -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        structlog.get_logger("ours").exception("failed")
    line = lines.one()
    assert "Traceback" in line["exception"]
    assert line["exception"].endswith("ValueError: two\nlines")


@pytest.mark.parametrize(
    "name",
    [
        "passphrase",
        "database_password",
        "Secret",
        "token",
        "private_key",
        "seed",
        "Authorization",
        "cookie",
        "signature",
    ],
)
def test_what_is_called_a_secret_is_blanked(lines: Lines, name: str) -> None:
    structlog.get_logger("ours").info("event", **{name: "s3cr3t", "nested": {"deep": [{name: "s3cr3t"}]}})
    line = lines.one()
    assert line[name] == "[redacted]"
    assert line["nested"] == {"deep": [{name: "[redacted]"}]}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (TOKEN, "sat_aB3-aB3-[redacted]"),
        (f"enroll --token {TOKEN}, please", "enroll --token sat_aB3-aB3-[redacted], please"),
        (URL, "postgresql+asyncpg://alice:[redacted]@db.example.org/consortium"),
        ("redis://:s3cr3t@cache:6379/0", "redis://:[redacted]@cache:6379/0"),
        (KEY, "-----BEGIN PRIVATE KEY-----[redacted]-----END PRIVATE KEY-----\n"),
        ("https://api.example.org:8000/v1?a=b", "https://api.example.org:8000/v1?a=b"),
        ("alice@example.org", "alice@example.org"),
        (
            [URL, (TOKEN,)],
            ["postgresql+asyncpg://alice:[redacted]@db.example.org/consortium", ["sat_aB3-aB3-[redacted]"]],
        ),
        ({1: TOKEN, "url": [URL]}, {"1": "sat_aB3-aB3-[redacted]", "url": [URL.replace("s3cr3t", "[redacted]")]}),
        ({"token": {"kept": "no"}}, {"token": "[redacted]"}),
        (ValueError(URL), f"ValueError('{URL.replace('s3cr3t', '[redacted]')}')"),
        (TOKEN.encode(), "b'sat_aB3-aB3-[redacted]'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_looks_like_a_secret_is_blanked(lines: Lines, value: object, shown: object) -> None:
    structlog.get_logger("ours").info("event", value=value)
    assert lines.one()["value"] == shown


def test_secrets_in_the_event_itself_and_in_tracebacks_are_blanked(lines: Lines) -> None:
    structlog.get_logger("ours").info(f"cannot connect to {URL}")
    logging.getLogger("theirs").info("cannot connect to %s", URL)
    try:
        raise ValueError(f"{URL} {TOKEN}")
    except ValueError:
        logging.getLogger("theirs").exception("failed")
    text = lines.text()
    assert text.count("[redacted]") == 4
    assert "s3cr3t" not in text
    assert TOKEN not in text


def test_what_was_logged_is_not_changed(lines: Lines) -> None:
    settings = {"passphrase": "s3cr3t", "nested": {"url": URL}, "list": [TOKEN]}
    structlog.get_logger("ours").info("event", settings=settings)
    assert "s3cr3t" not in lines.text()
    assert settings == {"passphrase": "s3cr3t", "nested": {"url": URL}, "list": [TOKEN]}


def test_the_console_shows_the_same_without_secrets(lines: Lines) -> None:
    lines.configure("info", "console")
    structlog.get_logger("ours").info("something happened", url=URL, token=TOKEN)
    try:
        raise ValueError(URL)
    except ValueError:
        structlog.get_logger("ours").exception("failed")
    text = lines.text()
    assert "something happened" in text
    assert "Traceback" in text
    assert text.count("[redacted]") == 3
    assert "s3cr3t" not in text
    assert "\x1b[" not in text, "no colors where there is no terminal"
