"""The link "Illustration" on a task's page: where a browser finds the picture. Read from XCom, which a try empties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import BaseOperatorLink

from airflow_provider_talecraft.api.address import without_query

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import TaskInstanceKey


class IllustrationLink(BaseOperatorLink):
    """Link to the picture of a task that drew or stored one; no link where there is none, or more than one.

    Airflow 3 asks for it once, in the worker, when the task has ended, and keeps the answer as an XCom. Airflow 2.11
    asks whenever the page is looked at, and does not know the values that the task was run with.
    """

    name = "Illustration"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """Return the picture's place, if that is a web address, else the ``image_url`` it was drawn at, else "".

        :param operator: the operator as it ran; on Airflow 2.11 the one that Airflow keeps, with its templates.
        :param ti_key: on Airflow 3 the running task instance.
        """
        from airflow.providers.common.compat.sdk import XCom  # noqa: PLC0415  # loads the database's library on 2.11

        result = XCom.get_value(ti_key=ti_key, key="return_value")
        if not isinstance(result, Mapping):
            return ""
        fetched = getattr(operator, "illustration", None)
        source = fetched.get("image_url") if isinstance(fetched, Mapping) else getattr(operator, "image_url", None)
        candidates = (result.get("path"), result.get("image_url"), source)
        return next((link for candidate in candidates if (link := _web_address(candidate))), "")


def _web_address(value: Any) -> str:
    """Return *value* if a browser may be sent there, else "".

    That is an http(s) URL without a query. A query may be a signature, which is shown nowhere but in XCom; and without
    it a signed URL opens nothing.
    """
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        return ""
    return without_query(value)
