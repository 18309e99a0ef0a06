"""Labelled traffic as JSON lines: what a generator writes and what an evaluation reads.

A line is a line of `access_log` with two members more: `attack` and `incident`.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from anomaly.access_log import LogLine, parse
from anomaly.errors import EventError
from anomaly.event import NOBODY, LabelledEvent, Pseudonyms

_BENIGN: Final = frozenset(("", "0", "-", "none", "benign", "normal", "false"))
_SEPARATE: Final = 1_800.0
_MAX_LABEL: Final = 80
_MAX_INCIDENTS: Final = 1_000_000


class LabelledLine(NamedTuple):
    """A parsed line: its number (from 1) and its labelled event, or the reason why there is none."""

    number: int
    row: LabelledEvent | None
    problem: str | None


def write(row: LabelledEvent) -> str:
    """Return a labelled event as one line of JSON, without the line feed.

    Pseudonyms become names: of a network a unique local address (RFC 4193) whose /48 it is, of others hexadecimal.
    Reading it back gives the same traffic under other pseudonyms.
    """
    event = row.event
    method, _, template = event.route.partition(" ")
    path = template or f"/{method.lower()}"
    thing = f"{event.object:016x}" if event.object != NOBODY else ""
    if thing:
        before, brace, rest = path.partition("{")
        path = f"{before}{thing}{rest.partition('}')[2]}" if brace else path
    line: dict[str, object] = {"time": round(event.time, 6)}
    if event.client != NOBODY:
        line["client"] = f"client-{event.client:016x}"
    if event.organization != NOBODY:
        line["organization"] = f"organization-{event.organization:016x}"
    line |= {
        "remote_addr": _address(event.network), "method": method if template else "-", "path": path,
        "route": template or method, "status": event.status, "bytes": event.response_bytes,
        "request_bytes": event.request_bytes, "latency": round(event.latency, 6),
    }  # fmt: skip
    if thing:
        line["object"] = thing
    if event.agent != NOBODY:
        line["user_agent"] = f"agent-{event.agent:016x}"
    line["proof"] = event.proof.name.lower()
    if row.attack:
        line |= {"attack": row.attack, "incident": row.incident}
    return json.dumps(line, separators=(",", ":"))


def _address(network: int) -> str:
    digits = f"{network & 0xFFFFFFFFFF:010x}"
    return f"fd{digits[:2]}:{digits[2:6]}:{digits[6:]}::1"


def read(lines: Iterable[str], pseudonyms: Pseudonyms) -> Iterator[LabelledLine]:
    """Yield a labelled event, or the problem, for every line that is not blank.

    `attack` (or `label`) is the kind of attack, a text, or true or 1 for one without a name; a request is benign when
    it is missing, null, false, 0, or one of the texts "", "0", "-", "none", "benign", "normal", "false". `incident` is
    a text or whole number that tells incidents of a kind apart; where it is missing, requests of a kind belong together
    until there was none for half an hour.
    """
    numbers: dict[tuple[str, str], int] = {}
    latest: dict[str, tuple[float, int]] = {}
    texts: list[str] = []

    def kept() -> Iterator[str]:
        for line in lines:
            texts.append(line)
            yield line

    for parsed in parse(kept(), pseudonyms):
        text = texts[-1]
        texts.clear()
        try:
            yield LabelledLine(parsed.number, _labelled(parsed, text, numbers, latest), parsed.problem)
        except EventError as error:
            yield LabelledLine(parsed.number, None, str(error))


def _labelled(
    parsed: LogLine, text: str, numbers: dict[tuple[str, str], int], latest: dict[str, tuple[float, int]]
) -> LabelledEvent | None:
    event = parsed.event
    if event is None:
        return None
    text = text.strip()
    if not text.startswith("{"):
        raise EventError("only JSON lines can have labels")
    members = json.loads(text)
    attack = _attack(members.get("attack", members.get("label")))
    if not attack:
        return LabelledEvent(event, "", 0)
    name = members.get("incident")
    if isinstance(name, bool) or not isinstance(name, (str, int, type(None))):
        raise EventError("incident is neither text nor a whole number")
    if name is None or name in ("", 0):
        at, number = latest.get(attack, (-1e18, 0))
        if abs(event.time - at) > _SEPARATE:
            number = _new(numbers, attack, f"\0{len(numbers)}")
        latest[attack] = (event.time, number)
    else:
        key = (attack, str(name)[:_MAX_LABEL])
        number = numbers.get(key) or _new(numbers, *key)
    return LabelledEvent(event, attack, number)


def _new(numbers: dict[tuple[str, str], int], attack: str, name: str) -> int:
    if len(numbers) >= _MAX_INCIDENTS:
        raise EventError("there are too many incidents")
    numbers[(attack, name)] = len(numbers) + 1
    return len(numbers)


def _attack(value: object) -> str:
    if value is None or value is False or value == 0:
        return ""
    if value is True or value == 1:
        return "attack"
    if not isinstance(value, str):
        raise EventError("attack is no text")
    return "" if value.strip().lower() in _BENIGN else value.strip()[:_MAX_LABEL]
