"""Pages of records: bounds, order, cursors."""

from __future__ import annotations

import base64
import struct
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from secure_api.settings import Settings
from tests.api.problem import problem
from tests.api.running import started
from tests.consortium import Consortium, Peer

pytestmark = pytest.mark.anyio

RECORDS = "/v1/datasets/vitals/records"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def at(seconds: float) -> str:
    return (NOON + timedelta(seconds=seconds)).isoformat()


async def filled(consortium: Consortium, seconds: list[float]) -> Peer:
    """A contributor whose dataset holds a record for each number of seconds past noon, numbered as sent."""
    alice = await consortium.member("alpha")
    await alice.ok("POST", "/v1/datasets", {"name": "vitals"})
    batch = [{"time": at(second), "attributes": {"n": n}} for n, second in enumerate(seconds)]
    await alice.ok("POST", RECORDS, batch)
    return alice


async def pages(peer: Peer, limit: int, **query: str) -> list[list[int]]:
    """Walk through every page; returns the numbers of the records on each."""
    walked: list[list[int]] = []
    parameters = {"limit": str(limit), **query}
    while True:
        page = await peer.ok("GET", target(**parameters))
        walked.append([record["attributes"]["n"] for record in page["records"]])
        if page["next"] is None:
            return walked
        parameters["cursor"] = page["next"]


def target(**query: str) -> str:
    return RECORDS + "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())


async def numbers(peer: Peer, **query: str) -> list[int]:
    page = await peer.ok("GET", target(**query))
    return [record["attributes"]["n"] for record in page["records"]]


async def test_pages_follow_time_and_then_arrival(consortium: Consortium) -> None:
    seconds = [3.0, 1, 2, 1, 1, 3, 0.000001, 0, 1, 2]
    alice = await filled(consortium, seconds)
    expected = sorted(range(len(seconds)), key=lambda n: (seconds[n], n))
    for limit in (1, 2, 3, 4, 9, 10, 11, 1000):
        walked = await pages(alice, limit)
        assert [n for page in walked for n in page] == expected, limit
        assert all(len(page) == limit for page in walked[:-1])
        assert walked[-1]


async def test_a_record_that_arrives_meanwhile_disturbs_no_page(consortium: Consortium) -> None:
    alice = await filled(consortium, [0, 1, 2, 3])
    first = await alice.ok("GET", target(limit="2"))
    late = [{"time": at(0.5), "attributes": {"n": 98}}, {"time": at(2), "attributes": {"n": 99}}]
    await alice.ok("POST", RECORDS, late)
    second = await alice.ok("GET", target(limit="10", cursor=first["next"]))
    assert [record["attributes"]["n"] for record in second["records"]] == [2, 99, 3]


async def test_from_is_included_and_to_is_not(consortium: Consortium) -> None:
    alice = await filled(consortium, [0, 1, 1, 2, 3])
    assert await numbers(alice, **{"from": at(1), "to": at(3)}) == [1, 2, 3]
    assert await numbers(alice, **{"from": at(2)}) == [3, 4]
    assert await numbers(alice, to=at(1)) == [0]
    assert await numbers(alice, **{"from": at(1), "to": at(1)}) == []
    assert await numbers(alice, **{"from": at(1.000001)}) == [3, 4]
    # The same instant, written with another offset.
    assert await numbers(alice, **{"from": "2026-06-01T14:00:01+02:00", "to": "2026-06-01T06:30:02-05:30"}) == [1, 2]


async def test_bounds_hold_on_every_page(consortium: Consortium) -> None:
    alice = await filled(consortium, [0, 1, 1, 2, 2, 3])
    assert await pages(alice, 2, **{"from": at(1), "to": at(3)}) == [[1, 2], [3, 4]]
    assert await pages(alice, 3, **{"from": at(1), "to": at(3)}) == [[1, 2, 3], [4]]


async def test_a_page_has_a_hundred_records_unless_told_otherwise(consortium: Consortium) -> None:
    alice = await filled(consortium, list(range(101)))
    page = await alice.ok("GET", RECORDS)
    assert len(page["records"]) == 100
    assert page["next"] is not None
    assert len((await alice.ok("GET", target(limit="1000")))["records"]) == 101


async def test_a_cursor_of_another_organization_opens_nothing(consortium: Consortium) -> None:
    alice = await filled(consortium, [0, 1, 2])
    bob = await consortium.member("beta")
    await bob.ok("POST", "/v1/datasets", {"name": "vitals"})
    cursor = (await alice.ok("GET", target(limit="1")))["next"]
    assert await bob.ok("GET", target(cursor=cursor)) == {"records": [], "next": None}


@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"},
        {"to": "2026-01-01"},
        {"from": ""},
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "-1"},
        {"limit": "ten"},
        {"limit": "1.5"},
        {"limit": "9" * 5000},
        {"cursor": "A" * 65},
    ],
    ids=lambda query: repr(query)[:40],
)
async def test_a_parameter_of_the_wrong_form_is_named(embedded: Settings, query: dict[str, str]) -> None:
    async with started(embedded) as consortium:
        alice = await consortium.member("alpha")
        await alice.ok("POST", "/v1/datasets", {"name": "vitals"})
        response = await alice.request("GET", target(**{name: value[:1500] for name, value in query.items()}))
        errors = problem(response, 422, "validation-failed")["errors"]
        assert [(error["in"], error["parameter"]) for error in errors] == [("query", next(iter(query)))]


async def test_from_must_not_be_after_to(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        alice = await filled(consortium, [0])
        response = await alice.request("GET", target(**{"from": at(1), "to": at(0)}))
        assert problem(response, 422, "validation-failed")["detail"] == "from must not be after to."


def forged(version: int, microseconds: int, identifier: int) -> str:
    packed = struct.pack(">Bqq", version, microseconds, identifier)
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


async def test_a_cursor_of_another_form_is_refused(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        alice = await filled(consortium, [0, 1, 2])
        cursor: str = (await alice.ok("GET", target(limit="1")))["next"]
        assert await numbers(alice, cursor=cursor) == [1, 2]
        microseconds = (NOON - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        assert cursor == forged(1, microseconds, 1)
        stray_bits = cursor[:-1] + next(
            c for c in "ABCDEFGH" if c != cursor[-1] and ord(c) - ord(cursor[-1]) in (1, 2, 3)
        )
        refused = [
            "",
            "x",
            cursor[:-1],
            cursor + "=",
            cursor + "A",
            " " + cursor[1:],
            cursor[:-1] + "=",
            cursor[:-1] + "+",
            cursor[:-1] + "ä",
            "!" * 23,
            "ä" * 23,
            stray_bits,
            forged(0, microseconds, 1),
            forged(2, microseconds, 1),
            forged(1, microseconds, -1),
            forged(1, 2**63 - 1, 1),
            forged(1, -(2**63), 1),
            forged(1, 253402300800_000000, 1),
        ]
        for text in refused:
            refusal = problem(await alice.request("GET", target(cursor=text)), 400, "bad-cursor")
            assert refusal["detail"] == "The cursor is not one that this server gave out.", text


async def test_a_cursor_at_either_end_of_time_is_only_a_place(consortium: Consortium) -> None:
    alice = await filled(consortium, [0, 1, 2])
    first = datetime.min.replace(tzinfo=UTC)
    last = datetime.max.replace(tzinfo=UTC)
    ends = [(moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) for moment in (first, last)]
    assert await numbers(alice, cursor=forged(1, ends[0], 0)) == [0, 1, 2]
    assert await numbers(alice, cursor=forged(1, ends[1], 2**63 - 1)) == []
