"""TaleCraftHook: an Airflow Connection becomes a client, and what cost nothing is tried again."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowNotFoundException,
    BaseHook,
    get_current_context,
)
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_before_delay, wait_exponential, wait_random

from airflow_provider_talecraft.api.address import DEFAULT_BASE_URL
from airflow_provider_talecraft.api.models import (
    DEFAULT_ASPECT_RATIO,
    DEFAULT_STYLE,
    Illustration,
    IllustrationRequest,
)
from airflow_provider_talecraft.exceptions import (
    TaleCraftAuthenticationError,
    TaleCraftError,
    TaleCraftRateLimitError,
    TaleCraftUnavailableError,
)
from airflow_provider_talecraft.get_provider_info import get_provider_info
from airflow_provider_talecraft.hooks.settings import ConnectionSettings, host_names, picture_hosts, service_url
from airflow_provider_talecraft.policies.options import checked_count
from airflow_provider_talecraft.spending.record import SpendRecord, fingerprint
from airflow_provider_talecraft.spending.store import KEY, StateKey
from airflow_provider_talecraft.version_compat import mask_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_provider_talecraft.api.client import TaleCraftClient

#: Seconds that one call spends on repeating what cost nothing. Longer waits are the scheduler's, which needs no slot.
RETRY_FOR = 60.0
#: Seconds. The longest Retry-After that is waited out here.
SHORT_RETRY_AFTER = 30.0


class TaleCraftHook(BaseHook):
    """Draw illustrations with the API key of an Airflow Connection.

    The connection: password = API key; host = scheme and host, ``https://talescaleai.com`` if empty; port; extras
    ``connect_timeout`` (seconds, 5), ``read_timeout`` (seconds, 300), ``allow_http`` (false),
    ``requests_per_minute``, ``max_concurrency`` and ``image_hosts``.

    :param talecraft_conn_id: id of the connection.
    """

    conn_name_attr = "talecraft_conn_id"
    default_conn_name = "talecraft_default"
    conn_type = "talecraft"
    hook_name = "TaleCraft"

    def __init__(self, talecraft_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.talecraft_conn_id = talecraft_conn_id

    @cached_property
    def settings(self) -> ConnectionSettings:
        """What the connection says, read once.

        :raises TaleCraftError: if it has no key or a wrong field; the message names the connection.
        """
        with self._naming_the_connection():
            try:
                connection = self.get_connection(self.talecraft_conn_id)
            except AirflowNotFoundException:
                raise TaleCraftAuthenticationError(
                    "There is no such connection, or Airflow cannot read it: nothing was sent. Make it under Admin > "
                    "Connections: this id, type TaleCraft, the key in API key."
                ) from None
            settings = ConnectionSettings.of(connection)
        # Airflow masks the password as it is stored: a key that was pasted with a newline would pass.
        mask_secret(settings.api_key)
        return settings

    def get_conn(self) -> TaleCraftClient:
        """Return a client for the connection.

        :raises TaleCraftError: if the connection has no usable key or a wrong field.
        """
        from airflow_provider_talecraft.api.client import TaleCraftClient  # noqa: PLC0415  # loads requests

        with self._naming_the_connection():
            return TaleCraftClient(
                self.settings.api_key,
                base_url=self.settings.base_url,
                connect_timeout=self.settings.connect_timeout,
                read_timeout=self.settings.read_timeout,
            )

    def generate(
        self,
        prompt: str,
        *,
        style: str = DEFAULT_STYLE,
        aspect_ratio: str = DEFAULT_ASPECT_RATIO,
        max_replays: int = 1,
    ) -> Illustration:
        """Draw one illustration; 2 credits are charged for a delivered one.

        For up to a minute, what provably cost nothing and passes quickly is tried again here: a connection that
        could not be opened, and HTTP 429 or 503 with a Retry-After of at most 30 s. A request that may have been
        charged is not sent again in the same try.

        Inside a task of Airflow 3.3 or newer a record of every call is kept in the task state store, so that another
        try of the task gets what was delivered to an earlier one without paying again. The n-th call with the same
        arguments is the n-th call of the earlier try: call in the same order in every try.

        :param prompt: description of the scene; not blank.
        :param style: name of a style.
        :param aspect_ratio: 1:1, 2:3, 3:2, 3:4, 4:3, 9:16 or 16:9.
        :param max_replays: how often, over all tries of the task, a request is sent although an earlier one had no
            answer, and so may have been charged; 0 for never.
        :raises TaleCraftError: the class says what happened, ``outcome`` whether it may have been charged, and the
            message names the connection.
        :raises AirflowFailException: if the record of an earlier try cannot be read; nothing is sent.
        """
        with self._naming_the_connection():
            request = IllustrationRequest(prompt, style, aspect_ratio)
        record = self._record(request, checked_count("max_replays", max_replays, at_least=0))
        if not record.delivered:
            self.get_conn()  # a wrong connection is found before the record says that something was sent
        drawn = record.obtain([request], self.send)
        return Illustration(**{part.name: drawn.get(part.name, "") for part in fields(Illustration)})

    def send(self, request: IllustrationRequest, *, pace: Callable[[], None] | None = None) -> Illustration:
        """Send *request* as :meth:`generate` does, without a record of it: whoever calls this keeps one.

        :param pace: called before every POST, to wait there for its turn, or to raise. With it, a rate limit is raised
            at once and not waited out here: the batch makes all its requests wait.
        :raises TaleCraftError: as :meth:`generate`.
        """
        client = self.get_conn()
        again = Retrying(
            retry=retry_if_exception(_never_connected if pace else _cost_nothing_and_passes),
            wait=_wait,
            stop=stop_before_delay(RETRY_FOR),
            before_sleep=self._log_retry,
            reraise=True,
        )

        def post() -> Illustration:
            if pace:
                pace()
            return client.generate(request)

        with self._naming_the_connection():
            return again(post)

    def test_connection(self) -> tuple[bool, str]:
        """Ask TaleCraft whether it accepts the key; spends nothing.

        The request has an empty prompt: "prompt is required" comes after the check of the key and before any charge.
        """
        try:
            self.get_conn().check_key()
        except TaleCraftError as error:
            # Airflow's page tests the connection under an id that it makes up, and who asks knows which one is meant.
            return False, str(error).removesuffix(self._mark)
        return True, f"{self.settings.base_url} accepts the API key. Nothing was charged."

    def picture_hosts(self, image_hosts: Sequence[str] | str | None = None) -> tuple[str, ...]:
        """Return the hosts from which pictures may be fetched although they are neither public nor https.

        The connection may be missing, and its key is not read.

        :param image_hosts: instead of the connection's extra of that name.
        :raises TaleCraftInvalidRequestError: if a host or the connection is wrong.
        """
        own: tuple[str, ...] = ()
        with suppress(AirflowNotFoundException), self._naming_the_connection():
            own = picture_hosts(self.get_connection(self.talecraft_conn_id))
        return own if image_hosts is None else (*own[:1], *host_names(image_hosts, "image_hosts"))

    def service_url(self) -> str:
        """Return scheme, host and port of the service; the default one's if there is no such connection."""
        with suppress(AirflowNotFoundException), self._naming_the_connection():
            return service_url(self.get_connection(self.talecraft_conn_id))
        return DEFAULT_BASE_URL

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return the form's standard fields; Airflow below 3.2 asks the hook, others read the provider info."""
        behaviour = _connection_type()["ui-field-behaviour"]
        return {name.replace("-", "_"): value for name, value in behaviour.items()}

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the form's own fields; Airflow below 3.2 asks the hook, others read the provider info."""
        from flask_appbuilder.fieldwidgets import BS3TextFieldWidget  # noqa: PLC0415  # there with the FAB provider only
        from wtforms import BooleanField, StringField  # noqa: PLC0415  # as above

        return {
            name: BooleanField(field["label"], description=field["description"])
            if "boolean" in field["schema"]["type"]
            else StringField(field["label"], description=field["description"], widget=BS3TextFieldWidget())
            for name, field in _connection_type()["conn-fields"].items()
        }

    def _record(self, request: IllustrationRequest, max_replays: int) -> SpendRecord:
        """Return the running task's record of *request*; outside a task, one that keeps nothing."""
        try:
            context: Any = get_current_context()
        except (AirflowException, RuntimeError):
            context = {}
        mark = fingerprint(self.talecraft_conn_id, request.payload())
        calls = context.setdefault("_talecraft_calls", Counter())
        calls[mark] += 1
        ti = context.get("ti")
        return SpendRecord(
            StateKey.of(context, f"{KEY}-{mark[:12]}-{calls[mark]}"),
            fingerprint=mark,
            max_tries=ti.max_tries if ti else 0,
            try_number=ti.try_number if ti else None,
            max_replays=max_replays,
        )

    @contextmanager
    def _naming_the_connection(self) -> Iterator[None]:
        """Add the connection's id to the message of an error: with several connections, which one is the question."""
        try:
            yield
        except TaleCraftError as error:
            if not str(error).endswith(self._mark):
                error.args = (f"{error}{self._mark}",)
            raise

    @property
    def _mark(self) -> str:
        return f" (connection {self.talecraft_conn_id!r})"

    def _log_retry(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        self.log.warning("%s Trying again in %.0f s.", error, state.upcoming_sleep)


def _connection_type() -> dict[str, Any]:
    connection_type: dict[str, Any] = get_provider_info()["connection-types"][0]
    return connection_type


def _cost_nothing_and_passes(error: BaseException) -> bool:
    if isinstance(error, (TaleCraftRateLimitError, TaleCraftUnavailableError)) and error.retry_after is not None:
        return error.retry_after <= SHORT_RETRY_AFTER
    return _never_connected(error)


def _never_connected(error: BaseException) -> bool:
    # Without a status there was no answer: the connection could not be opened.
    return isinstance(error, TaleCraftUnavailableError) and error.status_code is None


_backoff = wait_exponential(max=15) + wait_random(0, 1)


def _wait(state: RetryCallState) -> float:
    """Return seconds to wait: what the service asked for, and more each time, since "Retry-After: 0" may repeat."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, TaleCraftError) else None
    return (asked or 0.0) + _backoff(state)
