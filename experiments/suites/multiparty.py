"""What a statistic costs that three or five compute parties make of shares, beside MPyC alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from experiments.experiment import Arm, Experiment, Finding, Plot, Round
from experiments.scale import Scale

if TYPE_CHECKING:
    from experiments.subject import Setting, Subject

SIZE: Final = 100_000
SIZES: Final = (1_000, 10_000, SIZE)
PARTIES: Final = (3, 5)
#: Values of a contribution where shares are compared: each costs about a millisecond.
COMPARED: Final = 100
PROGRAMS: Final = ("mean", "variance", "comparison-count", "max", "quantile")
ARGUMENTS: Final[dict[str, dict[str, float]]] = {"comparison-count": {"than": 0.0}}


def product(statistic: str, size: int, parties: int, setting: Setting) -> Subject:
    """Prepare a session of the product."""
    from experiments.multiparty.session import product

    return product(_terms(statistic, size, parties), setting)


def contributing(size: int, parties: int, setting: Setting) -> Subject:
    """Prepare a contributor's part."""
    from experiments.multiparty.session import contributing

    return contributing(_terms("sum", size, parties), setting)


def bare(size: int, parties: int, setting: Setting) -> Subject:
    """Prepare a session of MPyC alone."""
    from experiments.multiparty.session import bare

    return bare(size, parties, setting)


def _terms(statistic: str, size: int, parties: int) -> Any:
    from crypto.mpc import MpcTerms

    return MpcTerms("experiment", statistic, size, -100.0, 100.0, parties, arguments=ARGUMENTS.get(statistic, {}))


def arms(scale: Scale) -> Sequence[Arm]:
    """Sums by both, for sizes and parties; and what programs take."""
    made = []
    for parties in PARTIES if scale.wide else PARTIES[:1]:
        for size in SIZES if scale.wide else (SIZE,):
            for name, way in (("sum", partial(product, "sum")), ("bare MPyC", bare), ("contribute", contributing)):
                factors = {"way": name, "values": size, "parties": parties}
                made.append(Arm(f"{name} {size} m{parties}", partial(way, size, parties), factors, f"m{parties}"))
        for statistic in PROGRAMS if scale.wide else ():
            factors = {"way": statistic, "values": COMPARED, "parties": parties}
            run = partial(product, statistic, COMPARED, parties)
            made.append(Arm(f"{statistic} {COMPARED} m{parties}", run, factors, f"m{parties}"))
    return made


def against_bare(size: int, parties: int) -> Finding:
    """Set the product's sum against MPyC's, with the contributor's part on our side as it is on theirs."""

    def ratio(of: Round) -> float:
        ours = of[f"sum {size} m{parties}"] + of[f"contribute {size} m{parties}", "wall"]
        return ours / of[f"bare MPyC {size} m{parties}"]

    says = f"A sum of {size:,} values among {parties} parties takes {{value}} of the time that MPyC's own arrays take."
    if (size, parties) == (SIZE, 3):
        says += " The goal is 1.3 at most."
    return Finding(f"bare-{size}-m{parties}", ratio, says, quantity="session", headline=(size, parties) == (SIZE, 3))


def amount(statistic: str, size: int, parties: int) -> Finding:
    """Tell what a session takes."""
    arm = f"{statistic} {size} m{parties}"
    says = f"{statistic} of {size:,} values among {parties} parties takes {{value}} from agreement to agreement."
    return Finding(
        f"{statistic}-{size}-m{parties}", lambda of: of[arm], says, "amount", "us", "session", headline=False
    )


EXPERIMENT = Experiment(
    name="multiparty",
    title="Statistics of shares",
    question="What does a statistic cost that three or five compute parties make of shares that none of them can read?",
    topic=22,
    unit="us of a session, from agreement to agreement",
    held_fixed=(
        "all parties are processes on this machine, over loopback: no network's delay is part of it",
        "as many contributions as parties; uniform values in [-100, 100] with 16 binary places, field 2^61 - 1",
        "ours: mutual TLS 1.3, transcripts before and after, strict encoding; what a contributor does (encode, share, "
        "seal) is added, once, as contributors work at the same time",
        "bare MPyC: SecInt(64) arrays, its faster type here, over plain TCP with pickle; parties input, add and open",
        "the start of the processes, 1 to 3 s for either, is in `wall` and `cpu` and not in the time of a session",
    ),
    checked="Every party opens what numpy computes of the same values; bare MPyC opens the sum that is known.",
    arms=arms,
    findings=(
        *(against_bare(size, parties) for size in SIZES for parties in PARTIES),
        *(amount(statistic, COMPARED, parties) for statistic in PROGRAMS for parties in PARTIES),
        Finding(
            "bytes",
            lambda of: of[f"sum {SIZE} m3", "sent_bytes"] / of[f"bare MPyC {SIZE} m3", "sent_bytes"],
            f"A party sends {{value}} of the bytes that it sends with MPyC's own, for {SIZE:,} values.",
            quantity="sent_bytes",
            headline=False,
        ),
    ),
    answer=f"Sums are cheap: of {SIZE:,} values among three parties one takes {{bare-{SIZE}-m3}} of the time that "
    "MPyC's own arrays take for it, because contributors share in machine words and parties add before they talk.",
    plots=(
        Plot("dots", "A session of a sum", "session", x="values", color="way", panel="parties", log=True,
             where={"way": ("sum", "bare MPyC")}),
        Plot("dots", "Bytes that a party sends", "sent_bytes", x="values", color="way", panel="parties", log=True,
             where={"way": ("sum", "bare MPyC")}, unit="B"),
    ),
    seconds={"quick": 30, "full": 600},
)  # fmt: skip
