"""``@task.illustration``: a function says what is drawn; what draws it, and what that costs, is the operators'."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from airflow.providers.common.compat.sdk import (
    DecoratedOperator,
    context_merge,
    determine_kwargs,
    task_decorator_factory,
)

from airflow_provider_talecraft.exceptions import TaleCraftInvalidRequestError
from airflow_provider_talecraft.operators.illustration import GenerateIllustrationOperator, IllustrationOperator
from airflow_provider_talecraft.policies.options import checked_word
from airflow_provider_talecraft.policies.templates import is_xcom
from airflow_provider_talecraft.spending.record import OnClear

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, TaskDecorator

#: Stands for the prompt until the function has returned it; it is what Rendered Templates shows until then.
NOT_KNOWN_YET = "(what the function returns)"
#: What a mapping may say of one picture, in place of the decorator's options of the same names.
FIELDS = ("prompt", "style", "aspect_ratio", "fallback_prompts", "dst", "dst_conn_id", "name")


class _WithOrWithoutPlace(IllustrationOperator):
    """``IllustrationOperator``; without ``dst`` it does what ``GenerateIllustrationOperator`` does."""

    def __init__(self, *, dst: str | None = None, on_clear: OnClear = "regenerate", **kwargs: Any) -> None:
        super().__init__(dst=cast("str", dst), **kwargs)
        self.on_clear = checked_word("on_clear", on_clear, OnClear)

    def execute(self, context: Context) -> dict[str, Any]:
        """Draw once into ``dst``, or generate where there is none."""
        if self.dst is None:
            # Not a copy: the other operator's own code, which asks of its operator nothing that this one has not.
            return GenerateIllustrationOperator.execute(cast("GenerateIllustrationOperator", self), context)
        return super().execute(context)


class _IllustrationDecoratedOperator(DecoratedOperator, _WithOrWithoutPlace):
    """Call a function, and draw what it returns.

    :param python_callable: returns the prompt, or a mapping with ``prompt`` and any other of ``FIELDS``. Nothing of it
        is rendered.
    :param op_kwargs: keyword arguments of the function (templated).
    :param op_args: positional arguments of the function (templated).
    :param kwargs: options of ``IllustrationOperator`` and ``GenerateIllustrationOperator``; what is templated there is
        templated here, and no file is read in place of a value that ends in ``.prompt``.
    """

    template_fields: Sequence[str] = (*DecoratedOperator.template_fields, *IllustrationOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {**DecoratedOperator.template_fields_renderers}
    #: An argument of the function that ends in ``.prompt`` is no file's name, but data.
    template_ext: Sequence[str] = ()

    custom_operator_name = "@task.illustration"
    #: Rendered Templates shows the prompt when it is known.
    overwrite_rtif_after_execution = True

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            python_callable=python_callable, op_args=op_args, op_kwargs=op_kwargs, prompt=NOT_KNOWN_YET, **kwargs
        )
        if not hasattr(self, "xcom_push"):
            # Airflow 3.0's DecoratedOperator reads it when the picture is paid for, although its operators have none,
            # and makes no use of it. Goes with 3.0.
            self.xcom_push = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask the function what to draw, and draw it.

        :raises TaleCraftInvalidRequestError: if the function returns something else; nothing is sent. What the function
            itself raises passes as it is.
        """
        context_merge(context, self.op_kwargs)
        given = self.python_callable(*self.op_args, **determine_kwargs(self.python_callable, self.op_args, context))
        with self.telling(context):
            self._take(given)
        return cast("dict[str, Any]", super().execute(context))

    def _take(self, given: Any) -> None:
        """Make what the function returned this task's options.

        :raises TaleCraftInvalidRequestError: if it is neither a prompt nor a mapping of ``FIELDS``.
        """
        fields = {"prompt": given} if isinstance(given, str) else given
        if not isinstance(fields, Mapping):
            raise self._wrong(f"returned {type(given).__name__}")
        unknown = [str(field)[:40] for field in fields if field not in FIELDS]
        if unknown:
            raise self._wrong(f"returned a mapping with {unknown[0]!r}")
        if "prompt" not in fields:
            raise self._wrong("returned a mapping without a prompt")
        if not isinstance(fields.get("dst", ""), str):
            raise self._wrong(f"returned a mapping with a dst that is {type(fields['dst']).__name__}")
        for name, value in fields.items():
            setattr(self, name, value)
        alone = [name for name in ("dst_conn_id", "name") if fields.get(name) is not None]
        if self.dst is None and alone:
            raise self._wrong(f"returned a mapping with {alone[0]!r}, but there is no dst to store into")

    def _wrong(self, what: str) -> TaleCraftInvalidRequestError:
        name = getattr(self.python_callable, "__name__", "of this task")
        return TaleCraftInvalidRequestError(
            f"The function {name} {what}: nothing was sent. Return the prompt, a string, or a mapping with prompt and, "
            f"if they differ from the decorator's, {', '.join(FIELDS[1:])}."
        )

    def _do_render_template_fields(
        self, parent: Any, template_fields: Any, context: Any, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        """Render the function's arguments, but none that ``expand_kwargs`` took from an XCom."""
        taken = {name: parent.op_kwargs[name] for name in self._arguments_from_xcom(context)}
        parent.op_kwargs = {name: value for name, value in parent.op_kwargs.items() if name not in taken}
        super()._do_render_template_fields(parent, template_fields, context, jinja_env, seen_oids)
        parent.op_kwargs = {**parent.op_kwargs, **taken}

    def _arguments_from_xcom(self, context: Any) -> set[str]:
        """Return the names of the arguments whose text Airflow would render although an XCom brought it."""
        mapped: Any = self.dag.task_dict.get(self.task_id) if self.has_dag() else None  # type: ignore[no-untyped-call]  # Airflow's
        given = getattr(getattr(mapped, "op_kwargs_expand_input", None), "value", None)
        # Of expand, which has a mapping, Airflow itself renders only what the author wrote.
        if given is None or isinstance(given, Mapping):
            return set()
        if not is_xcom(given) and not is_xcom(given[context["ti"].map_index]):
            return set()
        return set(self.op_kwargs) - set(mapped.partial_kwargs["op_kwargs"])


def illustration_task(
    python_callable: Callable[..., Any] | None = None, *, multiple_outputs: bool = False, **kwargs: Any
) -> TaskDecorator:
    """Turn a function into a task that draws what it returns; in Dags, ``@task.illustration``.

    :param python_callable: returns the prompt, or a mapping.
    :param multiple_outputs: whether each part of the output is an XCom of its own, too. It does not follow the
        function's annotation, as elsewhere: what the function returns is not what the task returns.
    :param kwargs: options of ``IllustrationOperator``; without ``dst``, of ``GenerateIllustrationOperator``.
    """
    return task_decorator_factory(
        python_callable=python_callable,
        multiple_outputs=multiple_outputs,
        decorated_operator_class=_IllustrationDecoratedOperator,
        **kwargs,
    )
