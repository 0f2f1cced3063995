"""What all operators that draw have in common: the options, when they are checked, what a failure does."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_talecraft.exceptions import TaleCraftError, TaleCraftInvalidRequestError
from airflow_provider_talecraft.links.illustration import IllustrationLink
from airflow_provider_talecraft.operators.literals import CheckedPartial
from airflow_provider_talecraft.policies.fail_fast import failing_fast
from airflow_provider_talecraft.policies.options import checked_count
from airflow_provider_talecraft.policies.templates import TemplatesOfTheAuthor
from airflow_provider_talecraft.version_compat import HAS_RETRY_POLICY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from airflow.providers.common.compat.sdk import BaseOperatorLink, Context

    from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook
    from airflow_provider_talecraft.policies.options import Redraw
    from airflow_provider_talecraft.spending.report import Report
    from airflow_provider_talecraft.spending.terms import Terms
    from airflow_provider_talecraft.version_compat import RetryPolicy

#: Seconds that a request may be on its way beyond the connection's timeouts: the hook's repetitions of what cost
#: nothing, and some.
MARGIN = 120.0
#: Characters of the prompt that a mapped task is called by; Airflow keeps 250.
LABEL = 60


class DrawingOperator(TemplatesOfTheAuthor):
    """Base of the operators that draw; what the options mean is said there."""

    ui_color = "#f6d9a8"
    operator_extra_links: Collection[BaseOperatorLink] = (IllustrationLink(),)

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

    @contextmanager
    def telling(self, context: Context) -> Iterator[Report]:
        """Tell pages what becomes of the task, and fail at once at an error that no retry can help."""
        from airflow_provider_talecraft.spending.report import Report  # noqa: PLC0415  # not for a Dag's parsing

        report = Report(context["ti"], is_pushed=self.do_xcom_push)
        with failing_fast(self.retry_policy, context):
            try:
                yield report
            except (TaleCraftError, AirflowException) as error:
                report.fail(error)
                raise

    @classmethod
    def partial(cls, **kwargs: Any) -> CheckedPartial:
        """As Airflow's; what is written out is checked now."""
        cls.check_literals(kwargs)
        partial = super().partial(**kwargs)
        partial.__class__ = CheckedPartial  # the same fields, and two methods that check first
        return cast("CheckedPartial", partial)

    @classmethod
    def check_literals(cls, options: Mapping[str, Any]) -> None:
        """Refuse, when the Dag is parsed, what no template can make right any more.

        :param options: the operator's, as far as they are known.
        :raises ValueError: if one of them is wrong.
        """
        try:
            cls._check_literals(options)
        except TaleCraftInvalidRequestError as error:
            raise ValueError(str(error)) from None

    @staticmethod
    def _check_literals(options: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def _check(self, **options: Any) -> None:
        """Check the operator's own options, unless they are those of a run: a wrong one is the task's error then."""
        if not getattr(self, "_BaseOperator__from_mapped", False):
            self.check_literals({"style": self.style, "aspect_ratio": self.aspect_ratio, **options})

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
        from airflow_provider_talecraft.pictures.place import checked_path  # noqa: PLC0415  # not for a Dag's parsing
        from airflow_provider_talecraft.spending.terms import Terms  # noqa: PLC0415  # as above

        checked_path(dst, dst_conn_id)
        delivery = Delivery(
            dst, dst_conn_id, max_bytes=max_bytes, trusted=hook.picture_hosts(image_hosts), if_exists="overwrite"
        )
        return Terms(
            delivery,
            redraw=redraw,
            max_replays=self.max_replays,
            lease=lambda: hook.settings.connect_timeout + hook.settings.read_timeout + MARGIN,
            talecraft_conn_id=hook.talecraft_conn_id,
        )

    @staticmethod
    def _call_map_index(context: Any, prompt: str) -> None:
        """Have a mapped task carry the beginning of its prompt in place of its number, unless its author named it."""
        if context["ti"].map_index >= 0 and context.get("map_index_template") is None:
            line = " ".join("".join(char if char.isprintable() else " " for char in prompt).split())
            context["talecraft_prompt"] = line if len(line) <= LABEL else line[: LABEL - 1] + "…"
            context["map_index_template"] = "{{ talecraft_prompt }}"
