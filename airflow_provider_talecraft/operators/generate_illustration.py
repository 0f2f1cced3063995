"""GenerateIllustrationOperator: a prompt in, the picture's URL out. Storing it is the transfer's work.

Dags import it from ``operators.illustration``.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.api.address import without_query
from airflow_provider_talecraft.api.models import CREDITS, DEFAULT_ASPECT_RATIO, DEFAULT_STYLE
from airflow_provider_talecraft.batch.prompts import with_fallbacks
from airflow_provider_talecraft.operators.base import DrawingOperator
from airflow_provider_talecraft.operators.literals import FILES, check_request
from airflow_provider_talecraft.pictures.assets import add_to_asset_events
from airflow_provider_talecraft.policies.fail_fast import DEFAULT_POLICY
from airflow_provider_talecraft.policies.options import DEFAULT_CONN_ID, OnClear, checked_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_talecraft.version_compat import RetryPolicy

log = logging.getLogger(__name__)


class GenerateIllustrationOperator(DrawingOperator):
    """Draw one illustration and push its URL to XCom; 2 credits are charged for a delivered one.

    Returns ``{"id", "status", "image_url", "prompt", "style", "aspect_ratio"}``, and pushes ``image_url`` under its own
    key too. ``prompt`` is the one that made the picture.

    Money: a record is written before the request is sent and completed after the answer. A try that follows a
    delivered picture returns it and sends nothing. A request that got no answer (the worker was killed, the connection
    broke) may have been charged; it is sent again at most ``max_replays`` times in the life of the task instance, and
    then the task fails and says what may have been charged. Below Airflow 3.3 there is no place for the record: there,
    tries are counted instead, and a killed worker's request is not seen.

    :param prompt: description of the scene (templated); a value ending in ``.prompt`` is the name of a file that
        contains it.
    :param style: name of a style (templated); TaleCraft's reference names one, ``children_book``.
    :param aspect_ratio: width to height (templated): 1:1, 2:3, 3:2, 3:4, 4:3, 9:16 or 16:9.
    :param fallback_prompts: prompts (templated) to try at once, in this order and in the same try, when the model
        fails on the one before; that failure costs nothing.
    :param talecraft_conn_id: id of the connection with the API key (templated).
    :param max_replays: how often a request that may have been charged is sent again; 0 means never pay twice.
    :param on_clear: what clearing the task means for a picture that was delivered: "regenerate" pays for a new one,
        "reuse" returns the stored one.
    :param retries: how often Airflow runs the task again, within what the policy allows.
    :param retry_policy: decides after an error, on Airflow 3.3 or newer. With None, or below 3.3, errors that the
        default policy would stop at fail the task at once, and all others wait the task's own ``retry_delay``.
    """

    template_fields: Sequence[str] = ("prompt", "style", "aspect_ratio", "fallback_prompts", "talecraft_conn_id")
    template_ext: Sequence[str] = FILES
    _check_literals = staticmethod(check_request)

    def __init__(
        self,
        *,
        prompt: str,
        style: str = DEFAULT_STYLE,
        aspect_ratio: str = DEFAULT_ASPECT_RATIO,
        fallback_prompts: Sequence[str] = (),
        talecraft_conn_id: str = DEFAULT_CONN_ID,
        max_replays: int = 1,
        on_clear: OnClear = "regenerate",
        retries: int = 3,
        retry_policy: RetryPolicy | None = DEFAULT_POLICY,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            style=style,
            aspect_ratio=aspect_ratio,
            talecraft_conn_id=talecraft_conn_id,
            max_replays=max_replays,
            retries=retries,
            retry_policy=retry_policy,
            **kwargs,
        )
        self.prompt = prompt
        self.fallback_prompts = fallback_prompts
        self.on_clear = checked_word("on_clear", on_clear, OnClear)
        self._check(prompt=prompt, fallback_prompts=fallback_prompts)

    def execute(self, context: Context) -> dict[str, str]:
        """Draw, unless an earlier try did; push ``image_url``, return what was drawn and from what.

        :raises TaleCraftError: for the retry policy; ``outcome`` says whether something may have been charged.
        :raises AirflowFailException: if the record of an earlier try cannot be read, and instead of a TaleCraftError
            where no retry policy is asked and a retry would not help, or might pay twice.
        """
        from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook  # noqa: PLC0415  # not for a Dag's parsing
        from airflow_provider_talecraft.spending.metrics import Metrics  # noqa: PLC0415  # as above
        from airflow_provider_talecraft.spending.record import SpendRecord, fingerprint  # noqa: PLC0415  # as above
        from airflow_provider_talecraft.spending.store import StateKey  # noqa: PLC0415  # as above

        ti = context["ti"]
        with self.telling(context) as report:
            requests = with_fallbacks(self.prompt, self.fallback_prompts, style=self.style, ratio=self.aspect_ratio)
            self._call_map_index(context, self.prompt)
            hook = TaleCraftHook(self.talecraft_conn_id)
            record = SpendRecord(
                StateKey.of(context),
                fingerprint=fingerprint(self.talecraft_conn_id, *(request.payload() for request in requests)),
                max_tries=ti.max_tries,
                try_number=ti.try_number,
                max_replays=self.max_replays,
                on_clear=self.on_clear,
                metrics=Metrics(ti, self.talecraft_conn_id),
            )
            report.of(record, requests[0])
            found = record.delivered is not None
            if not found:
                hook.get_conn()  # a wrong connection is found before the record says that something was sent
            result = {**requests[0].payload(), **record.obtain(requests, report.sending(hook.send))}
            report.tell("found" if found else "drawn")
        cost = "nothing paid now, an earlier try drew it" if found else f"{CREDITS} credits"
        log.info("Illustration %s: %s. It can be looked at here:", result["id"], cost)
        log.info("%s", without_query(result["image_url"]))  # a query may be a signature: it is in XCom alone
        if self.do_xcom_push:
            ti.xcom_push(key="image_url", value=result["image_url"])
        add_to_asset_events(context, self.outlets, result["image_url"], result)
        return result

    def on_kill(self) -> None:
        """Say what a kill leaves behind. A request on its way cannot be called back."""
        log.warning(
            "Killed. A request on its way may have been charged: the next try counts it as one without an answer."
        )
