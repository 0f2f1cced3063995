"""Where Airflow versions differ, and nowhere else; what common-compat covers is imported from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


__all__ = [
    "HAS_RETRY_POLICY",
    "NEVER_EXPIRE",
    "OperatorPartial",
    "RetryAction",
    "RetryDecision",
    "RetryPolicy",
    "mask_secret",
]
