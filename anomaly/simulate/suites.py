"""The suites: which traffic is mixed with which attacks, and when."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from anomaly.errors import EventError
from anomaly.event import ApiEvent, LabelledEvent
from anomaly.simulate.attacks import ATTACKS, ramp
from anomaly.simulate.population import Person, World, batch, misconfigured, poller, populate, session

_START: Final = 1_750_032_000.0  # a midnight UTC
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Suite:
    """A recipe of traffic.

    Attributes:
        per_kind: incidents of each kind of attack, at least and at most.
        cold: incidents may come before a tenth of the time has passed.
        newcomers: clients that come for the first time in the second half.
        peak: a marketing peak: many sessions of buyers within an hour.
        shift: from half time on everyone works as many hours later, and half of them on a slower API.
        ramps: clients that grow their pace slowly up to a flood.
        flood_first: a flood before anything else is learned.
        sybils: identities that come once or twice each.
    """

    per_kind: tuple[int, int] = (2, 3)
    cold: bool = False
    newcomers: int = 12
    peak: int = 0
    shift: float = 0.0
    ramps: int = 0
    flood_first: bool = False
    sybils: int = 0


SUITES: Final[dict[str, Suite]] = {
    "standard": Suite(),
    "drift": Suite(peak=150, shift=4.0, newcomers=40),
    "poison": Suite(ramps=3, flood_first=True),
    "cold start": Suite(cold=True),
    "sybil churn": Suite(sybils=6_000),
    "rare": Suite(per_kind=(0, 0)),
    "benign": Suite(per_kind=(0, 0)),
}


def simulate(suite: str, seed: int, *, clients: int = 380, days: float = 1.0) -> Iterator[LabelledEvent]:
    """Yield the events of a suite in the order of time. The same arguments give the same events.

    With the defaults, the standard suite has about 45,000 requests, a tenth of them attacks; "rare" has the same
    traffic with two short incidents in all (about 0.5 %).

    Raises:
        EventError: there is no such suite, or fewer clients than it needs.
    """
    if suite not in SUITES or clients < 40:
        raise EventError(f"A simulation needs 40 clients and one of the suites {', '.join(SUITES)}.")
    recipe = SUITES[suite]
    random = Random(f"{suite} {seed}")  # noqa: S311 - traffic must be repeatable; nothing secret here
    world = populate(random, days * _DAY, clients)
    people = world.people
    random.shuffle(people)
    newcomers = people[: recipe.newcomers]
    rows = [LabelledEvent(event, "", 0) for event in _benign(world, recipe, people, newcomers)]
    rows.extend(_attacks(world, suite, recipe, people[recipe.newcomers :]))
    rows.sort(key=lambda row: row.event.time)
    for row in rows:
        yield LabelledEvent(row.event._replace(time=_START + row.event.time), row.attack, row.incident)


def _benign(world: World, recipe: Suite, people: list[Person], newcomers: list[Person]) -> list[ApiEvent]:
    random, duration = world.random, world.duration
    events: list[ApiEvent] = []
    for index, who in enumerate(people):
        if 0 <= index - len(newcomers) < 6:  # the batch jobs
            events += _batches(world, who, random.uniform(0, 2_000))
        elif 6 <= index - len(newcomers) < 12:
            events += poller(world, who, random.choice((60.0, 120.0, 300.0)))
        elif 12 <= index - len(newcomers) < 14:
            events += misconfigured(world, who, random.uniform(0.05, 0.8) * duration, 60)
        else:
            events += _days(world, who, recipe, duration / 2 if who in newcomers else 0.0)
    late = [who for who in newcomers if random.random() < 0.1]
    for who in late:
        events += batch(world, who, random.uniform(0.5, 0.95) * duration, random.randint(150, 350))
    if recipe.peak:
        buyers = [who for who in people if who.role == "buyer"]
        begin = 0.6 * duration
        for _ in range(recipe.peak):
            events += session(world, random.choice(buyers), begin + random.uniform(0, 3_600), 12)
    for _ in range(recipe.sybils):
        sybil = random.choice(people)
        events += [
            world.event(random.uniform(0.3, 0.7) * duration, sybil, "GET /v1/catalog", client=world.identifier())
            for _ in range(random.choice((1, 2)))
        ]
    return [event for event in events if event.time < duration]


def _batches(world: World, who: Person, start: float) -> Iterator[ApiEvent]:
    while start < world.duration:
        yield from batch(world, who, start, world.random.randint(150, 400))
        start += world.random.uniform(7_000, 14_000)


def _days(world: World, who: Person, recipe: Suite, since: float) -> Iterator[ApiEvent]:
    random = world.random
    for _ in range(max(1, round(world.duration / _DAY * random.gauss(4.0, 1.5)))):
        day = random.randrange(max(1, math.ceil(world.duration / _DAY)))
        hour = random.gauss(who.hour, 4.0) % 24
        start = day * _DAY + hour * 3_600.0
        if recipe.shift and start > world.duration / 2:
            start += recipe.shift * 3_600.0
            world.slowdown = 1.8 if random.random() < 0.5 else 1.0
        if start >= since:
            yield from session(world, who, start)
        world.slowdown = 1.0


def _attacks(world: World, suite: str, recipe: Suite, people: list[Person]) -> Iterator[LabelledEvent]:
    random, duration = world.random, world.duration
    low = 0.02 if recipe.cold else 0.12
    plan = [kind for kind in ATTACKS for _ in range(random.randint(*recipe.per_kind))]
    if suite == "rare":
        plan = [random.choice(("token theft", "flow abuse", "privilege probing", "slow enumeration")) for _ in range(3)]
    if (needed := len(plan) + recipe.ramps + 1) > len(people) - 14:
        raise EventError(f"The suite {suite} needs {needed + 14 + recipe.newcomers} clients or more.")
    actors = random.sample(people[14:], needed)
    for incident, kind in enumerate(plan, start=1):
        who = actors.pop()
        while kind in ("privilege probing", "flow abuse") and who.role in ("admin", "buyer"):
            who = random.choice(people[14:])
        start = random.uniform(low, 0.93) * duration
        for event in ATTACKS[kind](world, who, start):
            yield LabelledEvent(event, kind, incident)
        if kind == "token theft":  # the victim goes on working
            for event in session(world, who, start + random.uniform(0, 200)):
                yield LabelledEvent(event, "", 0)
        if kind in ("slow enumeration", "privilege probing"):  # the attacker hides among requests of its own
            for event in session(world, who, start + random.uniform(0, 200)):
                yield LabelledEvent(event, kind, incident)
    for number in range(recipe.ramps):
        who = actors.pop()
        for event in ramp(world, who, random.uniform(0.1, 0.5) * duration):
            yield LabelledEvent(event, "ramp", len(plan) + 1 + number)
    if recipe.flood_first:
        for event in ATTACKS["flood"](world, actors.pop(), 0.015 * duration):
            yield LabelledEvent(event, "flood", len(plan) + recipe.ramps + 1)
