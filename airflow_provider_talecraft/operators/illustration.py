"""Operators that have TaleCraft draw: a prompt in, the picture's URL out. Storing it is the transfer's work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from airflow_provider_talecraft.api.models import DEFAULT_ASPECT_RATIO, DEFAULT_STYLE
from airflow_provider_talecraft.exceptions import (
    TaleCraftAuthenticationError,
    TaleCraftInsufficientCreditsError,
    TaleCraftInvalidRequestError,
    TaleCraftOutcomeUnknownError,
)
from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context

#: A retry changes nothing about the first three. The last may have been charged: sending it again is a person's choice.
STOP_ERRORS = (
    TaleCraftAuthenticationError,
    TaleCraftInvalidRequestError,
    TaleCraftInsufficientCreditsError,
    TaleCraftOutcomeUnknownError,
)


class GenerateIllustrationOperator(BaseOperator):
    """Draw one illustration and push its URL to XCom; 2 credits are charged for a delivered one.

    Returns ``{"id", "status", "image_url", "prompt", "style", "aspect_ratio"}``, and pushes ``image_url`` under its own
    key too.

    A refusal that a retry cannot change (key, request, credits) fails the task at once. So does an answer that was
    lost after the request was sent: it may have been charged, and a retry might be charged again. Everything else was
    not charged and follows the task's retries.

    :param prompt: description of the scene (templated); a value ending in ``.prompt`` is the name of a file that
        contains it.
    :param style: name of a style (templated); TaleCraft's reference names one, ``children_book``.
    :param aspect_ratio: width to height (templated): 1:1, 2:3, 3:2, 3:4, 4:3, 9:16 or 16:9.
    :param talecraft_conn_id: id of the connection with the API key (templated).
    :param retries: how often Airflow runs the task again after an error that cost nothing.
    """

    template_fields: Sequence[str] = ("prompt", "style", "aspect_ratio", "talecraft_conn_id")
    template_ext: Sequence[str] = (".prompt",)
    ui_color = "#f6d9a8"

    def __init__(
        self,
        *,
        prompt: str,
        style: str = DEFAULT_STYLE,
        aspect_ratio: str = DEFAULT_ASPECT_RATIO,
        talecraft_conn_id: str = TaleCraftHook.default_conn_name,
        retries: int = 3,
        **kwargs: Any,
    ) -> None:
        super().__init__(retries=retries, **kwargs)
        self.prompt = prompt
        self.style = style
        self.aspect_ratio = aspect_ratio
        self.talecraft_conn_id = talecraft_conn_id

    def execute(self, context: Context) -> dict[str, str]:
        """Draw, push ``image_url``, return what was drawn and from what.

        :raises AirflowFailException: on an error that a retry would not mend, or might pay for twice.
        :raises TaleCraftError: on any other; nothing was charged.
        """
        hook = TaleCraftHook(self.talecraft_conn_id)
        try:
            illustration = hook.generate(self.prompt, style=self.style, aspect_ratio=self.aspect_ratio)
        except STOP_ERRORS as error:
            raise AirflowFailException(f"{type(error).__name__}: {error}") from error
        self.log.info("Illustration %s is at %s (2 credits)", illustration.id, illustration.image_url)
        if self.do_xcom_push:
            context["ti"].xcom_push(key="image_url", value=illustration.image_url)
        return {
            "id": illustration.id,
            "status": illustration.status,
            "image_url": illustration.image_url,
            "prompt": self.prompt,
            "style": self.style,
            "aspect_ratio": self.aspect_ratio,
        }
