"""Tasks that lose their worker, their answer or their patience: in a class here, or by a fault at the sandbox."""

from __future__ import annotations

import os
import signal
from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG, get_current_context, task

from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook
from airflow_provider_talecraft.operators.illustration import GenerateIllustrationOperator
from airflow_provider_talecraft.policies.retry import TaleCraftRetryPolicy

SECOND = timedelta(seconds=1)
QUICK = {
    "retries": 3,
    "retry_delay": SECOND,
    "retry_policy": TaleCraftRetryPolicy(
        outcome_unknown_delay=SECOND,
        generation_failed_delay=SECOND,
        generation_failed_max_delay=SECOND,
    ),
}


def die_in_the_first_try():
    if get_current_context()["ti"].try_number == 1:
        os.kill(os.getpid(), signal.SIGKILL)


class KilledBeforeTheRecord(GenerateIllustrationOperator):
    def execute(self, context):
        die_in_the_first_try()
        return super().execute(context)


class KilledBetweenRecordAndPost(GenerateIllustrationOperator):
    def execute(self, context):
        send = TaleCraftHook.send

        def send_later(hook, request):
            die_in_the_first_try()
            return send(hook, request)

        TaleCraftHook.send = send_later
        return super().execute(context)


class KilledAfterTheAnswer(GenerateIllustrationOperator):
    def execute(self, context):
        result = super().execute(context)
        die_in_the_first_try()
        return result


def prompt(name):
    return f"A fox, then {name}."


with DAG("talecraft_money", schedule=None, default_args=QUICK, max_active_tasks=4):
    KilledBeforeTheRecord(task_id="before_the_record", prompt=prompt("before_the_record"))
    KilledBetweenRecordAndPost(task_id="before_the_post", prompt=prompt("before_the_post"))
    KilledAfterTheAnswer(task_id="after_the_answer", prompt=prompt("after_the_answer"))
    for name in (
        "during_before_charge",
        "during_after_charge",
        "dropped_before_charge",
        "dropped_after_charge",
        "lost_twice",
    ):
        GenerateIllustrationOperator(task_id=name, prompt=prompt(name))
    GenerateIllustrationOperator(task_id="never_twice", prompt=prompt("never_twice"), max_replays=0)
    GenerateIllustrationOperator(task_id="policy_off", prompt=prompt("policy_off"), max_replays=0, retry_policy=None)
    GenerateIllustrationOperator(
        task_id="timed_out", prompt=prompt("timed_out"), execution_timeout=timedelta(seconds=20)
    )
    GenerateIllustrationOperator(
        task_id="fallback",
        prompt=prompt("fallback"),
        fallback_prompts=[prompt("fallback_two"), prompt("fallback_three")],
    )
    GenerateIllustrationOperator.partial(task_id="mapped").expand(prompt=[prompt(f"mapped_{n}") for n in range(10)])

    @task
    def hook_in_a_task():
        hook = TaleCraftHook()
        first = hook.generate(prompt("hook_same"))
        second = hook.generate(prompt("hook_same"))
        die_in_the_first_try()
        third = hook.generate(prompt("hook_third"))
        return [first.id, second.id, third.id]

    hook_in_a_task()

    @task
    def hook_without_an_answer():
        return TaleCraftHook().generate(prompt("hook_lost"), max_replays=0).id

    hook_without_an_answer()

with DAG("talecraft_clears", schedule=None, default_args=QUICK):
    GenerateIllustrationOperator(task_id="regenerate", prompt=prompt("regenerate"))
    GenerateIllustrationOperator(task_id="reuse", prompt=prompt("reuse"), on_clear="reuse")
    GenerateIllustrationOperator(task_id="lost", prompt=prompt("clear_lost"), max_replays=0)
    GenerateIllustrationOperator(task_id="edited", prompt=prompt("edited"))

with DAG("talecraft_stopped", schedule=None, default_args=QUICK):
    GenerateIllustrationOperator(task_id="stopped", prompt=prompt("stopped"))

with DAG("talecraft_restart", schedule=None, default_args=QUICK):
    GenerateIllustrationOperator(task_id="restarted", prompt=prompt("restarted"))
