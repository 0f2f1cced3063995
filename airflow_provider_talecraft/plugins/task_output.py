"""What Airflow's database knows of a task instance: what it returned, and what its worker rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.models.renderedtifields import RenderedTaskInstanceFields
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import select

from airflow_provider_talecraft.plugins.confinement import NotShownError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What the drawing operators push while they work; a failed batch has its entries there.
REPORT = "talecraft_report"
RETURNED = "return_value"


@dataclass(frozen=True)
class TaskOutput:
    """One task instance.

    :param value: its XCom: a mapping, or a list of entries. People may have edited it.
    :param rendered: its rendered fields, which only its worker writes.
    """

    value: dict[str, Any] | list[Any]
    rendered: dict[str, Any]

    @classmethod
    def of(cls, dag_id: str, run_id: str, task_id: str, map_index: int) -> TaskOutput:
        """Read it.

        :raises NotShownError: if it is not there, its rendered fields are not kept any more, or its XCom is something
            else; what an XCom backend keeps elsewhere is a text here.
        """
        rows, xcoms = RenderedTaskInstanceFields, XComModel
        with create_session(scoped=False) as session:
            rendered = session.scalar(
                select(rows.rendered_fields).where(
                    rows.dag_id == dag_id, rows.run_id == run_id, rows.task_id == task_id, rows.map_index == map_index
                )
            )
            query = select(xcoms.key, xcoms.value).where(
                xcoms.dag_id == dag_id, xcoms.run_id == run_id, xcoms.task_id == task_id, xcoms.map_index == map_index,
                xcoms.key.in_((REPORT, RETURNED)),
            )  # fmt: skip
            found = {row.key: row.value for row in session.execute(query)}
        if not isinstance(rendered, dict):
            raise NotShownError("Airflow keeps no rendered fields of this task instance")
        return cls(returned(found), rendered)


def returned(xcoms: Mapping[str, Any]) -> dict[str, Any] | list[Any]:
    """Return what a task returned or, if it failed, the entries, or their manifest, that its report tells of.

    :raises NotShownError: if that is nothing.
    """
    value = xcoms.get(RETURNED)
    if value is None and isinstance(report := xcoms.get(REPORT), dict):
        value = report.get("entries") or report
    if not isinstance(value, (dict, list)):
        raise NotShownError("the task has no output that says where a picture is")
    return value
