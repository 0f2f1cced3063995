"""What of an operator is rendered as a template: what the Dag's author wrote, and nothing that an XCom brought.

Airflow renders the text that ``expand_kwargs`` takes from an XCom. Such text comes from outside: an answer, a table, a
stranger's prompt. As a template it could read any connection of the worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator
from jinja2 import TemplateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class TemplatesOfTheAuthor(BaseOperator):
    """Base of this package's operators: XComs are resolved in all fields, only the author's text is rendered."""

    #: Template fields that are data, whoever wrote them: XComs in them are resolved, their text is never rendered.
    data_fields: ClassVar[frozenset[str]] = frozenset()

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        """Airflow calls this for a mapped task as for any other, with the names of the fields.

        :raises AirflowFailException: if a template cannot be rendered.
        """
        data = self.data_fields | self._mapped_from_xcom(context)
        for name in data.intersection(template_fields):
            setattr(parent, name, _resolved(getattr(parent, name), context))
        authors = [name for name in template_fields if name not in data]
        try:
            super()._do_render_template_fields(parent, authors, context, jinja_env, seen_oids)
        except TemplateError as error:
            # The same template fails the same way in every try.
            raise AirflowFailException(
                f"A template of this task cannot be rendered ({type(error).__name__}: {error}): nothing was sent. Mend "
                "it in the Dag."
            ) from None

    def _mapped_from_xcom(self, context: Mapping[str, Any]) -> set[str]:
        """Return the names of the fields whose value ``expand`` or ``expand_kwargs`` took from an XCom."""
        dag: Any = self.dag if self.has_dag() else None  # type: ignore[no-untyped-call]  # Airflow's
        mapped: Any = dag and dag.task_dict.get(self.task_id)
        given = getattr(getattr(mapped, "expand_input", None), "value", None)
        if given is None:
            return set()
        if isinstance(given, dict):  # expand
            return {name for name, value in given.items() if is_xcom(value)}
        if not is_xcom(given) and not is_xcom(given[context["ti"].map_index]):
            return set()  # expand_kwargs with mappings that the author wrote
        # expand_kwargs with an XCom: only what the author wrote beside it is the author's.
        authors = {**dag.default_args, **mapped.partial_kwargs}
        return {name for name in self.template_fields if getattr(self, name) != authors.get(name)}


def is_xcom(value: Any) -> bool:
    """Return whether *value* stands for an XCom, which is known when the task runs."""
    return hasattr(value, "resolve")


def _resolved(value: Any, context: Any) -> Any:
    """Return *value* with what stands for an XCom replaced by what the XCom holds; text stays as it is."""
    if is_xcom(value):
        return value.resolve(context)
    if type(value) is dict:
        return {name: _resolved(item, context) for name, item in value.items()}
    if type(value) in {list, tuple}:
        return type(value)(_resolved(item, context) for item in value)
    return value
