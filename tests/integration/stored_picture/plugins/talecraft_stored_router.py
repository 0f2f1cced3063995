"""The router alone, as the package's plugin includes it."""

from __future__ import annotations

from typing import ClassVar

from airflow.plugins_manager import AirflowPlugin


def _app():
    from fastapi import FastAPI

    from airflow_provider_talecraft.plugins.stored_picture import router

    app = FastAPI()
    app.include_router(router)
    return app


class StoredRouter(AirflowPlugin):
    name = "talecraft_stored_router"
    # A name of its own: the package's plugin has /talecraft.
    fastapi_apps: ClassVar = [{"app": _app(), "url_prefix": "/talecraft-stored", "name": "stored"}]
