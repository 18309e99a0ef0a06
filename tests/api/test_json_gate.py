"""The JSON gate over HTTP: every route that takes JSON refuses what two readers could take for different values."""

from __future__ import annotations

import pytest
from starlette.routing import Match

from secure_api.app import create_app
from secure_api.settings import Settings
from tests.api.problem import problem
from tests.api.running import started
from tests.api.state import rows
from tests.consortium import Consortium

pytestmark = pytest.mark.anyio

STUDY = "00000000-0000-4000-8000-000000000000"
ROUTES = [
    "/v1/organizations",
    "/v1/tokens",
    "/v1/clients",
    "/v1/clients/me/keys",
    "/v1/sessions",
    f"/v1/sessions/{'0' * 32}/rekey",
    "/v1/datasets",
    "/v1/datasets/vitals/records",
    "/v1/studies",
    f"/v1/studies/{STUDY}/abort",
    f"/v1/studies/{STUDY}/party-abort",
]

# What is sent, and the reason, pointer, line and column that come back.
REFUSED: dict[str, tuple[bytes, str, str, int, int]] = {
    "NaN": (b'{"name": NaN}', "not-a-number", "/name", 1, 10),
    "Infinity": (b'{"a": {"b": [1,\n Infinity]}}', "not-a-number", "/a/b/1", 2, 2),
    "-Infinity": (b'[{"time": 1}, -Infinity]', "not-a-number", "/1", 1, 15),
    "1e400": (b'{\n  "name": 1e400\n}', "number-too-large", "/name", 2, 11),
    "too precise": (b'{"name": 0.1000000000000000055511151231257827}', "number-too-precise", "/name", 1, 10),
    "2**53": (b'{"name": 9007199254740992}', "integer-out-of-range", "/name", 1, 10),
    "5000 digits": (b'{"name": ' + b"9" * 5_000 + b"}", "integer-out-of-range", "/name", 1, 10),
    "duplicate": (b'{"name": "a",\n\n "name": "b"}', "duplicate-key", "/name", 3, 2),
    "duplicate, escaped": (b'{"x": {"a/~": 1, "a\\u002f~": 1}}', "duplicate-key", "/x/a~1~0", 1, 18),
    "lone surrogate": (b'{"name": "ab\\ud800"}', "lone-surrogate", "/name", 1, 13),
    "lone surrogate in a name": (b'{"x": {"\\udc00": 1}}', "lone-surrogate", "/x", 1, 9),
    "U+0000": (b'{"name": "a\\u0000"}', "nul-character", "/name", 1, 12),
    "byte 0x00": (b'{"name": "a\x00"}', "syntax", "/name", 1, 12),
    "65 levels": (b'{"x": ' + b"[" * 64 + b"]" * 64 + b"}", "too-deep", "/x" + "/0" * 63, 1, 70),
    "10000 levels": (b"[" * 10_000 + b"]" * 10_000, "too-deep", "/0" * 64, 1, 65),
    "invalid UTF-8": (b'{"name": "\xc3\xa4\xff"}', "invalid-utf8", "/name", 1, 12),
    "overlong UTF-8": (b'{"name": "\xc0\xaf"}', "invalid-utf8", "/name", 1, 11),
    "surrogate in UTF-8": (b'{"name": "\xed\xa0\x80"}', "invalid-utf8", "/name", 1, 11),
    "byte order mark": (b'\xef\xbb\xbf{"name": "a"}', "byte-order-mark", "", 1, 1),
    "UTF-16": ('{"name": "a"}'.encode("utf-16-le"), "syntax", "", 1, 2),
    "trailing text": (b'{"name": "a"} {}', "trailing-text", "", 1, 15),
    "trailing comma": (b'{"name": "a",}', "syntax", "", 1, 14),
    "single quotes": (b"{'name': 'a'}", "syntax", "", 1, 2),
    "comment": (b'{"name": "a" /* b */}', "syntax", "", 1, 14),
    "leading zero": (b'{"name": 01}', "syntax", "", 1, 11),
    "hexadecimal": (b'{"name": 0x1}', "syntax", "", 1, 11),
    "cut off": (b'{"name": "a', "syntax", "/name", 1, 12),
    "line feed in a string": (b'{"name": "a\nb"}', "syntax", "/name", 1, 12),
    "white space": (b" \n\t ", "empty", "", 2, 3),
}


def test_these_are_all_the_routes_that_take_json(embedded: Settings) -> None:
    app = create_app(embedded)
    document = app.openapi()
    taking = {
        f"{method} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    templates = [path.replace("vitals", "{name}").replace("0" * 32, "{id}").replace(STUDY, "{id}") for path in ROUTES]
    # A PUT passes the same gate; the tests below send POST.
    assert taking == {f"post {path}" for path in templates} | {
        "put /v1/studies/{id}/party-result",
        "put /v1/alerts/{id}/label",
        "put /v1/datasets/{name}/budget",
    }
    for path in ROUTES:
        scope = {"type": "http", "method": "POST", "path": path, "root_path": "", "headers": []}
        assert any(route.matches(scope)[0] is Match.FULL for route in app.routes), path


@pytest.mark.parametrize("case", REFUSED)
async def test_every_route_refuses_it_and_names_the_place(embedded: Settings, case: str) -> None:
    body, reason, pointer, line, column = REFUSED[case]
    async with started(embedded) as consortium:
        await consortium.admin.ok("POST", "/v1/datasets", {"name": "vitals"})
        before = await rows(consortium.app)
        for path in ROUTES:
            response = await consortium.admin.request("POST", path, body)
            document = problem(response, 400, "json-rejected")
            (finding,) = document["errors"]
            assert set(finding) == {"reason", "detail", "pointer", "line", "column"}
            assert (finding["reason"], finding["pointer"]) == (reason, pointer), path
            assert (finding["line"], finding["column"]) == (line, column), path
            assert document["detail"].endswith(f"(line {line}, column {column})")
        assert await rows(consortium.app) == before


async def test_64_levels_and_every_kept_number_pass(consortium: Consortium) -> None:
    alice = await consortium.member("alpha")
    await alice.ok("POST", "/v1/datasets", {"name": "vitals"})
    deep = b'{"time": "2026-01-01T00:00:00Z", "attributes": {"x": ' + b"[" * 62 + b"]" * 62 + b"}}"
    numbers = b'{"time": "2026-01-01T00:00:00Z", "attributes": {"n": [9007199254740991, 1e308, 5e-324, -0.0, 0.1]}}'
    for body in (deep, numbers):
        assert await alice.ok("POST", "/v1/datasets/vitals/records", body) == {"accepted": 1}
    page = await alice.request("GET", "/v1/datasets/vitals/records")
    assert b"[" * 62 + b"]" * 62 in page.content
    assert b'{"n":[9007199254740991,1e+308,5e-324,-0.0,0.1]}' in page.content


async def test_a_stranger_learns_where_his_json_is_wrong_only_when_its_digest_is_right(embedded: Settings) -> None:
    """Enrollment reads the body before it knows any key; what is not the signed body is not looked at."""
    async with started(embedded) as consortium:
        message = consortium.admin.sign("POST", "/v1/clients", b'{"keys": NaN}')
        spoilt = type(message)(message.method, message.target, message.headers, b'{"keys": N0N}')
        problem(await consortium.admin.send(spoilt), 401, "authentication-failed")
        problem(await consortium.admin.send(message), 400, "json-rejected")
        typed = consortium.admin.sign("POST", "/v1/clients", b'{"keys": NaN}', content_type="text/plain")
        problem(await consortium.admin.send(typed), 415, "unsupported-media-type")
