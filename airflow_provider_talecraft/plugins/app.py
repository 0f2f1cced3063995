"""The pages' files, for people who are logged in. What the pages show, Airflow's REST API tells those people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

# At the top: FastAPI finds a dependency only among the module's own names.
from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse

from airflow_provider_talecraft.plugins import stored_picture

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import Request, Response

WWW = Path(__file__).with_name("www")
#: By extension; an operating system's own table may know another type for scripts, which browsers then refuse.
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".md": "text/plain",
    ".svg": "image/svg+xml",
}
#: All that is served. A path that is not in here does not reach the file system.
FILES = {path.relative_to(WWW).as_posix(): path for path in WWW.rglob("*") if path.suffix in TYPES}
#: Pictures come from the service or its stand-ins on this machine, all else from here. No inline script or style.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' https: http://127.0.0.1:* http://localhost:* http://*.localhost:*; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # An upgrade is seen at once by whoever opens a page after it.
    "Cache-Control": "private, no-cache",
}

# For strangers there is nothing here, no description of what there is either.
app = FastAPI(dependencies=[Depends(get_user)], docs_url=None, redoc_url=None, openapi_url=None)
app.include_router(stored_picture.router)


@app.middleware("http")
async def add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Add the headers that a route did not set itself."""
    response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


@app.get("/{name:path}")
def page(name: str) -> FileResponse:
    """Return one of the pages' files. The last of the routes: it takes every path that is left."""
    path = FILES.get(name)
    if path is None:
        raise HTTPException(404)
    return FileResponse(path, media_type=TYPES[path.suffix])
