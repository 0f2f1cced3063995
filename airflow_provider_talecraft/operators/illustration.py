"""The operators that draw, as Dags import them."""

from __future__ import annotations

from airflow_provider_talecraft.operators.generate_illustration import GenerateIllustrationOperator
from airflow_provider_talecraft.operators.generate_illustration_batch import GenerateIllustrationBatchOperator
from airflow_provider_talecraft.policies.fail_fast import DEFAULT_POLICY

__all__ = ["DEFAULT_POLICY", "GenerateIllustrationBatchOperator", "GenerateIllustrationOperator"]
