"""Where Airflow versions differ, and nowhere else; what common-compat covers is imported from there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk.definitions.mappedoperator import OperatorPartial
    from airflow.sdk.definitions.retry_policy import RetryAction, RetryDecision, RetryPolicy
    from airflow.sdk.execution_time.context import NEVER_EXPIRE
    from airflow.sdk.log import mask_secret

    HAS_RETRY_POLICY: bool
else:
    try:
        from airflow.sdk.definitions.mappedoperator import OperatorPartial
    except ImportError:
        from airflow.models.mappedoperator import OperatorPartial  # 2.11; goes with it

    try:
        from airflow.sdk.log import mask_secret  # Airflow 3.1+
    except ImportError:
        try:
            from airflow.sdk.execution_time.secrets_masker import mask_secret  # 3.0; goes with it
        except ImportError:
            from airflow.utils.log.secrets_masker import mask_secret  # 2.11; goes with it

    try:
        from airflow.sdk.definitions.retry_policy import RetryAction, RetryDecision, RetryPolicy
        from airflow.sdk.execution_time.context import NEVER_EXPIRE

        #: Whether Airflow asks a task's retry policy what to do, and keeps a state store for the task (3.3+).
        HAS_RETRY_POLICY = True
    except ImportError:  # below 3.3; goes with it. The operator asks its policy itself there, and needs this much.
        from dataclasses import dataclass
        from datetime import timedelta
        from enum import Enum

        HAS_RETRY_POLICY = False
        NEVER_EXPIRE = timedelta.max

        class RetryAction(Enum):
            RETRY = "retry"
            FAIL = "fail"
            DEFAULT = "default"

        @dataclass(frozen=True)
        class RetryDecision:
            action: RetryAction = RetryAction.DEFAULT
            retry_delay: timedelta | None = None
            reason: str | None = None

            @classmethod
            def fail(cls, reason=None):
                return cls(RetryAction.FAIL, reason=reason)

            @classmethod
            def retry(cls, delay=None, reason=None):
                return cls(RetryAction.RETRY, delay, reason)

            @classmethod
            def default(cls):
                return cls()

        class RetryPolicy:
            pass


def _is_in_a_task_of_airflow_3() -> bool:
    """Return whether Airflow is asked through the Task SDK; else there is a database, as always on 2.11."""
    return hasattr(sys.modules.get("airflow.sdk.execution_time.task_runner"), "SUPERVISOR_COMMS")


def set_variable(key: str, value: str, description: str) -> None:
    """Write an Airflow Variable.

    :raises NotImplementedError: where those that are there could not be listed.
    """
    if _is_in_a_task_of_airflow_3():
        _sdk_variable().set(key, value, description=description)
    else:
        _model()[0].set(key, value, description=description)


def delete_variable(key: str) -> None:
    """Delete an Airflow Variable."""
    if _is_in_a_task_of_airflow_3():
        _sdk_variable().delete(key)
    else:
        _model()[0].delete(key)


def variable_keys(prefix: str) -> list[str]:
    """Return the keys of Airflow's own Variables that begin with *prefix*, and perhaps some more; never from a cache.

    What Variable.get returns could not be relied on: where Airflow cannot be asked, it says that there is none.
    """
    if _is_in_a_task_of_airflow_3():
        return list(_sdk_variable().keys(prefix=prefix))
    from sqlalchemy import select  # noqa: PLC0415  # only where there is a database

    model, create_session = _model()
    with create_session() as session:
        return list(session.scalars(select(model.key).where(model.key.startswith(prefix, autoescape=True))))


def _sdk_variable() -> Any:
    from airflow.sdk import Variable  # noqa: PLC0415  # not on 2.11

    if not hasattr(Variable, "keys"):
        raise NotImplementedError("Airflow 3.0 to 3.2 cannot tell a task which Variables there are")
    return Variable


def _model() -> tuple[Any, Any]:
    from airflow.models.variable import Variable  # noqa: PLC0415  # no Dag file needs it
    from airflow.utils.session import create_session  # noqa: PLC0415  # as above

    return Variable, create_session


__all__ = [
    "HAS_RETRY_POLICY",
    "NEVER_EXPIRE",
    "OperatorPartial",
    "RetryAction",
    "RetryDecision",
    "RetryPolicy",
    "delete_variable",
    "mask_secret",
    "set_variable",
    "variable_keys",
]
