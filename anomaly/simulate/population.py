"""Who uses the simulated API legitimately: people, applications, pollers, batch jobs, and the clumsy."""

import math
from dataclasses import dataclass, field
from random import Random
from typing import Final

from anomaly.event import NOBODY, ApiEvent, Proof

LOGIN: Final = "POST /v1/sessions"
ORDER: Final = "POST /v1/orders"
DATASET: Final = "GET /v1/datasets/{name}"
RECORDS: Final = "GET /v1/datasets/{name}/records"
ADMIN: Final = ("POST /v1/clients", "DELETE /v1/clients/{id}", "PUT /v1/clients/{id}/role", "GET /v1/ledger/export")
OTHER: Final = "OTHER"

# Route: median request bytes, median response bytes, median latency in seconds, does it name an object.
ROUTES: Final[dict[str, tuple[float, float, float, bool]]] = {
    LOGIN: (900, 1_200, 0.012, False),
    "GET /v1/me": (0, 300, 0.004, False),
    "GET /v1/datasets": (0, 4_000, 0.010, False),
    DATASET: (0, 900, 0.006, True),
    RECORDS: (0, 30_000, 0.035, True),
    "POST /v1/datasets/{name}/records": (12_000, 150, 0.030, True),
    "GET /v1/studies": (0, 3_000, 0.010, False),
    "GET /v1/studies/{id}": (0, 1_100, 0.006, True),
    "POST /v1/studies": (700, 900, 0.020, False),
    "PUT /v1/studies/{id}/contribution": (90_000, 200, 0.060, True),
    "GET /v1/studies/{id}/result": (0, 9_000, 0.015, True),
    "GET /v1/orders": (0, 2_500, 0.010, False),
    ORDER: (500, 600, 0.025, False),
    "GET /v1/orders/{id}": (0, 800, 0.006, True),
    "GET /v1/catalog": (0, 6_000, 0.012, False),
    "GET /v1/catalog/{id}": (0, 1_500, 0.005, True),
    "POST /v1/exports": (300, 400, 0.020, False),
    "GET /v1/exports/{id}": (0, 200_000, 0.080, True),
    "GET /v1/ledger": (0, 5_000, 0.015, False),
    "POST /v1/clients": (1_500, 500, 0.020, False),
    "DELETE /v1/clients/{id}": (0, 100, 0.015, True),
    "PUT /v1/clients/{id}/role": (100, 200, 0.015, True),
    "GET /v1/ledger/export": (0, 80_000, 0.090, False),
    OTHER: (0, 250, 0.003, False),
}

