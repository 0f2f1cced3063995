"""What ``benchmarks/faults.py`` has seen, held against the rules, and the table of it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from composed import objects

if TYPE_CHECKING:
    from faults import Run

#: As dags/faults.py has them, which needs an Airflow to be imported.
COUNTS = {"once": 25, "steps": 25, "batch": 50}
#: Seconds that a picture takes; the service takes 10 to 30.
PICTURE = 20
MAX_REPLAYS = 1
#: How a JPEG begins and ends.
WHOLE = b"\xff\xd8\xff\xff\xd9"
COLUMNS = (
    "fault", "at", "healthy again after", "tasks running, requests on their way", "tries that ended",
    "all goes on after", "charges beyond one a picture", "pictures stored by then",
)  # fmt: skip


def judge(run: Run) -> list[str]:
    """Give each fault what it cost; return what is against the rules."""
    wrong = []
    if run.state() != "success":
        wrong.append(f"the run ended as {run.state()}")
    for task_id, index, one in run.tries():
        if one["state"] != "success" and one["end_date"]:
            ended = datetime.fromisoformat(one["end_date"]).timestamp()
            before = [fault for fault in run.faults if fault.begin <= ended]
            if before:
                before[-1].lost_tries.append((task_id, index, ended - before[-1].begin))
            else:
                wrong.append(f"try {one['try_number']} of {task_id} {index} failed before any fault")
    found = objects("faults/")
    pictures = {key: data for key, data in found.items() if key.endswith(".jpeg")}
    receipts = {key: json.loads(data) for key, data in found.items() if key.endswith(".json")}
    wrong += [f"{key} is no whole picture" for key, data in pictures.items() if data[:3] + data[-2:] != WHOLE]
    ledger = run.ledger()
    sources = {facts["prompt"]: facts["source"] for facts in receipts.values()}
    for way, count in COUNTS.items():
        for number in range(count):
            prompt = f"{way} {number:02}: a lighthouse in a storm"
            wrong += judge_one(run, prompt, sources.get(prompt), ledger)
    wanted = sum(COUNTS.values())
    if len(pictures) != wanted or len(sources) != wanted:
        wrong.append(f"{len(pictures)} pictures of {len(sources)} prompts are stored, not {wanted}")
    sent_again = sum(facts.get("replays", 0) for facts in receipts.values())
    run.say(f"{len(pictures)} pictures, {len(ledger['charges'])} charges, {sent_again} replays in receipts")
    return wrong


def judge_one(run: Run, prompt: str, source: str | None, ledger: dict[str, Any]) -> list[str]:
    """Give what the picture cost beyond one charge to the fault that it met; return what is against the rules."""
    wrong = []
    charges = [each for each in ledger["charges"] if each["prompt"] == prompt]
    if source not in [each["image_url"] for each in charges]:
        wrong.append(f"{prompt}: what is stored was not paid for")
    asked = [each for each in ledger["requests"] if each["prompt"] == prompt and each["outcome"] != "refused"]
    if len(asked) > 1 + MAX_REPLAYS:
        wrong.append(f"{prompt}: sent {len(asked)} times")
    for charge in charges:
        if charge["image_url"] == source:
            continue
        begun = charge["time"] - PICTURE
        met = [fault for fault in run.faults if begun <= fault.end and charge["time"] >= fault.begin - 1]
        if met:
            met[0].extra.append(prompt)
        else:
            wrong.append(f"{prompt}: charged twice without a reason at {charge['time'] - run.began:.0f} s")
    return wrong


def table(run: Run) -> str:
    lines = [
        f"| {' | '.join(COLUMNS)} |",
        "|---|---:|---:|---:|---|---:|---:|---:|",
    ]
    for fault in run.faults:
        ended: dict[str, list[float]] = {}
        for task_id, _, after in fault.lost_tries:
            ended.setdefault(task_id, []).append(after)
        tries = "; ".join(f"{len(each)} of `{name}`, after {_span(each)}" for name, each in ended.items())
        lines.append(
            f"| {fault.name} | {fault.begin - run.began:.0f} s | {fault.end - fault.begin:.0f} s | "
            f"{len(fault.met)}, {len(fault.on_their_way)} | {tries or 'none'} | {fault.settled - fault.begin:.0f} s | "
            f"{len(fault.extra)} | {fault.stored} |"
        )
    return "\n".join(lines)


def _span(seconds: list[float]) -> str:
    low, high = min(seconds), max(seconds)
    return f"{low:.0f} s" if high - low < 1 else f"{low:.0f} to {high:.0f} s"
