"""Nine kinds of attack on the simulated API."""

import math
from collections.abc import Callable
from typing import Final

from anomaly.event import NOBODY, ApiEvent, Proof
from anomaly.simulate.population import ADMIN, DATASET, LOGIN, ORDER, OTHER, RECORDS, ROUTES, Person, World

_OBJECT_ROUTES: Final = [route for route, (*_, named) in ROUTES.items() if named and route not in ADMIN]


def flood(world: World, who: Person, start: float) -> list[ApiEvent]:
    """Too many requests on one route; part of them throttled or failing."""
    random = world.random
    route = random.choice(("GET /v1/studies", "GET /v1/datasets", RECORDS, "GET /v1/catalog", LOGIN))
    thing = world.own_object(who, route)
    rate = random.uniform(12, 45)
    now, events = start, []
    for index in range(random.randint(180, 380)):
        now += random.expovariate(rate)
        status = 429 if index > 60 and random.random() < 0.4 else (503 if random.random() < 0.03 else 200)
        events.append(world.event(now, who, route, status=status, object=thing))
    return events


def fuzzing(world: World, who: Person, start: float) -> list[ApiEvent]:
    """Odd inputs on every route, most of them refused."""
    random = world.random
    now, events = start, []
    for _ in range(random.randint(60, 150)):
        now += random.lognormvariate(math.log(0.4), 0.7)
        route = random.choice([*ROUTES, OTHER, OTHER, OTHER])
        status = random.choices((400, 404, 422, 500, 403, 405, 200), (5, 5, 3, 0.6, 1.2, 1, 2))[0]
        thing = world.identifier() if ROUTES[route][3] else NOBODY
        size = math.exp(random.gauss(0.0, 1.6))
        events.append(world.event(now, who, route, status=status, object=thing, size=size))
    return events


def _enumerate(world: World, who: Person, start: float, count: int, pace: float) -> list[ApiEvent]:
    random = world.random
    route = random.choice(_OBJECT_ROUTES)
    leaky = random.random() < 0.3  # the API has the flaw: foreign objects are shown
    family = route.split("/")[2]
    foreign = [thing for other in world.people if other is not who for thing in other.objects.get(family, [])[:2]]
    now, events = start, []
    for _ in range(count):
        now += random.lognormvariate(math.log(pace), 0.5)
        exists = bool(foreign) and random.random() < 0.6
        thing = random.choice(foreign) if exists else world.identifier()
        status = 200 if exists and leaky else random.choices((404, 403), (4, 1))[0]
        events.append(world.event(now, who, route, status=status, object=thing))
    return events


def fast_enumeration(world: World, who: Person, start: float) -> list[ApiEvent]:
    """Broken object level authorization tried at speed: one foreign object after the other (OWASP API1)."""
    return _enumerate(world, who, start, world.random.randint(80, 200), world.random.uniform(0.1, 0.5))


def slow_enumeration(world: World, who: Person, start: float) -> list[ApiEvent]:
    """The same below every rate limit, for an hour."""
    return _enumerate(world, who, start, world.random.randint(40, 90), world.random.uniform(15, 60))


def credential_stuffing(world: World, who: Person, start: float) -> list[ApiEvent]:
    """Sign-ins with stolen credentials, each source sending few: only route and population show it."""
    random = world.random
    networks = [world.identifier() for _ in range(random.randint(30, 80))]
    agent = world.identifier() if random.random() < 0.5 else NOBODY
    now, events = start, []
    for _ in range(random.randint(150, 400)):
        now += random.expovariate(random.uniform(0.8, 2.5))
        hit = random.random() < 0.02
        victim = random.choice(world.people)
        events.append(
            world.event(
                now, victim, LOGIN, status=201 if hit else 401, network=random.choice(networks), agent=agent,
                client=victim.client if hit else NOBODY, proof=Proof.VALID if hit else Proof.ABSENT,
            )
        )  # fmt: skip
    return events


def flow_abuse(world: World, who: Person, start: float) -> list[ApiEvent]:
    """A business flow driven by a script: order upon order without a look at the catalog (OWASP API6)."""
    random = world.random
    now, events = start, []
    pace = random.uniform(0.8, 4.0)
    for _ in range(random.randint(50, 130)):
        now += pace * random.lognormvariate(0.0, 0.3)
        if random.random() < 0.75:
            events.append(world.event(now, who, ORDER, status=409 if random.random() < 0.05 else 201))
        else:
            thing = world.identifier()
            events.append(world.event(now, who, "GET /v1/orders/{id}", object=thing))
    return events


def token_theft(world: World, who: Person, start: float) -> list[ApiEvent]:
    """Someone else uses a client's key, from another place, and looks around in what the client may see."""
    random = world.random
    network = world.identifier()
    agent = world.identifier() if random.random() < 0.7 else who.agent
    tour = [
        "GET /v1/me", "GET /v1/datasets", DATASET, RECORDS, "GET /v1/studies", "GET /v1/studies/{id}",
        "GET /v1/studies/{id}/result", "POST /v1/exports", "GET /v1/exports/{id}", ADMIN[0], "GET /v1/ledger",
    ]  # fmt: skip
    now, events = start, []
    for _ in range(random.randint(40, 110)):
        now += random.lognormvariate(math.log(2.0), 0.8)
        route = random.choice(tour)
        status = 403 if route in ADMIN or random.random() < 0.05 else 200
        thing = world.own_object(who, route)
        events.append(world.event(now, who, route, status=status, object=thing, network=network, agent=agent))
    return events


def scraping(world: World, who: Person, start: float) -> list[ApiEvent]:
    """Everything that may be read is read, once, politely."""
    random = world.random
    now, events = start, []
    things = random.sample(world.catalog, min(len(world.catalog), random.randint(150, 350)))
    pace = random.uniform(0.4, 2.0)
    for index, thing in enumerate(things):
        now += pace * random.lognormvariate(0.0, 0.4)
        if index % 20 == 0:
            events.append(world.event(now, who, "GET /v1/catalog"))
        else:
            status = 404 if random.random() < 0.02 else 200
            events.append(world.event(now, who, "GET /v1/catalog/{id}", object=thing, status=status))
    return events


def privilege_probing(world: World, who: Person, start: float) -> list[ApiEvent]:
    """A client without the role tries what administrators do (OWASP API5), among its usual requests."""
    random = world.random
    now, events = start, []
    for _ in range(random.randint(25, 60)):
        now += random.lognormvariate(math.log(6.0), 0.7)
        route = random.choice(ADMIN)
        thing = world.identifier() if ROUTES[route][3] else NOBODY
        status = 404 if thing and random.random() < 0.3 else 403
        events.append(world.event(now, who, route, status=status, object=thing))
    return events


def ramp(world: World, who: Person, start: float) -> list[ApiEvent]:
    """Poisoning: hours of slowly growing pace, each step hardly faster than the last, up to a flood."""
    random = world.random
    route = "GET /v1/datasets"
    now, events, gap = start, [], 30.0
    while gap > 0.04 and now < world.duration:
        now += random.expovariate(1 / gap)
        gap *= 0.993
        events.append(world.event(now, who, route))
    return events


Attack = Callable[[World, Person, float], list[ApiEvent]]

ATTACKS: Final[dict[str, Attack]] = {
    "flood": flood,
    "fuzzing": fuzzing,
    "fast enumeration": fast_enumeration,
    "slow enumeration": slow_enumeration,
    "credential stuffing": credential_stuffing,
    "flow abuse": flow_abuse,
    "token theft": token_theft,
    "scraping": scraping,
    "privilege probing": privilege_probing,
}
