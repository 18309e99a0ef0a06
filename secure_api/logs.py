"""Structured logs: one JSON object a line on stderr, with the request's id, without secrets.

structlog renders our own events and those of every library (uvicorn, SQLAlchemy, Alembic) alike.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any

import structlog
from asgi_correlation_id import correlation_id
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"
SECRET_NAMES = re.compile(r"(?i)(passphrase|password|secret|token|private|seed|authorization|cookie|signature$)")
SECRET_VALUES = re.compile(
    r"(sat_[A-Za-z0-9_-]{8})[A-Za-z0-9_-]+|(://[^:/@\s]*:)[^@\s]+@|(-----BEGIN [A-Z ]*PRIVATE KEY-----)[^-]*"
)


def configure(level: str, form: str) -> None:
    """Send every log record of the process through structlog to stderr; `form` is json or console."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        add_request_id,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer(sort_keys=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,  # before `redact`: a traceback may hold secrets
                redact,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = name != "uvicorn.access"  # the access log is ours: it knows the caller
    for name in ("aiosqlite", "asyncio", "alembic", "sqlalchemy.pool"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def add_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the id of the request at work, if any."""
    if (request_id := correlation_id.get()) is not None:
        event["request_id"] = request_id
    return event


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank what must not be in a log: by the name of a member, and by the look of a value."""
    return {name: REDACTED if SECRET_NAMES.search(name) else _redacted(value) for name, value in event.items()}


def _redacted(value: Any) -> Any:
    """Copy a value without its secrets; what was logged stays as it is. Other types go by their `repr`."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {
            str(name): REDACTED if SECRET_NAMES.search(str(name)) else _redacted(member)
            for name, member in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(element) for element in value]
    return SECRET_VALUES.sub(_blank, value if isinstance(value, str) else repr(value))


def _blank(match: re.Match[str]) -> str:
    token, address, key = match.groups()
    return f"{address}{REDACTED}@" if address else f"{token or key}{REDACTED}"
