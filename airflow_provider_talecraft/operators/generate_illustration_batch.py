"""GenerateIllustrationBatchOperator: many prompts in one task. How they are asked for is batch's, how fast limiter's.

Dags import it from ``operators.illustration``, like its sibling.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_talecraft.api.models import DEFAULT_ASPECT_RATIO, DEFAULT_STYLE
from airflow_provider_talecraft.batch.limiter import Limiter
from airflow_provider_talecraft.batch.manifest import Manifest, Output
from airflow_provider_talecraft.batch.prompts import Items
from airflow_provider_talecraft.batch.records import Receipts, Records
from airflow_provider_talecraft.batch.run import Batch
from airflow_provider_talecraft.exceptions import TaleCraftInvalidRequestError
from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook
from airflow_provider_talecraft.operators.base import DrawingOperator
from airflow_provider_talecraft.operators.literals import FILES, check_prompts
from airflow_provider_talecraft.pictures.assets import add_to_asset_events
from airflow_provider_talecraft.pictures.place import store_path
from airflow_provider_talecraft.policies.fail_fast import DEFAULT_POLICY
from airflow_provider_talecraft.policies.options import DEFAULT_MAX_BYTES, OnClear, Redraw, checked_count, checked_word
from airflow_provider_talecraft.spending.metrics import Metrics
from airflow_provider_talecraft.spending.report import now

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow.providers.common.compat.sdk import Context
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_talecraft.version_compat import RetryPolicy

log = logging.getLogger(__name__)

OnPartialFailure = Literal["fail", "keep"]

#: An earlier edition of TaleCraft's reference states these limits, and that they vary by plan.
DEFAULT_MAX_CONCURRENCY = 2
DEFAULT_REQUESTS_PER_MINUTE = 10
#: Results that go to XCom as they are: about 40 KB of JSON.
DEFAULT_MANIFEST_THRESHOLD = 100
#: Seconds between two manifests while a batch runs.
MANIFEST_INTERVAL = 30.0


class GenerateIllustrationBatchOperator(DrawingOperator):
    """Draw many illustrations in one task, at the pace of the plan; 2 credits are charged for each delivered one.

    Returns, in the order of ``prompts``, a list of
    ``{"index", "key", "id", "status", "image_url", "prompt", "style", "aspect_ratio"}``; one that failed has
    ``error`` in place of id, status and image_url. More than ``manifest_threshold`` of them go to ``manifest_path``
    alone, and returned is a summary: ``{"manifest_path", "count", "delivered", "failed", "replayed", "credits",
    "credits_this_try", "credits_unknown"}``, which the events of asset outlets carry in any case.

    Money: there is a record per illustration, as :class:`GenerateIllustrationOperator` keeps one, so another try draws
    only what is missing. A clear draws everything again once everything was there; before that it goes on with what is
    missing. Below Airflow 3.3 the records are kept beside ``manifest_path``, and without one there are none.

    A refusal that every illustration would meet (key, credits, a rate limit that does not pass) stops all of them and
    fails the task, whatever ``on_partial_failure`` says; what is finished is kept.

    :param prompts: descriptions of the scenes (templated): strings, or mappings with ``prompt`` and, where they differ,
        ``style``, ``aspect_ratio`` and ``key``. A key names an illustration in the output and in its record, so that it
        is still the same one when the list has changed; without one it is known by its index. A prompt ending in
        ``.prompt`` is the name of a file that contains it.
    :param style: name of a style (templated), for prompts that name none.
    :param aspect_ratio: width to height (templated), for prompts that name none.
    :param talecraft_conn_id: id of the connection with the API key (templated).
    :param max_concurrency: how many requests may be on their way at a time; None takes the connection's, else 2.
    :param requests_per_minute: how many may start in a minute, evenly spaced; None takes the connection's, else 10.
        Other tasks are not counted: what runs beside this one needs a share of its own.
    :param on_partial_failure: when some have failed and all others are done, "fail" the task with an error that names
        them, or "keep" what there is and succeed.
    :param dst: URI of a folder (templated), ending in ``/``: each picture is stored there, with a receipt, and what
        stands is not drawn again, as :class:`IllustrationOperator` does it. A picture is named after its key, else
        after its request. Each entry of the output then has what that operator returns, and records are the receipts.
    :param dst_conn_id: id of its connection (templated); None for the store's own default.
    :param redraw: with ``dst``: "when_changed", "never" or "always"; in place of ``on_clear``.
    :param max_bytes: with ``dst``: a larger picture is refused; 50 MiB by default.
    :param image_hosts: with ``dst``: hosts (templated) that need be neither public nor https; None for those of the
        connection.
    :param manifest_path: any ObjectStoragePath URI (templated) for the whole output as JSON Lines, in the order of
        ``prompts``; rewritten every 30 s and at the end, never partly there. Written for few results, too.
    :param manifest_conn_id: id of its connection (templated).
    :param manifest_threshold: how many results at most are returned as a list.
    :param max_replays: how often each request that may have been charged is sent again, in a later try; 0 means never
        pay twice.
    :param on_clear: what a clear means once everything was delivered: "regenerate" pays for new pictures, "reuse"
        returns the stored ones.
    :param retries: how often Airflow runs the task again, within what the policy allows.
    :param retry_policy: decides after an error, on Airflow 3.3 or newer. With None, or below 3.3, errors that the
        default policy would stop at fail the task at once, and all others wait the task's own ``retry_delay``.
    """

    template_fields: Sequence[str] = (
        "prompts",
        "style",
        "aspect_ratio",
        "talecraft_conn_id",
        "dst",
        "dst_conn_id",
        "image_hosts",
        "manifest_path",
        "manifest_conn_id",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"prompts": "json"}
    template_ext: Sequence[str] = FILES
    operator_extra_links = ()  # of many pictures, none is the one to link to
    _check_literals = staticmethod(check_prompts)

    def __init__(
        self,
        *,
        prompts: Iterable[str | Mapping[str, str]],
        style: str = DEFAULT_STYLE,
        aspect_ratio: str = DEFAULT_ASPECT_RATIO,
        talecraft_conn_id: str = TaleCraftHook.default_conn_name,
        max_concurrency: int | None = None,
        requests_per_minute: int | None = None,
        on_partial_failure: OnPartialFailure = "fail",
        dst: str | None = None,
        dst_conn_id: str | None = None,
        redraw: Redraw = "when_changed",
        max_bytes: int = DEFAULT_MAX_BYTES,
        image_hosts: Sequence[str] | str | None = None,
        manifest_path: str | None = None,
        manifest_conn_id: str | None = None,
        manifest_threshold: int = DEFAULT_MANIFEST_THRESHOLD,
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
        self.prompts = prompts
        self.max_concurrency = None if max_concurrency is None else checked_count("max_concurrency", max_concurrency)
        self.requests_per_minute = (
            None if requests_per_minute is None else checked_count("requests_per_minute", requests_per_minute)
        )
        self.on_partial_failure = checked_word("on_partial_failure", on_partial_failure, OnPartialFailure)
        self.dst = dst
        self.dst_conn_id = dst_conn_id
        self.redraw = checked_word("redraw", redraw, Redraw)
        self.max_bytes = checked_count("max_bytes", max_bytes)
        self.image_hosts = image_hosts
        self.manifest_path = manifest_path
        self.manifest_conn_id = manifest_conn_id
        self.manifest_threshold = checked_count("manifest_threshold", manifest_threshold, at_least=0)
        self.on_clear = checked_word("on_clear", on_clear, OnClear)
        self._batch: Batch | None = None
        self._check(prompts=prompts)

    def execute(self, context: Context) -> list[dict[str, Any]] | dict[str, Any]:
        """Draw what earlier tries did not, and return all of it.

        :raises TaleCraftError: for the retry policy; of the class that fits the illustrations that failed.
        :raises AirflowFailException: if a record of an earlier try cannot be read, and instead of a TaleCraftError
            where no retry policy is asked and a retry would not help, or might pay twice.
        """
        with self.telling(context) as report:
            items = Items(self.prompts, style=self.style, aspect_ratio=self.aspect_ratio)
            manifest = self._manifest(len(items))
            with Output(len(items)) as output:
                batch, records = self._prepare(items, output, manifest, context)
                batch.run(
                    every=MANIFEST_INTERVAL,
                    checkpoint=partial(self._checkpoint, manifest, output),
                    tell=partial(report.tell, "asking", since=now(), manifest_path=self.manifest_path),
                )
                if len(items) <= self.manifest_threshold:
                    report.note(entries=output.entries())
                if manifest:
                    manifest.write(output)
                self._raise_unless_it_succeeded(batch)
                if not batch.tally.failed:
                    records.complete()
                report.note(entries=None)  # they are what is returned
                report.tell("drawn" if batch.tally.drawn else "found")
                summary: dict[str, Any] = batch.tally.summary()
                if self.manifest_path:
                    summary["manifest_path"] = self.manifest_path
                # Under an alias, an asset needs a place: without a manifest there is none but the service.
                where = (
                    self.dst or (manifest and manifest.place.uri) or TaleCraftHook(self.talecraft_conn_id).service_url()
                )
                add_to_asset_events(context, self.outlets, where, summary)
                return summary if len(items) > self.manifest_threshold else output.entries()

    def on_kill(self) -> None:
        """Start nothing more, and say what is on its way: that cannot be called back."""
        if self._batch is None:
            return
        self._batch.halt()
        on_their_way = ", ".join(self._batch.in_flight) or "none"
        log.warning(
            "Killed. Nothing more is started. Requests on their way: %s. Each may have been charged: unless its answer "
            "still comes, the next try counts it as one without an answer.",
            on_their_way,
        )

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:  # noqa: ARG002  # theirs
        """Tell OpenLineage: from the generate endpoint to the folder, if there is one."""
        from airflow_provider_talecraft.pictures.lineage import lineage  # noqa: PLC0415  # where it is installed

        made = {self.dst.rstrip("/"): str(self._batch.tally)} if self.dst and self._batch else {}
        return lineage(TaleCraftHook(self.talecraft_conn_id).service_url(), made)

    def _manifest(self, count: int) -> Manifest | None:
        if self.manifest_path:
            manifest = Manifest(store_path(self.manifest_path, self.manifest_conn_id))
            manifest.check()
            return manifest
        if count > self.manifest_threshold:
            raise TaleCraftInvalidRequestError(
                f"The results of {count} prompts are too many for XCom (manifest_threshold={self.manifest_threshold}): "
                "nothing was sent. Set manifest_path."
            )
        return None

    def _prepare(
        self, items: Items, output: Output, manifest: Manifest | None, context: Context
    ) -> tuple[Batch, Records | Receipts]:
        """Resolve the connection and open the records; here, because Airflow is asked for both in the main thread."""
        ti = context["ti"]
        hook = TaleCraftHook(self.talecraft_conn_id)
        hook.get_conn()  # a wrong connection is found before a record says that something was sent
        threads = self.max_concurrency or hook.settings.max_concurrency or DEFAULT_MAX_CONCURRENCY
        per_minute = self.requests_per_minute or hook.settings.requests_per_minute or DEFAULT_REQUESTS_PER_MINUTE
        records = self._records(items, hook, manifest, context)
        self._batch = Batch(
            items,
            send=hook.send,
            limiter=Limiter(max_concurrency=threads, requests_per_minute=per_minute, resting=ti.try_number > 1),
            record=records.of,
            output=output,
            threads=threads,
            metrics=Metrics(ti, self.talecraft_conn_id),
        )
        log.info("%d illustrations, %d at a time, %d a minute.", len(items), threads, per_minute)
        return self._batch, records

    def _records(
        self, items: Items, hook: TaleCraftHook, manifest: Manifest | None, context: Context
    ) -> Records | Receipts:
        if self.dst is None:
            return Records(
                context,
                talecraft_conn_id=self.talecraft_conn_id,
                max_replays=self.max_replays,
                on_clear=self.on_clear,
                manifest=manifest.path if manifest else None,
            )
        if not str(self.dst).endswith("/"):
            raise TaleCraftInvalidRequestError(f"dst must be a folder and end in a slash, not {self.dst!r}.")
        terms = self._terms(
            hook, dst=self.dst, dst_conn_id=self.dst_conn_id, redraw=self.redraw,
            max_bytes=self.max_bytes, image_hosts=self.image_hosts,
        )  # fmt: skip
        return Receipts(items, terms, context["ti"])

    def _checkpoint(self, manifest: Manifest | None, output: Output) -> None:
        if manifest is None:
            return
        try:
            manifest.write(output)
        except Exception:  # the next one has it all, and paid pictures go on coming
            log.warning("The manifest could not be written now; it will be at the end.", exc_info=True)

    def _raise_unless_it_succeeded(self, batch: Batch) -> None:
        failed = f" Failed: {batch.failures}" if batch.failures.count else ""
        if batch.refusal:
            raise batch.refusal.with_message(
                f"{batch.refusal} So far: {batch.tally}. What is delivered is kept.{failed}"
            )
        if batch.halted:
            raise AirflowException(f"The task was told to stop: {batch.tally}. What is delivered is kept.{failed}")
        if batch.failures.count and self.on_partial_failure == "fail":
            raise batch.failures.error(
                f"{batch.tally.failed} of {batch.tally.count} illustrations failed; what is delivered is kept."
            )
