"""IllustrationOperator: from a prompt to a picture in its place, once, as ``make`` would; and its siblings."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.api.models import CREDITS, DEFAULT_ASPECT_RATIO, DEFAULT_STYLE
from airflow_provider_talecraft.batch.prompts import with_fallbacks
from airflow_provider_talecraft.exceptions import TaleCraftInvalidRequestError
from airflow_provider_talecraft.operators.base import DrawingOperator
from airflow_provider_talecraft.operators.generate_illustration import GenerateIllustrationOperator
from airflow_provider_talecraft.operators.literals import FILES, check_request
from airflow_provider_talecraft.pictures.assets import add_to_asset_events
from airflow_provider_talecraft.policies.fail_fast import DEFAULT_POLICY
from airflow_provider_talecraft.policies.options import (
    DEFAULT_CONN_ID,
    DEFAULT_MAX_BYTES,
    Redraw,
    checked_count,
    checked_word,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_talecraft.operators.generate_illustration_batch import GenerateIllustrationBatchOperator
    from airflow_provider_talecraft.version_compat import RetryPolicy

__all__ = [
    "DEFAULT_POLICY",
    "GenerateIllustrationBatchOperator",
    "GenerateIllustrationOperator",
    "IllustrationOperator",
]

log = logging.getLogger(__name__)


def __getattr__(name: str) -> Any:
    """Return the batch's operator, whose imports are more than all others: a Dag without a batch does without them."""
    if name != "GenerateIllustrationBatchOperator":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from airflow_provider_talecraft.operators import generate_illustration_batch  # noqa: PLC0415  # as the docstring says

    return generate_illustration_batch.GenerateIllustrationBatchOperator


