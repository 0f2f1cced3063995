"""Kills what holds a request: a task's process, or the triggerer. Only processes of its own Airflow."""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deployment import Deployment
    from mix import Illustration

    from airflow_provider_talecraft.sandbox import Sandbox


class Killer:
    """Kills what holds the first request of each illustration that is to be killed, once for each contestant.

    :param deferred: the contestants whose requests the triggerer holds. There is one triggerer: whatever other requests
        it holds at that moment, the bystanders, die with it.
    """

    def __init__(
        self,
        airflow: Deployment,
        dag_id: str,
        sandboxes: Mapping[str, Sandbox],
        book: Iterable[Illustration],
        *,
        deferred: Iterable[str],
    ) -> None:
        self._airflow = airflow
        self._dag_id = dag_id
        self._sandboxes = sandboxes
        self._deferred = set(deferred)
        self._waiting = {name: [page for page in book if page.kind.killed] for name in sandboxes}
        self._killed: dict[str, Counter[str]] = {name: Counter() for name in sandboxes}
        self.kills: Counter[str] = Counter()
        self.bystanders: Counter[str] = Counter()

    @property
    def left(self) -> dict[str, list[str]]:
        """Whom nobody has killed yet, by contestant."""
        return {name: [page.prompt for page in pages] for name, pages in self._waiting.items() if pages}

    def look(self, run_id: str) -> None:
        """Kill whoever is due now."""
        for name, sandbox in self._sandboxes.items():
            ledger = sandbox.ledger()
            on_their_way = Counter(request["prompt"] for request in ledger["requests"] if _in_progress(request))
            held = on_their_way - self._killed[name]  # the service goes on with a request whose process is gone
            charged = {charge["prompt"] for charge in ledger["charges"]}
            victims = [page for page in self._waiting[name] if held[page.prompt]]
            due = [page for page in victims if (page.prompt in charged) == (page.kind.killed == "after")]
            if due and name in self._deferred:
                self._kill_triggerer()
                self.kills[name] += 1
                self.bystanders[name] += sum(held.values()) - len(victims)
                due = victims
            elif due:
                for page in due:
                    self._kill_task(run_id, name, page.number)
                self.kills[name] += len(due)
            for page in due:
                self._waiting[name].remove(page)
                self._killed[name][page.prompt] += 1

    def _kill_task(self, run_id: str, task_id: str, map_index: int) -> None:
        path = f"/dags/{self._dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task_id}/{map_index}"
        pid = self._airflow.api(path)["pid"]
        scheduler = self._airflow.processes["scheduler"].pid
        if os.getsid(pid) != scheduler:
            raise RuntimeError(f"process {pid} is not one of this Airflow's tasks: not killed")
        os.kill(pid, signal.SIGKILL)

    def _kill_triggerer(self) -> None:
        self._airflow.stop("triggerer", number=signal.SIGKILL)
        self._airflow.start("triggerer")


def _in_progress(request: Mapping[str, Any]) -> bool:
    return bool(request["outcome"] == "in progress")
