"""What each role may do, route by route, in the operator's organization and in another one."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass

import pytest

from crypto import KemAlgorithm, KemPrivateKey, PrivateKey, SignatureAlgorithm
from secure_api.app import PUBLIC_PATHS, create_app
from secure_api.settings import Settings
from tests.api.problem import problem
from tests.api.state import rows
from tests.api.studies import OCTETS, analyst_key, encrypted, new_study, upload
from tests.consortium import OPERATOR, Consortium, Peer

pytestmark = pytest.mark.anyio

X_WING = KemAlgorithm.X_WING
ADMIN, CONTRIBUTOR, ANALYST, AUDITOR = "admin", "contributor", "analyst", "auditor"
EVERYBODY = {ADMIN, CONTRIBUTOR, ANALYST, AUDITOR}
RECORD = {"time": "2026-01-01T00:00:00Z", "attributes": {"pulse": 61}}


@dataclass(frozen=True)
class Rule:
    """Who may call one route, and how that looks."""

    route: str
    may: set[str]
    status: int = 200
    operator_only: bool = False
    target: str = ""  # another path than the route's


RULES = [
    Rule("POST /v1/organizations", {ADMIN}, 201, operator_only=True),
    Rule("GET /v1/organizations", {ADMIN}, operator_only=True),
    Rule("POST /v1/tokens", {ADMIN}, 201),
    Rule("GET /v1/clients", {ADMIN}),
    Rule("GET /v1/clients/me", EVERYBODY),
    Rule("POST /v1/datasets", {ADMIN, CONTRIBUTOR}, 201),
    Rule("GET /v1/datasets", EVERYBODY),
    Rule("POST /v1/datasets/{name}/records", {ADMIN, CONTRIBUTOR}, 201, target="/v1/datasets/vitals/records"),
    Rule("GET /v1/datasets/{name}/records", {ADMIN, CONTRIBUTOR, ANALYST}, target="/v1/datasets/vitals/records"),
    Rule("GET /v1/ledger", {ADMIN, AUDITOR}),
    Rule("GET /v1/alerts", {ADMIN, AUDITOR}),
    Rule("POST /v1/sessions", EVERYBODY, 201),
    Rule("GET /v1/sessions", EVERYBODY),
    Rule("POST /v1/contexts", {ADMIN, ANALYST}, 201),
    Rule("POST /v1/studies", {ADMIN, ANALYST}, 201),
    Rule("GET /v1/studies", EVERYBODY),
    Rule("GET /v1/studies/{id}", EVERYBODY),
    Rule("GET /v1/studies/{id}/context", EVERYBODY),
    Rule("GET /v1/studies/{id}/result", EVERYBODY, 409),  # not yet
    Rule("PUT /v1/studies/{id}/contribution", {ADMIN, CONTRIBUTOR}, 201),
    Rule("DELETE /v1/keys/{keyid}", {ADMIN}, 204, target="a colleague's"),
    Rule("POST /v1/clients/me/keys", EVERYBODY, 201),
    Rule("DELETE /v1/keys/{keyid}", EVERYBODY, 204, target="one's own"),
]
#: Nobody is a client yet who calls the first. The others are about one session (tests/api/test_sessions.py), one alert
#: (test_alerts.py) or one budget (test_budgets.py), end a study (test_studies.py), or are for its compute parties and
#: masked contributors (test_multi_party.py, test_masked_studies.py).
ELSEWHERE = {
    "POST /v1/clients",
    "GET /v1/alerts/{id}",
    "PUT /v1/alerts/{id}/label",
    "PUT /v1/datasets/{name}/budget",
    "GET /v1/datasets/{name}/budget",
    "POST /v1/sessions/{id}/rekey",
    "DELETE /v1/sessions/{id}",
    "POST /v1/studies/{id}/close",
    "POST /v1/studies/{id}/abort",
    "GET /v1/studies/{id}/masking",
    "GET /v1/studies/{id}/roster",
    "PUT /v1/studies/{id}/masking/{stage}",
    "GET /v1/studies/{id}/masking/told/{told}",
    "GET /v1/studies/{id}/party",
    "GET /v1/studies/{id}/shares",
    "PUT /v1/studies/{id}/party-result",
    "POST /v1/studies/{id}/party-abort",
}


def base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def test_the_rules_cover_every_route(embedded: Settings) -> None:
    paths = create_app(embedded).openapi()["paths"]
    routes = {f"{method.upper()} {path}" for path in set(paths) - PUBLIC_PATHS for method in paths[path]}
    assert {rule.route for rule in RULES} | ELSEWHERE == routes


@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize("organization", [OPERATOR, "alpha"])
async def test_a_role_may_do_this_and_nothing_else(consortium: Consortium, organization: str, role: str) -> None:
    head = await consortium.member(organization, ADMIN)
    await head.ok("POST", "/v1/datasets", {"name": "vitals"})
    await head.ok("POST", "/v1/datasets/vitals/records", RECORD)
    colleague = await consortium.member(organization, CONTRIBUTOR)
    await upload(head)
    study = new_study(consortium, contributors=[organization])
    study_id = (await head.ok("POST", "/v1/studies", study))["id"]
    peer = await consortium.member(organization, role)
    new = [PrivateKey.generate(SignatureAlgorithm.ED25519)]
    bodies: dict[str, object] = {
        "POST /v1/organizations": {"name": "gamma"},
        "POST /v1/contexts": analyst_key("ckks-8192")[0].public_context,
        "POST /v1/studies": study,
        "PUT /v1/studies/{id}/contribution": encrypted([1.0] * 4),
        "POST /v1/tokens": {"organization": organization, "role": ANALYST},
        "POST /v1/datasets": {"name": "labs"},
        "POST /v1/datasets/{name}/records": RECORD,
        "POST /v1/clients/me/keys": {"keys": [key.public_key.jwk() for key in new]},
        "POST /v1/sessions": {
            "suite": "x-wing",
            "public_key": base64url(KemPrivateKey.generate(X_WING).public_key.raw),
        },
    }
    for rule in RULES:
        method, path = rule.route.split()
        target = rule.target or path
        if "keyid" in path:
            owner = colleague if rule.target == "a colleague's" else peer
            target = f"/v1/keys/{owner.keys[0].public_key.keyid}"
        keys = [*peer.keys, *new] if path == "/v1/clients/me/keys" else peer.keys
        if "/studies/{id}" in path:
            target = path.replace("{id}", study_id)
        body = bodies.get(rule.route)
        content_type = OCTETS if isinstance(body, bytes) else "application/json"
        before = await rows(consortium.app)
        response = await peer.request(method, target, body, keys=keys, content_type=content_type)
        allowed = role in rule.may and (organization == OPERATOR or not rule.operator_only)
        if allowed:
            assert response.status_code == rule.status, (rule, response.text)
            peer.keys = new if path == "/v1/clients/me/keys" else peer.keys
        else:
            problem(response, 403, "forbidden")
            assert await rows(consortium.app) == before, rule
        changes = allowed and method != "GET"
        assert (await rows(consortium.app) != before) is changes, rule


async def test_the_operator_never_reads_another_organizations_records(consortium: Consortium) -> None:
    alice = await consortium.member("alpha", CONTRIBUTOR)
    await alice.ok("POST", "/v1/datasets", {"name": "vitals"})
    await alice.ok("POST", "/v1/datasets/vitals/records", {"time": RECORD["time"], "attributes": {"s3cr3t": "s3cr3t"}})
    operators = {role: await consortium.member(OPERATOR, role) for role in sorted(EVERYBODY)}
    auditor: Peer = operators[AUDITOR]  # reads no records at all, not even the operator's own
    targets = [
        "/v1/datasets",
        "/v1/datasets/vitals/records",
        "/v1/clients",
        "/v1/ledger?limit=1000",
        "/v1/organizations",
    ]
    for peer in [*operators.values(), consortium.admin]:
        for target in targets:
            response = await peer.request("GET", target)
            assert "s3cr3t" not in response.text
        assert await peer.ok("GET", "/v1/datasets") == {"datasets": []}
        response = await peer.request("GET", "/v1/datasets/vitals/records")
        assert response.status_code == (403 if peer is auditor else 404), response.text
    own = await consortium.admin.request("POST", "/v1/datasets", {"name": "vitals"})
    assert own.status_code == 201
    page = await consortium.admin.ok("GET", "/v1/datasets/vitals/records")
    assert page == {"records": [], "next": None}
