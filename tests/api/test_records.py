"""Records, from the request to the database and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secure_api.settings import Settings
from tests.api.problem import places, problem
from tests.api.running import altered, started
from tests.api.state import rows
from tests.consortium import Consortium, Peer

pytestmark = pytest.mark.anyio

RECORDS = "/v1/datasets/vitals/records"
NEW_YEAR = "2026-01-01T00:00:00Z"

TRICKY: list[dict[str, Any]] = [
    {},
    {"": ""},
    {"pulse": 61, "x": 1e22, "z": -0.0, "s": "ä\U0001f600"},
    {"one": 1, "one_point_zero": 1.0, "true": True, "zero": 0, "false": False, "null": None},
    {"largest": 2**53 - 1, "smallest": -(2**53) + 1, "huge": 1.7976931348623157e308, "tiny": 5e-324},
    {"third": 0.1, "sum": 0.30000000000000004, "e": 1e-7, "E": 123456789.123456},
    {"order": 1, "b": 2, "a": 3, "B": 4, "10": 5, "9": 6},
    {"escapes": '"\\/\b\f\n\r\t\x01\x1f\x7f', "html": "</script>&<>", "separators": "\u2028\u2029\u0085"},
    {"noncharacter": "\uffff\ufdd0", "private": "\ue000", "last": "\U0010ffff", "zwj": "\u200d", "bom": "\ufeff"},
    {"composed": "\u00e9", "decomposed": "e\u0301", "\u00e9": 1, "e\u0301": 2},
    {"sql": "'; DROP TABLE records; --", "like": "%_\\", "json": '{"a":1}', "bind": ":name $1 ? %s"},
    {"nested": [[], {}, [[{"a": [None, {"b": []}]}]]], "empty": {"a": {}}},
    {"long": "x" * 100_000, "many": list(range(1_000))},
    {"time": "not an instant", "attributes": {"attributes": 1}},
]


async def dataset(consortium: Consortium) -> Peer:
    """A contributor with an empty dataset."""
    alice = await consortium.member("alpha")
    await alice.ok("POST", "/v1/datasets", {"name": "vitals"})
    return alice


def exact(value: object) -> str:
    """Text that tells apart what Python's == does not: 1 and 1.0 and True, 0.0 and -0.0, the order of members."""
    return json.dumps(value)


async def test_what_is_accepted_comes_back(consortium: Consortium) -> None:
    alice = await dataset(consortium)
    record = {"time": "2026-01-02T03:04:05.25Z", "attributes": {"pulse": 61, "x": 1e22, "z": -0.0, "s": "ä\U0001f600"}}
    assert await alice.ok("POST", RECORDS, record) == {"accepted": 1}
    page = await alice.ok("GET", RECORDS)
    assert exact(page) == exact({"records": [record], "next": None})


async def test_attributes_come_back_value_for_value(consortium: Consortium) -> None:
    alice = await dataset(consortium)
    batch = [{"time": NEW_YEAR, "attributes": attributes} for attributes in TRICKY]
    assert await alice.ok("POST", RECORDS, batch) == {"accepted": len(TRICKY)}
    page = await alice.ok("GET", RECORDS)
    assert [exact(record["attributes"]) for record in page["records"]] == [exact(attributes) for attributes in TRICKY]


async def test_times_come_back_in_utc_to_the_microsecond(consortium: Consortium) -> None:
    alice = await dataset(consortium)
    times = {
        "0001-01-01T00:00:00Z": "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999Z": "1969-12-31T23:59:59.999999Z",
        "2026-03-29T03:30:00.100+02:00": "2026-03-29T01:30:00.1Z",
        "2026-03-29t03:30:00.000002z": "2026-03-29T03:30:00.000002Z",
        "2026-12-31T23:00:00-05:30": "2027-01-01T04:30:00Z",
        "9999-12-31T23:59:59.999999Z": "9999-12-31T23:59:59.999999Z",
    }
    batch = [{"time": time, "attributes": {"sent": time}} for time in times]
    assert await alice.ok("POST", RECORDS, batch) == {"accepted": len(times)}
    page = await alice.ok("GET", RECORDS)
    assert {record["attributes"]["sent"]: record["time"] for record in page["records"]} == times


async def test_an_array_is_accepted_as_a_whole(consortium: Consortium) -> None:
    alice = await dataset(consortium)
    good = {"time": NEW_YEAR, "attributes": {"n": 1}}
    before = await rows(consortium.app)
    assert places(await alice.request("POST", RECORDS, [good, {**good, "time": "yesterday"}, good])) == ["/1/time"]
    assert await rows(consortium.app) == before
    assert await alice.ok("POST", RECORDS, [good, good, good]) == {"accepted": 3}
    assert len((await alice.ok("GET", RECORDS))["records"]) == 3


async def test_an_empty_array_changes_nothing(consortium: Consortium) -> None:
    alice = await dataset(consortium)
    before = await rows(consortium.app)
    assert await alice.ok("POST", RECORDS, []) == {"accepted": 0}
    assert await rows(consortium.app) == before


