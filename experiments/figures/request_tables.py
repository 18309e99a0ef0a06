"""Tables of requests: what protects them, how, and what that costs a server."""

from typing import Final

from experiments.figures.markdown_table import in_bytes, measured, pivot, table, there, told, value
from experiments.result import Result

_TRAFFIC: Final = ("sent_bytes", "received_bytes")


def overhead(result: Result) -> str:
    """What each protection adds to a request, and how many requests a core serves then."""
    peers, known = measured(result, "peers")
    plain = peers.baseline or peers.arms[0].name
    rows = []
    for arm in there(peers):
        ratio = known.ratio(plain, arm.name, "cpu")
        own = arm.name == plain
        rows.append(
            (
                arm.name,
                value(known.median(arm.name, "cpu")),
                "" if own else "+" + told(known.added(arm.name, plain, "cpu")),
                "1" if own else told(ratio),
                in_bytes(known.median(arm.name, "sent_bytes")),
            )
        )
    return table(("", "CPU, µs", "added, µs [95 %]", "requests a core serves (unprotected: 1)", "request, B"), rows)


def signed_request(result: Result) -> str:
    """The parts of a request of 1 KiB, by what signed it."""
    experiment, known = measured(result, "signed-request")
    arms = [arm for arm in there(experiment) if arm.factors.get("bytes") == 1024 and "part" in arm.factors]
    return pivot(arms, known, ("signer",), "part", "signed by; µs of CPU time")


def session(result: Result) -> str:
    """What requests and handshakes cost a server, in CPU time and in bytes."""
    experiment, known = measured(result, "session")
    rows = [
        (
            arm.name,
            told(known.of(arm.name, "cpu")),
            *(in_bytes(known.median(arm.name, quantity)) for quantity in _TRAFFIC),
        )
        for arm in there(experiment)
    ]
    return table(("", "server's CPU, µs [95 %]", "to the server, B", "and back, B"), rows)


def scaling(result: Result) -> str:
    """How many requests a second one worker and two serve."""
    experiment, known = measured(result, "scaling")
    rows: dict[str, dict[str | int, str]] = {}
    for arm in there(experiment):
        rows.setdefault(str(arm.factors["protection"]), {})[arm.factors["workers"]] = arm.name
    cells = [
        (
            name,
            *(told(known.of(arms[workers], "rate")) if workers in arms else "" for workers in (1, 2)),
            told(known.ratio(arms[2], arms[1], "rate")) if len(arms) == 2 else "",
        )
        for name, arms in rows.items()
    ]
    return table(("requests a second [95 %]", "1 worker", "2 workers", "2 : 1"), cells)


def offloading(result: Result) -> str:
    """What verifying in threads costs, and what the event loop waits."""
    experiment, known = measured(result, "offloading")
    rows = [
        (
            arm.name,
            *(told(known.of(arm.name, quantity)) for quantity in ("cpu", "rate", "loop_delay_p50", "loop_delay_p99")),
        )
        for arm in there(experiment)
    ]
    heads = ("", "CPU, µs [95 %]", "a second [95 %]", "half wait for the loop, µs", "1 of 100 waits, µs")
    return table(heads, rows)
