"""The page of the API's documentation: everything on it comes from the server itself."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from secure_api.api.routers import documentation

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def client(root_path: str = "") -> AsyncClient:
    """A client of an application that has this page and nothing else."""
    app = FastAPI(title="secure-api", docs_url=None, redoc_url=None)
    app.include_router(documentation.router)
    return AsyncClient(transport=ASGITransport(app, root_path=root_path), base_url="http://testserver")


async def test_the_page_needs_no_other_server() -> None:
    async with client() as http:
        page = (await http.get("/docs")).text
        assert "<title>secure-api</title>" in page
        named = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
        assert set(named) == documentation.PATHS - {"/docs"}
        assert re.findall(r"https?:", page) == []
        assert '"validatorUrl": null' in page
        for path in named:
            answer = await http.get(path)
            assert answer.status_code == 200
            assert len(answer.content) > 1_000


async def test_each_file_is_of_its_type_and_may_be_kept() -> None:
    async with client() as http:
        for path, kind in (
            (documentation.SCRIPT, "text/javascript"),
            (documentation.STYLE, "text/css"),
            (documentation.ICON, "image/png"),
        ):
            answer = await http.get(path)
            assert answer.headers["content-type"].partition(";")[0] == kind
            assert answer.headers["cache-control"] == "public, max-age=86400"
            assert answer.headers["etag"]


async def test_there_is_no_other_file_of_the_package_to_be_had() -> None:
    async with client() as http:
        for path in ("/docs/redoc.standalone.js", "/docs/../core.py", "/docs/%2e%2e/core.py", "/docs/"):
            assert (await http.get(path, follow_redirects=False)).status_code in {307, 404}


async def test_behind_a_proxy_that_adds_a_path() -> None:
    async with client("/consortium") as http:
        page = (await http.get("/consortium/docs")).text
        assert re.findall(r"""(?:src|href)=["'](/\w+)""", page) == ["/consortium"] * 3
        assert "url: '/consortium/openapi.json'" in page
