"""Access logs as events: common and combined log format, and JSON lines. Pure: lines in, events out."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from math import isfinite
from typing import Final, NamedTuple

from anomaly.errors import EventError
from anomaly.event import NOBODY, ApiEvent, Proof, Pseudonyms, check

MAX_LINE: Final = 16_384
_LINE: Final = re.compile(
    r'(?P<host>[^ ]{1,255}) [^ ]{1,255} (?P<user>[^ ]{1,255}) \[(?P<time>[^\]]{1,40})\] "(?P<request>(?:[^"\\]|\\.)*)" '
    r'(?P<status>[0-9]{3}) (?P<size>[0-9]{1,15}|-)(?: "(?:[^"\\]|\\.)*" "(?P<agent>(?:[^"\\]|\\.)*)")?'
)
_TIME: Final = "%d/%b/%Y:%H:%M:%S %z"
_IDENTIFIER: Final = re.compile(r"[0-9]+|[0-9a-fA-F-]{8,}|[A-Za-z0-9_-]{22,}")
_METHOD: Final = re.compile(r"[A-Z]{3,10}")
_VERSION: Final = re.compile(r"v[0-9]{1,3}")
_MAX_PARTS: Final = 8


_PROOFS: Final = {proof.name.lower(): proof for proof in Proof}


class Sources(NamedTuple):
    """Where a request came from, in clear: for the person whose log it is, never for the detector."""

    client: str
    network: str


class LogLine(NamedTuple):
    """A parsed line: its number (from 1), and its event and sources, or the reason why there are none."""

    number: int
    event: ApiEvent | None
    problem: str | None
    sources: Sources | None = None


def route_of(method: str, target: str) -> tuple[str, str]:
    """Return the route's template and the last identifier in the path ("" if none).

    A segment counts as an identifier when it is a number, hexadecimal, a UUID, long, or has two digits; the query is
    dropped.
    """
    path = target.split("?", 1)[0].split("#", 1)[0]
    parts, identifier = [], ""
    for part in path.split("/")[1 : _MAX_PARTS + 1]:
        if _VERSION.fullmatch(part) is None and (
            _IDENTIFIER.fullmatch(part) or sum(letter.isdigit() for letter in part[:64]) > 1
        ):
            parts.append("{}")
            identifier = part
        else:
            parts.append(part[:40])
    return f"{method} /{'/'.join(parts)}", f"{path[:512]}" if identifier else ""


def parse(lines: Iterable[str], pseudonyms: Pseudonyms) -> Iterator[LogLine]:
    """Yield an event, or the problem, for every line that is not blank.

    A line in JSON has `time` (seconds, or ISO 8601) and `status`, should have `client`, `remote_addr`, `method` and
    `path`, and may have `bytes`, `request_bytes`, `latency` (seconds), `user_agent`, `route` (the template of the
    path), `object` (the path unless given), `organization` and `proof` (`valid`, `absent`, `bad` or `replayed`; `valid`
    with a client, `absent` without, unless given). Other members are ignored. In the other formats the user is the
    client.
    """
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        try:
            if len(text) > MAX_LINE:
                raise EventError(f"longer than {MAX_LINE} characters")
            event, sources = _from_json(text, pseudonyms) if text[0] == "{" else _from_text(text, pseudonyms)
            check(event)
        except EventError as error:
            yield LogLine(number, None, str(error))
        else:
            yield LogLine(number, event, None, sources)


def _from_text(text: str, pseudonyms: Pseudonyms) -> tuple[ApiEvent, Sources]:
    match = _LINE.match(text)
    if match is None:
        raise EventError("neither common nor combined log format")
    try:
        time = datetime.strptime(match["time"], _TIME).timestamp()
    except (ValueError, OverflowError) as error:
        raise EventError("a time that is none") from error
    request = match["request"].split(" ")
    method, target = (request[0], request[1]) if len(request) in (2, 3) else ("-", "/-")
    size = 0 if match["size"] == "-" else int(match["size"])
    user = "" if match["user"] == "-" else match["user"]
    return _event(
        pseudonyms, time, match["host"], user, method, target, int(match["status"]), size=size,
        agent=match["agent"] or "",
    )  # fmt: skip


def _from_json(text: str, pseudonyms: Pseudonyms) -> tuple[ApiEvent, Sources]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EventError("not JSON") from error
    if not isinstance(row, dict):
        raise EventError("no JSON object")
    status = row.get("status")
    if type(status) is not int or not 100 <= status <= 599:
        raise EventError("no HTTP status")
    proof = _text(row, "proof", "")
    if proof and proof not in _PROOFS:
        raise EventError(f"proof is none of {', '.join(_PROOFS)}")
    return _event(
        pseudonyms, _time(row.get("time")), _text(row, "remote_addr", "-"), _text(row, "client", ""),
        _text(row, "method", "-"), _text(row, "path", "/-"), status, size=int(_number(row, "bytes")),
        asked=int(_number(row, "request_bytes")), latency=_number(row, "latency"),
        agent=_text(row, "user_agent", ""), route=_text(row, "route", ""),
        organization=_text(row, "organization", ""), thing=_text(row, "object", ""), proof=_PROOFS.get(proof),
    )  # fmt: skip


def _time(value: object) -> float:
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0.0 <= value < 1e11:
            return float(value)
    except (ValueError, OverflowError) as error:
        raise EventError("a time that is none") from error
    raise EventError("a time that is none")


def _text(row: dict[str, object], name: str, default: str) -> str:
    value = row.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise EventError(f"{name} is no text")
    return value


def _number(row: dict[str, object], name: str) -> float:
    value = row.get(name)
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not (0 <= value < 1e15):
        raise EventError(f"{name} is no number of a sensible size")
    return float(value) if isfinite(value) else 0.0


def _event(
    pseudonyms: Pseudonyms, time: float, host: str, user: str, method: str, target: str, status: int, *, size: int = 0,
    asked: int = 0, latency: float = 0.0, agent: str = "", route: str = "", organization: str = "", thing: str = "",
    proof: Proof | None = None,
) -> tuple[ApiEvent, Sources]:  # fmt: skip
    method = method if _METHOD.fullmatch(method) else "-"
    template, named = route_of(method, target if target.startswith("/") else "/" + target)
    network = network_of(host)

    def hidden(kind: bytes, value: str) -> int:
        return pseudonyms.of(kind, value.encode("utf-8", "replace"), time) if value else NOBODY

    event = ApiEvent(
        time=time,
        client=hidden(b"client", user),
        network=hidden(b"network", network),
        route=f"{method} {route[:200]}" if route else template,
        status=status,
        organization=hidden(b"organization", organization),
        object=hidden(b"object", thing or named),
        agent=hidden(b"agent", agent),
        request_bytes=asked,
        response_bytes=size,
        latency=latency,
        proof=(Proof.VALID if user else Proof.ABSENT) if proof is None else proof,
    )
    return event, Sources(user, network)


def network_of(host: str) -> str:
    """Return the /24 or /48 of an address; a name is its own network."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return address.exploded.rsplit(".", 1)[0] if address.version == 4 else address.exploded[:14]
