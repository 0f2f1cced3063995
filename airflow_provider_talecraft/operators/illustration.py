"""Operators that have TaleCraft draw: a prompt in, the picture's URL out. Storing it is the transfer's work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.api.models import CREDITS, DEFAULT_ASPECT_RATIO, DEFAULT_STYLE, IllustrationRequest
from airflow_provider_talecraft.exceptions import (
    TaleCraftError,
    TaleCraftGenerationFailedError,
    TaleCraftInvalidRequestError,
)
from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook
from airflow_provider_talecraft.operators.illustration_batch import GenerateIllustrationBatchOperator
from airflow_provider_talecraft.pictures.assets import add_to_asset_events
from airflow_provider_talecraft.policies.fail_fast import (
    DEFAULT_POLICY,
    count_tries_as_replays,
    raise_if_policy_stops,
)
from airflow_provider_talecraft.policies.options import checked_word
from airflow_provider_talecraft.policies.templates import TemplatesOfTheAuthor
from airflow_provider_talecraft.spending.record import KEY, OnClear, SpendRecord, checked_replays, fingerprint
from airflow_provider_talecraft.version_compat import HAS_RETRY_POLICY, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context

__all__ = ["DEFAULT_POLICY", "GenerateIllustrationBatchOperator", "GenerateIllustrationOperator"]


class GenerateIllustrationOperator(TemplatesOfTheAuthor):
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
    template_ext: Sequence[str] = (".prompt",)
    ui_color = "#f6d9a8"

    def __init__(
        self,
        *,
        prompt: str,
        style: str = DEFAULT_STYLE,
        aspect_ratio: str = DEFAULT_ASPECT_RATIO,
        fallback_prompts: Sequence[str] = (),
        talecraft_conn_id: str = TaleCraftHook.default_conn_name,
        max_replays: int = 1,
        on_clear: OnClear = "regenerate",
        retries: int = 3,
        retry_policy: RetryPolicy | None = DEFAULT_POLICY,
        **kwargs: Any,
    ) -> None:
        if HAS_RETRY_POLICY:
            kwargs["retry_policy"] = retry_policy
        super().__init__(retries=retries, **kwargs)
        self.prompt = prompt
        self.style = style
        self.aspect_ratio = aspect_ratio
        self.fallback_prompts = fallback_prompts
        self.talecraft_conn_id = talecraft_conn_id
        self.max_replays = checked_replays(max_replays)
        self.on_clear = checked_word("on_clear", on_clear, OnClear)
        self.retry_policy = retry_policy

    def execute(self, context: Context) -> dict[str, str]:
        """Draw, unless an earlier try did; push ``image_url``, return what was drawn and from what.

        :raises TaleCraftError: for the retry policy; ``outcome`` says whether something may have been charged.
        :raises AirflowFailException: if the record of an earlier try cannot be read, and instead of a TaleCraftError
            where no retry policy is asked and a retry would not help, or might pay twice.
        """
        try:
            requests = self._requests()
            record = SpendRecord(
                context.get("task_state_store"),
                key=KEY,
                fingerprint=fingerprint(self.talecraft_conn_id, *(request.payload() for request in requests)),
                max_tries=context["ti"].max_tries,
                max_replays=self.max_replays,
                on_clear=self.on_clear,
            )
            result = record.delivered or self._draw(requests, record)
        except TaleCraftError as error:
            count_tries_as_replays(error, max_replays=self.max_replays, try_number=context["ti"].try_number)
            raise_if_policy_stops(error, self.retry_policy, context)
            raise
        if self.do_xcom_push:
            context["ti"].xcom_push(key="image_url", value=result["image_url"])
        add_to_asset_events(context, self.outlets, result["image_url"], result)
        return result

    def _requests(self) -> list[IllustrationRequest]:
        """Return what to ask for, in order; all of it is checked before the first is sent."""
        fallbacks = () if self.fallback_prompts is None else self.fallback_prompts
        if isinstance(fallbacks, str) or not isinstance(fallbacks, Iterable):
            raise TaleCraftInvalidRequestError(
                f"fallback_prompts must be a list of prompts, not one {type(fallbacks).__name__}: nothing was sent."
            )
        requests = [IllustrationRequest(self.prompt, self.style, self.aspect_ratio)]
        for number, prompt in enumerate(fallbacks):
            try:
                requests.append(IllustrationRequest(prompt, self.style, self.aspect_ratio))
            except TaleCraftInvalidRequestError as error:
                raise TaleCraftInvalidRequestError(f"fallback_prompts[{number}]: {error}") from None
        return requests

    def _draw(self, requests: list[IllustrationRequest], record: SpendRecord) -> dict[str, str]:
        hook = TaleCraftHook(self.talecraft_conn_id)
        hook.get_conn()  # a wrong connection is found before the record says that something was sent
        for number, request in enumerate(requests, start=1):
            try:
                with record.attempt(request.prompt):
                    illustration = hook.send(request)
                break
            except TaleCraftGenerationFailedError as error:
                if number == len(requests):
                    raise
                self.log.warning("%s Trying the next of fallback_prompts.", error)
        result = {
            "id": illustration.id,
            "status": illustration.status,
            "image_url": illustration.image_url,
            **request.payload(),
        }
        record.deliver(result)
        self.log.info("Illustration %s is at %s (%d credits)", illustration.id, illustration.image_url, CREDITS)
        return result

    def on_kill(self) -> None:
        """Say what a kill leaves behind. A request on its way cannot be called back."""
        self.log.warning(
            "Killed. A request on its way may have been charged: the next try counts it as one without an answer."
        )
