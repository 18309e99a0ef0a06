"""Tables of studies and of behavior analysis: what each method costs, and whom."""

from typing import Final

from experiments.figures.markdown_table import in_bytes, measured, pivot, table, there, told, value
from experiments.report.intervals import Intervals
from experiments.result import Result

VALUES: Final = 4_096
COHORT: Final = 100
SHARED: Final = 10_000
STEPS: Final = "client"


def studies(result: Result) -> str:
    """What a sum of some thousand values costs by each method: its contributors, the server, whoever comes to it."""
    _, encrypted = measured(result, "homomorphic")
    masks, masked = measured(result, "masked-sums")
    _, shared = measured(result, "multiparty")
    rows = []
    for scheme in ("bfv", "ckks"):
        arms = (
            f"encrypt {scheme} ours {VALUES}",
            f"add {scheme} ours {VALUES} n{COHORT}",
            f"decrypt {scheme} ours {VALUES}",
        )
        bytes_ = encrypted.median(arms[1], "value_bytes")
        rows.append((f"`ckks`, key of `{scheme}-8192`", f"{VALUES:,}", *_cpu(encrypted, *arms), value(bytes_)))
    own = [encoded for arm in there(masks) if arm.factors.get("what") == STEPS and arm.factors["values"] == VALUES
           if (encoded := masked.median(arm.name, "cpu")) is not None]  # fmt: skip
    collect = f"collect ours {VALUES}"
    bytes_ = masked.median(collect, "value_bytes")
    done = _cpu(masked, collect, f"unmask {VALUES} d0")
    rows.append(("`masked`, 20 contributors", f"{VALUES:,}", value(sum(own)), *done, value(bytes_)))
    for parties in (3, 5):
        session = value(shared.median(f"sum {SHARED} m{parties}", "session"))
        shares = _cpu(shared, f"contribute {SHARED} m{parties}")
        rows.append((f"`mpc`, {parties} parties", f"{SHARED:,}", *shares, "", session, str(8 * parties)))
    heads = ("", "values", "a contributor, µs", "the server for each, µs", "to the result, µs", "bytes a value")
    return table(heads, rows)


def homomorphic(result: Result) -> str:
    """Adding one contribution, by library."""
    experiment, known = measured(result, "homomorphic")
    arms = [arm for arm in there(experiment) if arm.factors.get("contributors") == COHORT]
    return pivot(arms, known, ("scheme", "values"), "way", "add a contribution; µs of CPU time")


def masked_sums(result: Result) -> str:
    """Making masks and adding masked contributions, by whom."""
    experiment, known = measured(result, "masked-sums")
    arms = [arm for arm in there(experiment) if arm.factors.get("what") in {"mask", "collect"}]
    return pivot(arms, known, ("what", "values"), "way", "µs of CPU time")


def multiparty(result: Result) -> str:
    """Sessions of compute parties."""
    experiment, known = measured(result, "multiparty")
    rows = [
        (arm.name, told(known.of(arm.name, "session")), in_bytes(known.median(arm.name, "sent_bytes")))
        for arm in there(experiment)
        if arm.factors.get("way") != "contribute"
    ]
    return table(("values and parties (m)", "from agreement to agreement, µs [95 %]", "sent by a party, B"), rows)


def study_contribution(result: Result) -> str:
    """Contributions over HTTP."""
    experiment, known = measured(result, "study-contribution")
    rows = [
        (
            arm.name,
            told(known.of(arm.name, "latency_p50")),
            told(known.of(arm.name, "cpu")),
            in_bytes(known.median(arm.name, "sent_bytes")),
        )
        for arm in there(experiment)
    ]
    return table(("", "p50, µs [95 %]", "server's CPU, µs [95 %]", "request, B"), rows)


def behavior(result: Result) -> str:
    """Detectors on the same features, and requests to a server that watches them."""
    experiment, known = measured(result, "behavior")
    rows = [(arm.name, told(known.of(arm.name, "cpu"))) for arm in there(experiment)]
    return table(("", "CPU, µs [95 %]"), rows)


def _cpu(known: Intervals, *arms: str) -> tuple[str, ...]:
    return tuple(value(known.median(arm, "cpu")) for arm in arms)
