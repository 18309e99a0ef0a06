"""`/docs`: Swagger UI out of a package, so that the page needs no network but the server's own."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

DOCS: Final = "/docs"
SCRIPT: Final = f"{DOCS}/swagger-ui-bundle.js"
STYLE: Final = f"{DOCS}/swagger-ui.css"
ICON: Final = f"{DOCS}/favicon.png"
#: What the page is made of: as public as the page.
PATHS: Final = frozenset({DOCS, SCRIPT, STYLE, ICON})
STATIC: Final = Path(str(files("fastapi_offline"))) / "static"
CACHE: Final = {"Cache-Control": "public, max-age=86400"}  # seconds

router = APIRouter(include_in_schema=False)


@router.get(DOCS)
async def page(request: Request) -> HTMLResponse:
    """Show the OpenAPI document."""
    root = request.scope.get("root_path", "")
    return get_swagger_ui_html(
        openapi_url=f"{root}{request.app.openapi_url}",
        title=request.app.title,
        swagger_js_url=f"{root}{SCRIPT}",
        swagger_css_url=f"{root}{STYLE}",
        swagger_favicon_url=f"{root}{ICON}",
        # Unless told otherwise, the page has the document's address checked by a service of the makers of Swagger UI.
        swagger_ui_parameters={"validatorUrl": None},
    )


@router.get(SCRIPT)
async def script() -> FileResponse:
    """Give Swagger UI."""
    return FileResponse(STATIC / "swagger-ui-bundle.js", media_type="text/javascript", headers=CACHE)


@router.get(STYLE)
async def style() -> FileResponse:
    """Give Swagger UI's style sheet."""
    return FileResponse(STATIC / "swagger-ui.css", media_type="text/css", headers=CACHE)


@router.get(ICON)
async def icon() -> FileResponse:
    """Give the icon of the page."""
    return FileResponse(STATIC / "favicon.png", media_type="image/png", headers=CACHE)