# What people of a role do after what, and how likely.
_FLOWS: Final[dict[str, dict[str, dict[str, float]]]] = {
    "analyst": {
        "": {"GET /v1/me": 2, "GET /v1/studies": 3, "GET /v1/datasets": 2},
        "GET /v1/me": {"GET /v1/studies": 3, "GET /v1/datasets": 2},
        "GET /v1/studies": {"GET /v1/studies/{id}": 7, "POST /v1/studies": 1, "GET /v1/studies": 1},
        "GET /v1/studies/{id}": {"GET /v1/studies/{id}/result": 4, "GET /v1/studies": 3, "GET /v1/studies/{id}": 2},
        "GET /v1/studies/{id}/result": {"GET /v1/studies": 3, "GET /v1/datasets": 2, "POST /v1/exports": 0.3},
        "POST /v1/studies": {"GET /v1/studies/{id}": 5, "GET /v1/studies": 2},
        "GET /v1/datasets": {DATASET: 6, "GET /v1/studies": 2},
        DATASET: {RECORDS: 3, "GET /v1/datasets": 3, DATASET: 2},
        RECORDS: {RECORDS: 3, "GET /v1/datasets": 2, "POST /v1/exports": 0.3},
        "POST /v1/exports": {"GET /v1/exports/{id}": 5},
        "GET /v1/exports/{id}": {"GET /v1/studies": 2, "GET /v1/datasets": 2},
    },
    "contributor": {
        "": {"GET /v1/datasets": 3, "GET /v1/studies": 3},
        "GET /v1/datasets": {DATASET: 4, "POST /v1/datasets/{name}/records": 3},
        DATASET: {"POST /v1/datasets/{name}/records": 4, RECORDS: 1},
        "POST /v1/datasets/{name}/records": {"POST /v1/datasets/{name}/records": 6, DATASET: 1, "GET /v1/studies": 1},
        RECORDS: {"POST /v1/datasets/{name}/records": 2, "GET /v1/datasets": 1},
        "GET /v1/studies": {"GET /v1/studies/{id}": 5, "GET /v1/datasets": 1},
        "GET /v1/studies/{id}": {"PUT /v1/studies/{id}/contribution": 3, "GET /v1/studies": 2},
        "PUT /v1/studies/{id}/contribution": {"GET /v1/studies/{id}": 3, "GET /v1/studies": 2},
    },
    "buyer": {
        "": {"GET /v1/catalog": 4, "GET /v1/orders": 2},
        "GET /v1/catalog": {"GET /v1/catalog/{id}": 7, "GET /v1/catalog": 2},
        "GET /v1/catalog/{id}": {"GET /v1/catalog/{id}": 4, "GET /v1/catalog": 3, ORDER: 1},
        ORDER: {"GET /v1/orders/{id}": 6, "GET /v1/catalog": 2},
        "GET /v1/orders/{id}": {"GET /v1/orders/{id}": 3, "GET /v1/orders": 2, "GET /v1/catalog": 2},
        "GET /v1/orders": {"GET /v1/orders/{id}": 4, "GET /v1/catalog": 3},
    },
    "admin": {
        "": {"GET /v1/me": 2, "GET /v1/ledger": 3},
        "GET /v1/me": {"GET /v1/ledger": 2, "GET /v1/datasets": 2},
        "GET /v1/ledger": {"GET /v1/ledger": 3, "POST /v1/clients": 1, "PUT /v1/clients/{id}/role": 1, ADMIN[3]: 0.3},
        "POST /v1/clients": {"PUT /v1/clients/{id}/role": 3, "GET /v1/ledger": 2},
        "PUT /v1/clients/{id}/role": {"GET /v1/ledger": 3, "DELETE /v1/clients/{id}": 0.4},
        "DELETE /v1/clients/{id}": {"GET /v1/ledger": 1},
        "GET /v1/ledger/export": {"GET /v1/ledger": 1},
        "GET /v1/datasets": {DATASET: 3, "GET /v1/ledger": 2},
        DATASET: {"GET /v1/datasets": 2, "GET /v1/ledger": 2},
    },
}  # fmt: skip


@dataclass(slots=True)
class Person:
    """A legitimate client and its ways."""

    client: int
    organization: int
    role: str
    networks: list[int]
    agent: int
    pace: float
    clumsiness: float
    flow: dict[str, dict[str, float]]
    objects: dict[str, list[int]]
    hour: float
    time_zone_shift: float = 0.0


@dataclass(slots=True)
class World:
    """The simulated consortium: who there is, which objects there are, and whose they are."""

    random: Random
    duration: float
    people: list[Person] = field(default_factory=list)
    catalog: list[int] = field(default_factory=list)
    slowdown: float = 1.0

    def identifier(self) -> int:
        """Return a fresh pseudonym."""
        return self.random.getrandbits(62) | 1

    def event(
        self, time: float, who: Person, route: str, *, status: int = 200, object: int = NOBODY, network: int = NOBODY,
        agent: int = NOBODY, client: int | None = None, size: float = 1.0, proof: Proof = Proof.VALID,
    ) -> ApiEvent:  # fmt: skip
        """Return one answered request with the sizes and latency that its route has."""
        asked, answered, latency, _ = ROUTES[route]
        noise = self.random.lognormvariate
        failed = status >= 400
        return ApiEvent(
            time=time,
            client=who.client if client is None else client,
            network=network or who.networks[0],
            route=route,
            status=status,
            organization=who.organization if client is None else NOBODY,
            object=object,
            agent=agent or who.agent,
            request_bytes=int(asked * noise(0.0, 0.35) * (size if asked else 1.0)),
            response_bytes=int(220 * noise(0.0, 0.1) if failed else answered * noise(0.0, 0.5) * size),
            latency=latency * noise(0.0, 0.3) * self.slowdown * (0.6 if failed else 1.0),
            proof=proof,
        )

    def own_object(self, who: Person, route: str) -> int:
        """Return an object that `who` may see on `route`: mostly one of a few favorites."""
        if not ROUTES[route][3]:
            return NOBODY
        family = route.split("/")[2]
        if family == "catalog":
            return self.catalog[min(int(self.random.paretovariate(0.7)), len(self.catalog)) - 1]
        owned = who.objects.setdefault(family, [])
        if not owned or (self.random.random() < 0.06 and len(owned) < 400):
            owned.append(self.identifier())
        return owned[min(int(self.random.paretovariate(0.9)), len(owned)) - 1]


