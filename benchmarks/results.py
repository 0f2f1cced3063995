"""What became of each illustration, from the ledger and from Airflow's own states and XComs; and the tables of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import quote

from mix import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from deployment import Deployment
    from mix import Illustration

NOT_FOUND = 404
PAGE = 100
ENDED = {"success", "failed"}


@dataclass(frozen=True)
class Result:
    """What became of one illustration at one contestant.

    :param url: what is in XCom for the tasks after it.
    :param charged: the picture of each charge for it.
    """

    page: Illustration
    state: str
    url: Any
    charged: frozenset[str]

    @property
    def delivered(self) -> bool:
        return self.state == "success" and self.url in self.charged

    @property
    def for_nothing(self) -> int:
        """Charges whose picture nobody has."""
        return len(self.charged - {self.url})


@dataclass(frozen=True)
class Account:
    """All results of one contestant.

    :param requests: how many its sandbox has seen.
    :param seconds: from when the first of its tasks could start to the end of its last one.
    """

    results: Sequence[Result]
    requests: int
    seconds: float

    def count(self, counted: Callable[[Result], int]) -> int:
        return sum(counted(result) for result in self.results)


#: The columns of the table: what it says above, and what of a result it adds up.
COLUMNS: dict[str, Callable[[Result], int]] = {
    "delivered": lambda result: result.delivered,
    "charged": lambda result: len(result.charged),
    "charged for nothing": lambda result: result.for_nothing,
    "failed loudly": lambda result: result.state != "success",
    "wrongly a success": lambda result: result.state == "success" and not result.delivered,
}


def collect(
    airflow: Deployment, dag_id: str, run_id: str, ledgers: Mapping[str, dict[str, Any]], book: Sequence[Illustration]
) -> dict[str, Account]:
    """Return each contestant's account.

    :param ledgers: by contestant, which is also the id of its tasks; no request is on its way any more.
    :raises RuntimeError: if a task of theirs has not ended.
    """
    run = f"/dags/{dag_id}/dagRuns/{quote(run_id)}"
    instances = {(ti["task_id"], ti["map_index"]): ti for ti in _all(airflow, f"{run}/taskInstances")}
    begun = datetime.fromisoformat(instances["bodies", -1]["end_date"])
    accounts = {}
    for name, ledger in ledgers.items():
        tasks = [instances[name, page.number] for page in book]
        if open_ := [ti["map_index"] for ti in tasks if ti["state"] not in ENDED]:
            raise RuntimeError(f"{name}: the tasks {open_} have not ended")
        charged: dict[str, set[str]] = {page.prompt: set() for page in book}
        for charge in ledger["charges"]:
            charged[charge["prompt"]].add(charge["image_url"])
        results = [
            Result(page, ti["state"], _url(airflow, run, name, page.number), frozenset(charged[page.prompt]))
            for page, ti in zip(book, tasks, strict=True)
        ]
        ended = max(datetime.fromisoformat(ti["end_date"]) for ti in tasks)
        accounts[name] = Account(results, len(ledger["requests"]), (ended - begun).total_seconds())
    return accounts


def table(accounts: Mapping[str, Account], titles: Mapping[str, str]) -> str:
    """Return a row for each contestant."""
    rows = []
    for name, account in accounts.items():
        counts = [account.count(counted) for counted in COLUMNS.values()]
        rows.append([titles[name], *counts, account.requests, f"{account.seconds:.0f} s"])
    return _markdown(["", *COLUMNS, "requests", "wall time"], rows)


def table_of_faults(accounts: Mapping[str, Account], titles: Mapping[str, str]) -> str:
    """Return a row for each kind of bad luck: delivered, and charged for nothing, by contestant."""
    rows = []
    for kind in KINDS:
        met = {name: [r for r in account.results if r.page.name == kind] for name, account in accounts.items()}
        count = len(next(iter(met.values())))
        if count:
            cells = [f"{sum(r.delivered for r in rs)} / {sum(r.for_nothing for r in rs)}" for rs in met.values()]
            rows.append([kind, count, *cells])
    return _markdown(["delivered / charged for nothing", "illustrations", *titles.values()], rows)


def table_of_second(first: Mapping[str, Account], second: Mapping[str, Account], titles: Mapping[str, str]) -> str:
    """Return a row for each contestant: what a second run of the same Dag delivered, and paid again.

    :param second: of the second run, with the ledgers of both.
    """
    rows = []
    for name, both in second.items():
        before = first[name]
        drawn = [
            (earlier.delivered, len(later.charged - earlier.charged))
            for earlier, later in zip(before.results, both.results, strict=True)
        ]
        rows.append([
            titles[name], before.count(COLUMNS["delivered"]), both.count(COLUMNS["delivered"]),
            sum(charges for delivered, charges in drawn if delivered), sum(charges for _, charges in drawn),
            both.requests - before.requests, f"{both.seconds:.0f} s",
        ])  # fmt: skip
    head = [
        "second run", "delivered in the first", "delivered in the second", "paid again", "charged in all", "requests",
        "wall time",
    ]  # fmt: skip
    return _markdown(head, rows)


def _all(airflow: Deployment, path: str) -> list[dict[str, Any]]:
    """Return all of the run's task instances; the API gives them by the page."""
    found: list[dict[str, Any]] = []
    while True:
        answer = airflow.api(f"{path}?limit={PAGE}&offset={len(found)}&order_by=id")
        found += answer["task_instances"]
        if not answer["task_instances"] or len(found) >= answer["total_entries"]:
            return found


def _url(airflow: Deployment, run: str, task_id: str, map_index: int) -> Any:
    """Return what a task after this one would take for the picture's URL; None if there is nothing."""
    key = "image_url" if task_id in {"once", "provider"} else "return_value"
    path = f"{run}/taskInstances/{task_id}/xcomEntries/{key}?map_index={map_index}&deserialize=true"
    try:
        return airflow.api(path)["value"]
    except HTTPError as error:
        if error.code != NOT_FOUND:
            raise
        return None


def _markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
