"""What all operators that draw have in common: the options, when they are checked, what a failure does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.api.models import DEFAULT_ASPECT_RATIO, DEFAULT_STYLE
from airflow_provider_talecraft.batch.prompts import Items, with_fallbacks
from airflow_provider_talecraft.exceptions import TaleCraftInvalidRequestError
from airflow_provider_talecraft.links.illustration import IllustrationLink
from airflow_provider_talecraft.pictures.place import checked_path
from airflow_provider_talecraft.policies.fail_fast import failing_fast
from airflow_provider_talecraft.policies.options import checked_count
from airflow_provider_talecraft.policies.templates import TemplatesOfTheAuthor, is_xcom
from airflow_provider_talecraft.version_compat import HAS_RETRY_POLICY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook
    from airflow_provider_talecraft.spending.once import Terms
    from airflow_provider_talecraft.spending.receipt import Redraw
    from airflow_provider_talecraft.version_compat import RetryPolicy

#: Seconds that a request may be on its way beyond the connection's timeouts: the hook's repetitions of what cost
#: nothing, and some.
MARGIN = 120.0
#: Characters of the prompt that a mapped task is called by; Airflow keeps 250.
LABEL = 60


class DrawingOperator(TemplatesOfTheAuthor):
    """Base of the operators that draw; what the options mean is said there."""

    ui_color = "#f6d9a8"
    operator_extra_links = (IllustrationLink(),)

    def __init__(
        self,
        *,
        style: str,
        aspect_ratio: str,
        talecraft_conn_id: str,
        max_replays: int,
        retries: int,
        retry_policy: RetryPolicy | None,
        **kwargs: Any,
    ) -> None:
        if HAS_RETRY_POLICY:
            kwargs["retry_policy"] = retry_policy
        super().__init__(retries=retries, **kwargs)
        self.style = style
        self.aspect_ratio = aspect_ratio
        self.talecraft_conn_id = talecraft_conn_id
        self.max_replays = checked_count("max_replays", max_replays, at_least=0)
        self.retry_policy = retry_policy

    def failing_fast(self, context: Context) -> AbstractContextManager[None]:
        """Turn an error that no retry can help into one that Airflow does not retry, where Airflow asks no policy."""
        return failing_fast(self.retry_policy, context)

    def _check_literals(self, check: Callable[[], Any]) -> None:
        """Refuse, when the Dag is parsed, what no template can make right any more.

        :param check: makes the requests, with stand-ins for templates.
        :raises ValueError: what *check* found.
        """
        if getattr(self, "_BaseOperator__from_mapped", False):
            return  # the values are those of a run: a wrong one is the task's error, at which its policy stops
        try:
            check()
        except TaleCraftInvalidRequestError as error:
            raise ValueError(str(error)) from None

    def _check_request(self, prompt: Any, fallbacks: Any) -> None:
        """Check the literals of one request."""
        if isinstance(fallbacks, (list, tuple)):
            fallbacks = [self._unless_template(fallback, "a prompt") for fallback in fallbacks]
        self._check_literals(
            lambda: with_fallbacks(
                self._unless_template(prompt, "a prompt"),
                None if is_xcom(fallbacks) else fallbacks,
                style=self._unless_template(self.style, DEFAULT_STYLE),
                ratio=self._unless_template(self.aspect_ratio, DEFAULT_ASPECT_RATIO),
            )
        )

    def _check_prompts(self, prompts: Any) -> None:
        """Check the literals of many requests."""
        if is_xcom(prompts) or self._unless_template(prompts, "") == "":
            return
        stand_ins = {"aspect_ratio": DEFAULT_ASPECT_RATIO}
        if isinstance(prompts, (list, tuple)):
            prompts = [
                {name: self._unless_template(value, stand_ins.get(name, str(index))) for name, value in given.items()}
                if isinstance(given, Mapping)
                else self._unless_template(given, "a prompt")
                for index, given in enumerate(prompts)
            ]
        self._check_literals(
            lambda: Items(
                prompts,
                style=self._unless_template(self.style, DEFAULT_STYLE),
                aspect_ratio=self._unless_template(self.aspect_ratio, DEFAULT_ASPECT_RATIO),
            )
        )

    def _unless_template(self, value: Any, stand_in: str) -> Any:
        """Return *stand_in* for what is known only when the task runs, else *value*."""
        text = value if isinstance(value, str) else ""
        known_later = is_xcom(value) or "{{" in text or "{%" in text or text.endswith(tuple(self.template_ext))
        return stand_in if known_later else value

    def _terms(
        self,
        hook: TaleCraftHook,
        *,
        dst: Any,
        dst_conn_id: str | None,
        redraw: Redraw,
        max_bytes: int,
        image_hosts: Sequence[str] | str | None,
    ) -> Terms:
        """Return the conditions under which pictures are drawn once.

        :raises AirflowFailException: if *dst* is not a place; no retry would help.
        """
        from airflow_provider_talecraft.pictures.delivery import Delivery  # noqa: PLC0415  # loads requests
        from airflow_provider_talecraft.spending.once import Terms  # noqa: PLC0415  # as above

        checked_path(dst, dst_conn_id)
        delivery = Delivery(
            dst, dst_conn_id, max_bytes=max_bytes, trusted=hook.picture_hosts(image_hosts), if_exists="overwrite"
        )
        return Terms(
            delivery,
            redraw=redraw,
            max_replays=self.max_replays,
            lease=lambda: hook.settings.connect_timeout + hook.settings.read_timeout + MARGIN,
        )

    @staticmethod
    def _call_map_index(context: Any, prompt: str) -> None:
        """Have a mapped task carry the beginning of its prompt in place of its number, unless its author named it."""
        if context["ti"].map_index >= 0 and context.get("map_index_template") is None:
            line = " ".join("".join(char if char.isprintable() else " " for char in prompt).split())
            context["talecraft_prompt"] = line if len(line) <= LABEL else line[: LABEL - 1] + "…"
            context["map_index_template"] = "{{ talecraft_prompt }}"