def populate(random: Random, duration: float, clients: int) -> World:
    """Return a world of `clients` clients in organizations of four to twelve, each with its own ways."""
    world = World(random, duration)
    world.catalog = [world.identifier() for _ in range(600)]
    public = [world.identifier() for _ in range(12)]
    agents = [world.identifier() for _ in range(9)]
    while len(world.people) < clients:
        organization = world.identifier()
        office = [world.identifier() for _ in range(random.choice((1, 1, 2)))]
        shared: dict[str, list[int]] = {
            family: [world.identifier() for _ in range(random.randint(3, 40))]
            for family in ("datasets", "studies", "orders", "exports", "clients")
        }
        for _ in range(min(random.randint(4, 12), clients - len(world.people))):
            role = random.choices(("analyst", "contributor", "buyer", "admin"), (8, 6, 6, 1))[0]
            networks = [random.choice(office), *random.sample(public, random.choice((0, 0, 1, 2)))]
            if random.random() < 0.3:
                networks.insert(0, world.identifier())
            flow = {
                here: {there: weight * random.lognormvariate(0.0, 0.6) for there, weight in nexts.items()}
                for here, nexts in _FLOWS[role].items()
            }
            world.people.append(
                Person(
                    client=world.identifier(),
                    organization=organization,
                    role=role,
                    networks=networks,
                    agent=random.choice(agents),
                    pace=random.lognormvariate(math.log(4.0), 0.6),
                    clumsiness=min(0.12, random.lognormvariate(math.log(0.02), 0.8)),
                    flow=flow,
                    objects={family: list(owned) for family, owned in shared.items()},
                    hour=random.gauss(13.0, 3.0),
                )
            )
    return world


def session(world: World, who: Person, start: float, length: int | None = None) -> list[ApiEvent]:
    """Return what a person does from `start` on: signs in, follows the flow of the role, and errs at times."""
    random = world.random
    network = who.networks[0] if random.random() < 0.85 else random.choice(who.networks)
    events = []
    now = start
    while random.random() < 0.05:
        events.append(world.event(now, who, LOGIN, status=401, network=network, client=NOBODY, proof=Proof.ABSENT))
        now += random.uniform(2.0, 8.0)
    events.append(world.event(now, who, LOGIN, network=network, status=201))
    here = ""
    for _ in range(length if length is not None else 3 + int(random.expovariate(1 / 22))):
        now += random.lognormvariate(math.log(who.pace), 0.9) if random.random() < 0.8 else random.uniform(0.05, 0.4)
        nexts = who.flow.get(here) or who.flow[""]
        here = random.choices(list(nexts), list(nexts.values()))[0]
        status, thing = 200, world.own_object(who, here)
        if random.random() < who.clumsiness:
            status = random.choices((400, 404, 403, 422, 500), (3, 5, 1, 2, 1))[0]
            if status in (403, 404) and thing:
                thing = world.identifier()
        events.append(world.event(now, who, here, status=status, object=thing, network=network))
    return events


def poller(world: World, who: Person, period: float) -> list[ApiEvent]:
    """Return what an application does that looks for something new by the clock, all day long."""
    random = world.random
    thing = world.own_object(who, "GET /v1/studies/{id}")
    now = random.uniform(0, period)
    events = []
    while now < world.duration:
        events.append(world.event(now, who, "GET /v1/studies/{id}", object=thing))
        now += period * random.uniform(0.98, 1.02)
    return events


def batch(world: World, who: Person, start: float, requests: int) -> list[ApiEvent]:
    """Return one run of a legitimate batch job: fast, long, on many of its own objects; the hard negative."""
    random = world.random
    owned = who.objects["datasets"]
    while len(owned) < requests // 3:
        owned.append(world.identifier())
    route = random.choice((RECORDS, "POST /v1/datasets/{name}/records"))
    events = [world.event(start, who, LOGIN, status=201)]
    now = start
    step = random.uniform(0.05, 0.4)
    for index in range(requests):
        now += step * random.lognormvariate(0.0, 0.25)
        status = 429 if random.random() < 0.004 else 200
        events.append(world.event(now, who, route, status=status, object=owned[index % len(owned)]))
    return events


def misconfigured(world: World, who: Person, start: float, requests: int) -> list[ApiEvent]:
    """Return what an application does whose key expired: the same refused request again and again, slowly."""
    random = world.random
    now = start
    events = []
    for _ in range(requests):
        events.append(world.event(now, who, "GET /v1/me", status=401, proof=Proof.ABSENT, client=NOBODY))
        now += 60.0 * random.uniform(0.97, 1.03)
    return events
