"""A second generator of labelled traffic, written without a look at `anomaly.simulate`: is what was tuned there good?

`python -m tests.unit.anomaly.second_town SEED > town.jsonl` writes a day of a shop's API as `behavior evaluate` reads
it. Nothing of the package is imported, and no weight was tuned on it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from random import Random
from typing import Any

DAY = 86_400.0
START = 1_760_000_400.0
Line = dict[str, Any]
PAGES = [
    ("GET", "/v2/home", 8), ("GET", "/v2/products", 12), ("GET", "/v2/products/{}", 20), ("GET", "/v2/search", 9),
    ("GET", "/v2/cart", 6), ("POST", "/v2/cart/items", 4), ("GET", "/v2/orders", 3), ("GET", "/v2/orders/{}", 4),
    ("GET", "/v2/profile", 2), ("PATCH", "/v2/profile", 0.2), ("POST", "/v2/checkout", 0.8),
    ("GET", "/v2/reviews/{}", 3),
]  # fmt: skip


class Town:
    """People, machines and intruders of one day."""

    def __init__(self, seed: int) -> None:
        self.random = Random(f"second town {seed}")
        self.lines: list[Line] = []
        self.incident = 0

    def put(
        self, time: float, who: str | None, address: str, method: str, route: str, status: int = 200, **more: Any
    ) -> None:
        """Write a request down."""
        size = int(self.random.lognormvariate(7.0 if method == "GET" else 5.0, 0.7))
        latency = self.random.lognormvariate(-3.2, 0.5) * (1.6 if method != "GET" else 1.0)
        if status >= 500:
            latency *= 8
        line = {"time": START + time, "client": who, "remote_addr": address, "method": method, "status": status,
                "route": f"{method} {route}", "bytes": size, "latency": round(latency, 5)}  # fmt: skip
        self.lines.append({name: value for name, value in (line | more).items() if value is not None})

    def address(self, office: int | None = None) -> str:
        """An address: of an office that many share, or of a home."""
        block = self.random.randrange(20_000) if office is None else 60_000 + office
        return f"10.{block >> 8}.{block & 255}.{self.random.randrange(1, 255)}"

    def object(self, route: str, owner: int) -> str | None:
        """What a route names: one of the few orders of its owner, or a popular product."""
        if "{}" not in route:
            return None
        if "orders" in route:
            return f"order-{owner}-{self.random.randrange(6)}"
        return f"{route.split('/')[2]}-{int(self.random.paretovariate(0.8)) % 4_000}"

    def visit(self, owner: int, who: str, address: str, agent: str, at: float) -> None:
        """A visit of an app or a browser: screens, each of which asks for several things at once."""
        weights = [page[2] for page in PAGES]
        for _ in range(1 + int(self.random.expovariate(1 / 5))):
            for method, route, _ in self.random.choices(PAGES, weights, k=self.random.choice((1, 1, 2, 4))):
                at += self.random.expovariate(12.0)
                status = self.random.choices((200, 304, 404, 422), (90, 7, 1, 0.6))[0] if method == "GET" else 201
                if self.broken(at) and self.random.random() < 0.4:
                    self.put(at, who, address, method, route, 503, user_agent=agent, object=self.object(route, owner))
                    at += 1.0
                self.put(at, who, address, method, route, status, user_agent=agent, object=self.object(route, owner))
            at += self.random.lognormvariate(2.2, 1.0)

    def broken(self, at: float) -> bool:
        """Tell whether a deployment goes wrong now: eight minutes in the afternoon."""
        return 52_000 < at < 52_480

    def benign(self) -> None:
        """Everybody who means well."""
        for owner in range(420):
            who, agent = f"user-{owner}", f"app/{self.random.randrange(12)}"
            address = self.address(owner % 5 if owner % 3 == 0 else None)
            rhythm = self.random.choice((9, 13, 20)) * 3_600
            for _ in range(int(self.random.expovariate(1 / 6))):
                at = (self.random.gauss(rhythm, 7_000)) % DAY
                if self.random.random() < 0.05:
                    address = self.address()  # on the road
                self.visit(owner, who, address, agent, at)
        for number in range(4):  # partners that fetch pages at night, and all their orders
            address, begin = self.address(), self.random.uniform(0, 80_000)
            for page in range(700):
                at = begin + page * self.random.uniform(0.4, 0.6)
                self.put(at, f"partner-{number}", address, "GET", "/v2/export/orders", user_agent="etl/3")
                if page % 3 == 0:
                    self.put(at + 0.1, f"partner-{number}", address, "GET", "/v2/orders/{}", user_agent="etl/3",
                             object=f"order-partner{number}-{page}")  # fmt: skip
        for number in range(6):  # tests that run at every push
            address = self.address(7)
            for begin in (self.random.uniform(25_000, 70_000) for _ in range(9)):
                for step in range(35):
                    method, route, _ = self.random.choice(PAGES)
                    status = 401 if step % 12 == 0 else 200
                    self.put(begin + step * 0.3, f"ci-{number}", address, method, route, status, user_agent="pytest",
                             object=self.object(route, 10_000 + number))  # fmt: skip
        watch = self.address()
        for turn in range(int(DAY / 20)):
            self.put(turn * 20 + self.random.random(), None, watch, "GET", "/healthz", user_agent="probe")
        for owner in range(8):  # whose token has expired, and whose app does not notice
            begin = self.random.uniform(20_000, 80_000)
            for turn in range(40):
                self.put(
                    begin + turn * 15, f"user-{owner}", self.address(1), "GET", "/v2/home", 401, user_agent="app/1"
                )

    def attack(self, kind: str, at: float) -> None:
        """One incident."""
        self.incident += 1
        say: Line = {"attack": kind, "incident": self.incident}
        home, victim = self.address(), self.random.randrange(420)
        me, agent = f"user-{victim}", f"app/{victim % 12}"
        rnd = self.random
        match kind:
            case "stuffing":
                for _ in range(180):
                    at += rnd.expovariate(2.5)
                    status = 200 if rnd.random() < 0.02 else 401
                    self.put(at, None, home, "POST", "/v2/login", status, user_agent="curl", **say)
            case "distributed stuffing":
                homes = [self.address() for _ in range(40)]
                for _ in range(240):
                    at += rnd.expovariate(1.2)
                    self.put(
                        at,
                        None,
                        rnd.choice(homes),
                        "POST",
                        "/v2/login",
                        401,
                        user_agent=f"app/{rnd.randrange(12)}",
                        **say,
                    )
            case "walk" | "slow walk":
                for number in range(150 if kind == "walk" else 60):
                    at += rnd.expovariate(3.0) if kind == "walk" else rnd.uniform(20, 90)
                    self.put(at, me, home, "GET", "/v2/orders/{}", rnd.choice((200, 403, 404)), user_agent=agent,
                             object=f"order-{(victim + number) % 420}-{number % 6}", **say)  # fmt: skip
            case "scrape":
                for number in range(400):
                    at += rnd.uniform(0.3, 1.2)
                    self.put(
                        at, me, home, "GET", "/v2/products/{}", user_agent=agent, object=f"products-{number}", **say
                    )
            case "theft":
                for _ in range(50):
                    at += rnd.expovariate(0.2)
                    route = rnd.choice(("/v2/orders", "/v2/orders/{}", "/v2/profile", "/v2/payment-methods"))
                    self.put(
                        at,
                        me,
                        home,
                        "GET",
                        route,
                        user_agent="python-requests",
                        object=self.object(route, victim),
                        **say,
                    )
            case "fuzz":
                for number in range(120):
                    at += rnd.expovariate(4.0)
                    _, route, _ = rnd.choice(PAGES)
                    self.put(at, me, home, rnd.choice(("GET", "PUT", "DELETE", "POST")), route,
                             rnd.choice((400, 400, 404, 405, 422, 500)), user_agent="ffuf",
                             object=f"x{number}", **say)  # fmt: skip
            case "checkout bot":
                for _ in range(60):
                    at += rnd.uniform(1.0, 4.0)
                    for method, route in (("POST", "/v2/cart/items"), ("POST", "/v2/checkout")):
                        self.put(at, me, home, method, route, rnd.choice((201, 201, 409)), user_agent=agent, **say)
            case "flood":
                for _ in range(900):
                    at += rnd.expovariate(40.0)
                    self.put(at, me, home, "GET", "/v2/search", rnd.choice((200, 200, 429)), user_agent=agent, **say)
            case "ramp":
                pace = 0.02
                while pace < 3.0:
                    at += rnd.expovariate(pace)
                    pace *= 1.012
                    self.put(at, me, home, "GET", "/v2/products/{}", user_agent=agent,
                             object=f"products-{rnd.randrange(4_000)}", **say)  # fmt: skip


KINDS = (
    "stuffing",
    "distributed stuffing",
    "walk",
    "slow walk",
    "scrape",
    "theft",
    "fuzz",
    "checkout bot",
    "flood",
    "ramp",
)


def town(seed: int) -> Iterator[str]:
    """Give the lines of a day, in the order of time."""
    made = Town(seed)
    made.benign()
    for kind in KINDS:
        for _ in range(2):
            made.attack(kind, made.random.uniform(0.2 * DAY, 0.9 * DAY))
    made.lines.sort(key=lambda line: line["time"])
    for line in made.lines:
        yield json.dumps(line)


if __name__ == "__main__":
    for text in town(int(sys.argv[1])):
        sys.stdout.write(text + "\n")
