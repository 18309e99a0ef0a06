"""What a replayed log gave, for a person and for a script."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from secure_api.cli.console import put, put_table, say, stdout

if TYPE_CHECKING:
    from anomaly.replay import Found, Replay

COLUMNS = ["opened (UTC)", "lasted", "about", "requests", "rank", "why", "last routes"]


def put_episodes(replay: "Replay") -> None:
    """Print the episodes in the order of opening: a paragraph each on a terminal, a row each elsewhere."""
    if stdout.is_terminal:
        for found in replay.found:
            opened, lasted, about, requests, rank, why, routes = _row(found)
            put(f"{opened}  {about}: {requests} unusual request{'s' * (requests != '1')} in {lasted}, rank {rank}")
            for line in (*why.split("; "), f"last routes: {routes}"):
                put(f"    {line}")
    else:
        put_table(COLUMNS, [_row(found) for found in replay.found])
    span = _lasted(replay.last - replay.first)
    say(f"{replay.events:,} requests of {span}: {replay.opened:,} episode{'' if replay.opened == 1 else 's'}")
    if replay.opened > len(replay.found):
        say(f"the first {len(replay.found):,} are shown")


def episode_document(replay: "Replay") -> dict[str, Any]:
    """Give everything as JSON."""
    return {
        "requests": replay.events,
        "bad_lines": replay.bad,
        "problems": [{"line": number, "problem": problem} for number, problem in replay.problems],
        "first": _time(replay.first),
        "last": _time(replay.last),
        "opened": replay.opened,
        "episodes": [_document(found) for found in replay.found],
    }


def _document(found: "Found") -> dict[str, Any]:
    episode, explanation = found.episode, found.explanation
    return {
        "number": episode.number,
        "about": episode.key.value,
        "name": found.name,
        "line": found.line,
        "opened": _time(episode.opened),
        "last": _time(episode.last),
        "requests": episode.requests,
        "rank": round(episode.value, 3),
        "rule": None if episode.rule is None else episode.rule.value,
        "reasons": [reason._asdict() for reason in explanation.reasons],
        "routes": list(explanation.routes),
        "text": explanation.text,
    }


def _row(found: "Found") -> list[str]:
    episode, explanation = found.episode, found.explanation
    why = [] if episode.rule is None else [f"rule: {episode.rule.value}"]
    for reason in explanation.reasons:
        usual = "" if reason.usual is None else f"usually {reason.usual:.2f}, "
        why.append(f"{reason.feature} {reason.value:.2f} ({usual}99 % below {reason.population:.2f})")
    routes = " ".join(" > ".join(dict.fromkeys(explanation.routes[-4:])).split())
    name = " ".join(found.name.split()) or "nobody"  # who wrote the log could write lines of ours
    return [
        _time(episode.opened), _lasted(episode.last - episode.opened), f"{episode.key.value} {name}",
        f"{episode.requests:,}", f"{episode.value:.1f}", "; ".join(why), routes,
    ]  # fmt: skip


def _time(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.0f}"


def _lasted(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    if minutes < 90:
        return f"{minutes:.0f} min"
    hours = minutes / 60
    return f"{hours:.1f} h" if hours < 72 else f"{hours / 24:,.0f} days"
