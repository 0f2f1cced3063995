"""What a Dag's author wrote out is checked when the Dag is parsed, mapped or not; what is known later, later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.api.models import DEFAULT_ASPECT_RATIO, DEFAULT_STYLE
from airflow_provider_talecraft.batch.prompts import Items, with_fallbacks
from airflow_provider_talecraft.policies.templates import is_xcom
from airflow_provider_talecraft.version_compat import OperatorPartial

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import MappedOperator

#: What stands for a prompt that is known only when the task runs.
A_PROMPT = "a prompt"
#: A value that ends so is the name of a file with templates.
FILES = (".prompt",)


class CheckedPartial(OperatorPartial):
    """What ``partial`` of a drawing operator returns: it checks what is mapped over, one at a time.

    Airflow makes no operator of a mapped task before it runs.
    """

    __slots__ = ()
    operator_class: Any  # a drawing operator's

    def expand(self, **mapped_kwargs: Any) -> MappedOperator:
        """As Airflow's; a list that is written out is checked now."""
        self._expand_called = True  # else an error below comes with a warning that it was never mapped
        for name, values in mapped_kwargs.items():
            for value in values if isinstance(values, (list, tuple)) else ():
                self.operator_class.check_literals({**self.kwargs, name: value})
        return super().expand(**mapped_kwargs)

    def expand_kwargs(self, kwargs: Any, *, strict: bool = True) -> MappedOperator:
        """As Airflow's; mappings that are written out are checked now."""
        self._expand_called = True
        for given in kwargs if isinstance(kwargs, Sequence) else ():
            if isinstance(given, Mapping):
                self.operator_class.check_literals({**self.kwargs, **given})
        return super().expand_kwargs(kwargs, strict=strict)


def check_request(options: Mapping[str, Any]) -> None:
    """Check the literals of one request: prompt, fallback_prompts, style, aspect_ratio.

    :raises TaleCraftInvalidRequestError: if one is wrong.
    """
    fallbacks = options.get("fallback_prompts")
    if isinstance(fallbacks, (list, tuple)):
        fallbacks = [_unless_later(fallback, A_PROMPT) for fallback in fallbacks]
    with_fallbacks(
        _unless_later(options.get("prompt", A_PROMPT), A_PROMPT),
        None if is_xcom(fallbacks) else fallbacks,
        **_style_and_ratio(options, ratio="ratio"),
    )


def check_prompts(options: Mapping[str, Any]) -> None:
    """Check the literals of many requests: prompts, style, aspect_ratio.

    :raises TaleCraftInvalidRequestError: if one is wrong.
    """
    prompts = options.get("prompts", [A_PROMPT])
    if is_xcom(prompts) or _unless_later(prompts, "") == "":
        prompts = [A_PROMPT]
    stand_ins = {"aspect_ratio": DEFAULT_ASPECT_RATIO}
    if isinstance(prompts, (list, tuple)):
        prompts = [
            {name: _unless_later(value, stand_ins.get(name, str(index))) for name, value in given.items()}
            if isinstance(given, Mapping)
            else _unless_later(given, A_PROMPT)
            for index, given in enumerate(prompts)
        ]
    Items(prompts, **_style_and_ratio(options, ratio="aspect_ratio"))


def _style_and_ratio(options: Mapping[str, Any], *, ratio: str) -> dict[str, Any]:
    return {
        "style": _unless_later(options.get("style", DEFAULT_STYLE), DEFAULT_STYLE),
        ratio: _unless_later(options.get("aspect_ratio", DEFAULT_ASPECT_RATIO), DEFAULT_ASPECT_RATIO),
    }


def _unless_later(value: Any, stand_in: str) -> Any:
    """Return *stand_in* for what is known only when the task runs, else *value*."""
    text = value if isinstance(value, str) else ""
    return stand_in if is_xcom(value) or "{{" in text or "{%" in text or text.endswith(FILES) else value
