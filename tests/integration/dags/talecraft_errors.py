"""Every way a generation can end, a task each with the operator's own retries and policy.

What is wrong is a template here: a literal would not parse. Faults are scripted at the sandbox, by the prompt.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_talecraft.operators.illustration import GenerateIllustrationOperator
from airflow_provider_talecraft.policies.retry import TaleCraftRetryPolicy

ROWS = {
    "delivered": {},
    "no_connection": {"talecraft_conn_id": "talecraft_of_nobody"},
    "missing_key": {"talecraft_conn_id": "talecraft_keyless"},
    "invalid_key": {"talecraft_conn_id": "talecraft_stranger"},
    "user_not_found": {},
    "unrendered": {"prompt": "A fox on {{ nothing.of.this }}"},
    "blank_prompt": {"prompt": "{{ ' ' }}"},
    "prompt_required": {},
    "unsupported_style": {"style": "watercolour"},
    "unsupported_ratio": {"aspect_ratio": "{{ '5:4' }}"},
    "unsupported_ratio_upstream": {},
    "blank_fallback": {"fallback_prompts": ["An owl", "{{ ' ' }}"]},
    "insufficient_credits": {},
    "waits_for_credits": {"retry_policy": TaleCraftRetryPolicy(wait_for_credits=timedelta(hours=6), chance=float)},
    "rate_limit": {},
    "rate_limit_message": {},
    "not_configured": {},
    "http_503": {},
    "http_521": {},
    "http_404": {},
    "generation_failed": {},
    "unknown_message": {},
    "key_echoed": {},
    "dropped": {},
    "truncated": {},
    "html": {},
    "redirect": {},
    "no_image_url": {},
}

with DAG("talecraft_errors", schedule=None):
    for row, arguments in ROWS.items():
        GenerateIllustrationOperator(task_id=row, **{"prompt": f"A fox, then {row}.", **arguments})

with DAG("talecraft_unreachable", schedule=None):
    # Apart from the others: the hook tries for a minute.
    GenerateIllustrationOperator(task_id="could_not_connect", prompt="A fox", talecraft_conn_id="talecraft_nowhere")
