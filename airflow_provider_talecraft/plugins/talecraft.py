"""TaleCraftPlugin: two tabs and a page in the menu. All of Airflow imports this module: it loads next to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

#: Below Airflow's own path prefix.
PREFIX = "talecraft"
#: External views came with Airflow 3.1. Below it nothing would lead to the pages, so they are not served either.
HAS_VIEWS = hasattr(AirflowPlugin, "external_views")
TASK = "dag_id={DAG_ID}&run_id={RUN_ID}&task_id={TASK_ID}&map_index={MAP_INDEX}"


class _Pages:
    """The pages as an ASGI app, loaded with the first request: the scheduler and the workers never serve one."""

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Answer one request."""
        from airflow_provider_talecraft.plugins.app import app  # noqa: PLC0415  # loads FastAPI and the API server

        await app(scope, receive, send)


def _view(name: str, destination: str, route: str, page: str) -> dict[str, str]:
    """Return an external view. Without a leading slash, *page* follows Airflow's path prefix."""
    icons = {"icon": f"{PREFIX}/icon.svg", "icon_dark_mode": f"{PREFIX}/icon-dark.svg"}
    return {
        "name": name,
        "href": f"{PREFIX}/{page}",
        "destination": destination,
        "url_route": route,
        **icons,
    }


class TaleCraftPlugin(AirflowPlugin):
    """Tabs on the task instance and on the Dag run, and a page in the menu; docs/pages.md says what they show."""

    name = "talecraft"
    fastapi_apps: ClassVar[list[Any]] = (  # type: ignore[misc]  # Airflow declares them without ClassVar
        [{"app": _Pages(), "url_prefix": f"/{PREFIX}", "name": "TaleCraft"}] if HAS_VIEWS else []
    )
    external_views: ClassVar[list[Any]] = (  # type: ignore[misc]  # as above
        [
            _view("Illustration", "task_instance", "talecraft_illustration", f"task.html?{TASK}"),
            _view("Illustrations", "dag_run", "talecraft_illustrations", "run.html?dag_id={DAG_ID}&run_id={RUN_ID}"),
            _view("TaleCraft", "nav", "talecraft", "menu.html"),
        ]
        if HAS_VIEWS
        else []
    )