class IllustrationOperator(DrawingOperator):
    """Draw one illustration into its place in an object store, unless it stands there already.

    Returns ``{"id", "status", "image_url", "prompt", "style", "aspect_ratio", "path", "size", "sha256",
    "content_type", "width", "height", "drawn"}``, which the events of its asset outlets carry too, and pushes
    ``image_url``, which has no query, under its own key. ``drawn`` is False if the picture stood and nothing was paid.

    Money: beside the picture stands its receipt (docs/receipts.md). A picture that stands, with a receipt for the same
    prompt, style, ratio and fallbacks, is never paid for again: in no later run, backfill, clear or Airflow. Before
    anything is paid a receipt is written, so a destination that cannot be written costs nothing, and a killed worker
    is seen by the next try and the next run, on every Airflow version. A request without an answer is sent again at
    most ``max_replays`` times. A paid picture whose fetch or upload fails is fetched by the next try. Of two tasks with
    the same destination one draws and the other waits.

    :param prompt: description of the scene (templated); a value ending in ``.prompt`` is the name of a file that
        contains it.
    :param dst: any ObjectStoragePath URI (templated). Ending in ``/`` it is a folder: the picture is ``<name>`` with
        the extension of its real type, and its receipt ``<name>.json``. Else it is the picture's file, and the receipt
        is ``<dst>.json``.
    :param dst_conn_id: id of the store's connection (templated); None for the store's own default.
    :param name: the picture's name in a folder (templated), without extension; None names it after the request, so that
        the same request finds its picture in any run.
    :param redraw: what is done where a picture stands that was drawn for another request: "when_changed" draws and
        replaces it, "never" leaves and returns it. "always" draws in every run, whatever stands, even a file without a
        receipt, which otherwise is an error.
    :param style: name of a style (templated); TaleCraft's reference names one, ``children_book``.
    :param aspect_ratio: width to height (templated): 1:1, 2:3, 3:2, 3:4, 4:3, 9:16 or 16:9.
    :param fallback_prompts: prompts (templated) to try at once, in this order and in the same try, when the model
        fails on the one before; that failure costs nothing.
    :param talecraft_conn_id: id of the connection with the API key (templated).
    :param max_bytes: a larger picture is refused; 50 MiB by default.
    :param image_hosts: hosts (templated) that need be neither public nor https; None for those of the connection.
    :param max_replays: how often a request that may have been charged is sent again; 0 means never pay twice.
    :param retries: how often Airflow runs the task again, within what the policy allows.
    :param retry_policy: decides after an error, on Airflow 3.3 or newer; as ``GenerateIllustrationOperator``.
    """

    template_fields: Sequence[str] = (
        "prompt",
        "dst",
        "dst_conn_id",
        "name",
        "style",
        "aspect_ratio",
        "fallback_prompts",
        "talecraft_conn_id",
        "image_hosts",
    )
    template_ext: Sequence[str] = FILES
    _check_literals = staticmethod(check_request)

    def __init__(
        self,
        *,
        prompt: str,
        dst: str,
        dst_conn_id: str | None = None,
        name: str | None = None,
        redraw: Redraw = "when_changed",
        style: str = DEFAULT_STYLE,
        aspect_ratio: str = DEFAULT_ASPECT_RATIO,
        fallback_prompts: Sequence[str] = (),
        talecraft_conn_id: str = DEFAULT_CONN_ID,
        max_bytes: int = DEFAULT_MAX_BYTES,
        image_hosts: Sequence[str] | str | None = None,
        max_replays: int = 1,
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
        self.dst = dst
        self.dst_conn_id = dst_conn_id
        self.name = name
        self.redraw = checked_word("redraw", redraw, Redraw)
        self.fallback_prompts = fallback_prompts
        self.max_bytes = checked_count("max_bytes", max_bytes)
        self.image_hosts = image_hosts
        self._made: dict[str, str] = {}
        self._check(prompt=prompt, fallback_prompts=fallback_prompts)

    def execute(self, context: Context) -> dict[str, Any]:
        """Find the picture, or draw and store it; push ``image_url``, return where it lies and what it is.

        :raises TaleCraftError: for the retry policy; ``outcome`` says whether something may have been charged.
        :raises AirflowFailException: if what stands at ``dst`` is somebody else's or not what its receipt says, and
            instead of a TaleCraftError where no retry policy is asked and a retry would not help, or might pay twice.
        """
        from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook  # noqa: PLC0415  # not for a Dag's parsing
        from airflow_provider_talecraft.spending.once import DrawOnce  # noqa: PLC0415  # loads requests

        with self.telling(context) as report:
            requests = with_fallbacks(self.prompt, self.fallback_prompts, style=self.style, ratio=self.aspect_ratio)
            self._call_map_index(context, self.prompt)
            hook = TaleCraftHook(self.talecraft_conn_id)
            terms = self._terms(
                hook, dst=self.dst, dst_conn_id=self.dst_conn_id, redraw=self.redraw,
                max_bytes=self.max_bytes, image_hosts=self.image_hosts,
            )  # fmt: skip
            picture = DrawOnce(requests, terms, context["ti"], name=self._checked_name())
            report.of(picture, requests[0])
            if not picture.delivered:
                hook.get_conn()  # a wrong connection is found before the receipt says that something was sent
            result: dict[str, Any] = picture.obtain_or_wait(requests, report.sending(hook.send))
            report.tell("drawn" if result["drawn"] else "found")
        cost = f"{CREDITS} credits" if result["drawn"] else "nothing paid, it stood there already"
        log.info("Illustration %s: %s. It is here:", result["id"], cost)
        log.info("%s", result["path"])
        if self.do_xcom_push:
            context["ti"].xcom_push(key="image_url", value=result["image_url"])
        add_to_asset_events(context, self.outlets, picture.uri, result)
        self._made = {picture.uri: f"{result['content_type']}, {result['width']} x {result['height']}"}
        return result

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:  # noqa: ARG002  # theirs
        """Tell OpenLineage: from the generate endpoint to the object."""
        from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook  # noqa: PLC0415  # as above
        from airflow_provider_talecraft.pictures.lineage import lineage  # noqa: PLC0415  # where it is installed

        return lineage(TaleCraftHook(self.talecraft_conn_id).service_url(), self._made)

    def _checked_name(self) -> str:
        if not isinstance(self.name, (str, type(None))):
            raise TaleCraftInvalidRequestError(
                f"name must be a string, not {type(self.name).__name__}: nothing was sent."
            )
        return self.name or ""

    def on_kill(self) -> None:
        """Say what a kill leaves behind. A request on its way cannot be called back."""
        log.warning("Killed. A request on its way may have been charged: the receipt says so to the next try.")