async def test_a_batch_has_a_limit(settings: Settings) -> None:
    async with started(altered(settings, max_batch_records=3)) as consortium:
        alice = await dataset(consortium)
        record = {"time": NEW_YEAR, "attributes": {}}
        before = await rows(consortium.app)
        refused = problem(await alice.request("POST", RECORDS, [record] * 4), 413, "payload-too-large")
        assert refused["detail"] == "One request may carry 3 records at most."
        assert await rows(consortium.app) == before
        assert await alice.ok("POST", RECORDS, [record] * 3) == {"accepted": 3}


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"time": "2026-01-01", "attributes": {}}, ["/time"]),
        ({"time": "2026-01-01T00:00:00", "attributes": {}}, ["/time"]),
        ({"time": "2026-02-29T00:00:00Z", "attributes": {}}, ["/time"]),
        ({"time": "2016-12-31T23:59:60Z", "attributes": {}}, ["/time"]),
        ({"time": "2026-01-01T00:00:00.0000001Z", "attributes": {}}, ["/time"]),
        ({"time": 1767225600, "attributes": {}}, ["/time"]),
        ({"time": None, "attributes": {}}, ["/time"]),
        ({"time": NEW_YEAR}, ["/attributes"]),
        ({"time": NEW_YEAR, "attributes": []}, ["/attributes"]),
        ({"time": NEW_YEAR, "attributes": "{}"}, ["/attributes"]),
        ({"time": NEW_YEAR, "attributes": None}, ["/attributes"]),
        ({"time": NEW_YEAR, "attributes": {}, "client": "me"}, ["/client"]),
        ({"time": NEW_YEAR, "attributes": {}, "a/b~c": 1}, ["/a~1b~0c"]),
        ({}, ["/time", "/attributes"]),
        ([{"time": NEW_YEAR, "attributes": {}}, {"attributes": 1}], ["/1/time", "/1/attributes"]),
        ([[]], ["/0"]),
        ([None], ["/0"]),
        ("record", [""]),
        (7, [""]),
        (b"null", [""]),
        (b"", [""]),
    ],
    ids=repr,
)
async def test_a_422_points_at_each_member(embedded: Settings, body: object, pointers: list[str]) -> None:
    async with started(embedded) as consortium:
        alice = await dataset(consortium)
        before = await rows(consortium.app)
        assert places(await alice.request("POST", RECORDS, body)) == pointers
        assert await rows(consortium.app) == before


async def test_a_422_tells_the_rule_and_not_the_value(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        alice = await dataset(consortium)
        response = await alice.request("POST", RECORDS, {"time": "s3cr3t", "attributes": "s3cr3t"})
        assert places(response) == ["/time", "/attributes"]
        assert "RFC 3339" in response.json()["errors"][0]["detail"]
        assert "s3cr3t" not in response.text


@pytest.mark.parametrize(
    ("body", "findings"),
    [
        (b"[" + b"1," * 500_000 + b"1]", 1),
        (b"[" + b"{}," * 300_000 + b"{}]", 2),
        (b"{" + b",".join(b'"%d":1' % number for number in range(90_000)) + b"}", 20),
        (b'{"' + b"x" * 1_000_000 + b'":1,"time":1,"attributes":1}', 3),
    ],
    ids=["numbers", "objects", "members", "one long name"],
)
async def test_a_body_that_breaks_many_rules_gets_a_short_answer(
    embedded: Settings, body: bytes, findings: int
) -> None:
    """Anything else would let one client fill the server's time and memory with answers."""
    async with started(embedded) as consortium:
        alice = await dataset(consortium)
        response = await alice.request("POST", RECORDS, body)
        assert len(places(response)) == findings
        assert len(response.content) < 4_000


async def test_only_json_in_utf_8_is_taken(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        alice = await dataset(consortium)
        body = json.dumps({"time": NEW_YEAR, "attributes": {}}).encode()
        before = await rows(consortium.app)
        refused = [
            "text/plain",
            "text/json",
            "application/problem+json",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin-1",
            "application/json; profile=x",
            "application/json; charset=utf-8; charset=utf-8",
            "application/jsonx",
            "json",
        ]
        for content_type in refused:
            response = await alice.request("POST", RECORDS, body, content_type=content_type)
            problem(response, 415, "unsupported-media-type")
        assert await rows(consortium.app) == before
        taken = [
            "application/json",
            "Application/JSON",
            "application/json;charset=UTF-8",
            'application/json; charset="utf-8"',
        ]
        for content_type in taken:
            assert await alice.ok("POST", RECORDS, body, content_type=content_type) == {"accepted": 1}, content_type


async def test_a_route_without_a_body_takes_none(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        alice = await dataset(consortium)
        refused = problem(await alice.request("GET", RECORDS, {"limit": 1}), 422, "validation-failed")
        assert refused["detail"] == "This route takes no body."
        assert (await alice.request("GET", RECORDS, content_type="text/plain")).status_code == 200


async def test_the_name_in_the_path_is_a_name(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        alice = await dataset(consortium)
        for name in ("_vitals", "a%20b", "-", "%00", "a" * 64, "%ff"):
            response = await alice.request("GET", f"/v1/datasets/{name}/records")
            errors = problem(response, 422, "validation-failed")["errors"]
            assert [(error["in"], error["parameter"]) for error in errors] == [("path", "name")], name
        # Another spelling of the same path is the same dataset.
        assert await alice.ok("GET", "/v1/datasets/vital%73/records") == {"records": [], "next": None}
