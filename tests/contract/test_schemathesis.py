"""What the OpenAPI document promises, asked of a running server by schemathesis: no 5xx ever, no answer beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from crypto import PrivateKey, SignatureAlgorithm
from secure_api.app import create_app
from secure_api.client import SignatureAuth
from secure_api.settings import Settings
from tests.consortium import OPERATOR, admin_key, enrollment, make_home
from tests.contract.signer import Signed
from tests.installations import sqlite_template
from tests.services.fixtures.process import ProcessRunner
from tests.services.fixtures.secure_api_server import SecureApiServer, start_secure_api

__all__ = ["sqlite_template"]

DATASET = "vitals"
#: The fields of the signature are the signer's, not the generator's.
SIGNATURE_FIELDS = {"Signature-Input", "Content-Digest"}
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
#: A stranger is not told which methods there are.
CHECKS_OF_MEMBERS = [*CHECKS, checks.unsupported_method]


def document() -> schemathesis.BaseSchema:
    """The OpenAPI document, without the fields of the signature; tests are made of it, so no server runs yet."""
    with TemporaryDirectory() as folder:
        settings = Settings(home=make_home(Path(folder) / "home", None), database_url=None)
        raw: dict[str, Any] = create_app(settings).openapi()
    signature = [{"$ref": f"#/components/parameters/{name}"} for name in raw["components"]["parameters"]]
    assert {item["name"] for item in raw["components"]["parameters"].values()} == SIGNATURE_FIELDS
    for operations in raw["paths"].values():
        for operation in operations.values():
            if operation.pop("security", None) is not None:
                operation["parameters"] = [item for item in operation["parameters"] if item not in signature]
            for parameter in operation.get("parameters", []):
                if (parameter["in"], parameter["name"]) == ("path", "name"):
                    parameter["example"] = DATASET
    schema = schemathesis.openapi.from_dict(raw)
    # A target or a body may be too large before anybody asks whether it is valid.
    rejection = schema.config.checks.negative_data_rejection
    rejection.expected_statuses = [*rejection.expected_statuses, "413", "431"]
    return schema


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, run_session_process: ProcessRunner
) -> Iterator[SecureApiServer]:
    """A running server with a dataset; whatever was asked of it, its log tells of no error."""
    home = make_home(tmp_path_factory.mktemp("contract") / "home", request.getfixturevalue("sqlite_template"))
    server = start_secure_api(run_session_process, home, f"sqlite+aiosqlite:///{home / 'secure-api.db'}")
    record = {"time": "2026-11-22T09:30:00Z", "attributes": {"pulse": 61}}
    with operator(server) as http:
        http.post("/v1/datasets", json={"name": DATASET}).raise_for_status()
        http.post(f"/v1/datasets/{DATASET}/records", json=[record] * 3).raise_for_status()
    yield server
    assert not [event for event in server.log('"level": "error"') if event["level"] == "error"]


def operator(server: SecureApiServer) -> httpx.Client:
    """The first admin's connection."""
    return httpx.Client(base_url=f"http://{server.authority}", auth=SignatureAuth(admin_key()))


@pytest.fixture(scope="module")
def keys(server: SecureApiServer) -> dict[str, PrivateKey]:
    """The keys of somebody who may do everything, and of somebody who may write records."""
    key = PrivateKey.generate(SignatureAlgorithm.ML_DSA_44)
    with operator(server) as http:
        asked = {"organization": OPERATOR, "role": "contributor"}
        token = http.post("/v1/tokens", json=asked).raise_for_status().json()["token"]
        http.post("/v1/clients", json=enrollment(token, [key]), auth=SignatureAuth(key)).raise_for_status()
    return {"admin": admin_key(), "contributor": key}


api = document()
BOUNDED = settings(max_examples=40, deadline=None, derandomize=True, database=None)


@api.parametrize()
@BOUNDED
def test_as_an_admin_of_the_operator(case: Case[Any], server: SecureApiServer, keys: dict[str, PrivateKey]) -> None:
    case.call_and_validate(base_url=f"http://{server.authority}", auth=Signed(keys["admin"]), checks=CHECKS_OF_MEMBERS)


@api.parametrize()
@BOUNDED
def test_as_a_contributor(case: Case[Any], server: SecureApiServer, keys: dict[str, PrivateKey]) -> None:
    case.call_and_validate(
        base_url=f"http://{server.authority}", auth=Signed(keys["contributor"]), checks=CHECKS_OF_MEMBERS
    )


@api.parametrize()
@BOUNDED
def test_as_a_stranger(case: Case[Any], server: SecureApiServer) -> None:
    response = case.call_and_validate(base_url=f"http://{server.authority}", checks=CHECKS)
    assert not case.path.startswith("/v1/") or response.status_code in {401, 413, 431}
