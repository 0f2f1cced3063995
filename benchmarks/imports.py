"""``python benchmarks/imports.py``: what a Dag file's import of an operator takes, on top of Airflow itself.

Every task of a Dag reads the Dag's file again, in a process of its own, and so does the Dag processor.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from report import in_turns, markdown, measured, middle, result, say

#: What the table calls it, and the modules that a Dag's author imports for it.
CONTESTANTS = {
    "operator": ("an operator that does nothing", ["nothing"]),
    "ours": (
        "`IllustrationOperator`, `GenerateIllustrationOperator`",
        ["airflow_provider_talecraft.operators.illustration"],
    ),
    "ours_all": (
        "all of this package's operators",
        [
            "airflow_provider_talecraft.operators.illustration",
            "airflow_provider_talecraft.operators.generate_illustration_batch",
            "airflow_provider_talecraft.transfers.illustration_to_object_storage",
        ],
    ),
    "http": ("`HttpOperator`", ["airflow.providers.http.operators.http"]),
    "s3": ("`HttpToS3Operator`", ["airflow.providers.amazon.aws.transfers.http_to_s3"]),
    "cohere": ("`CohereEmbeddingOperator`", ["airflow.providers.cohere.operators.embedding"]),
    "openai": ("`OpenAIEmbeddingOperator`", ["airflow.providers.openai.operators.openai"]),
}  # fmt: skip
#: That with which the others are compared, and what ours is to take of it.
MEASURE, AIM = "http", 0.03
WHY = """\
Where it is missed: nearly all of it is Python reading some twenty small modules (`python -X importtime`), the largest
of which are the errors, the models of a request and Airflow's own `retry_policy`. requests, tenacity and pictures are
not among them: they are imported when a task runs."""
NOTHING = """from airflow.sdk import BaseOperator


class Nothing(BaseOperator):
    def execute(self, context):
        pass
"""


def memory() -> int:
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def take(name: str) -> None:
    """Import it, and print what it took."""
    import airflow.sdk
    from airflow.sdk import DAG, BaseHook, BaseOperator, task  # noqa: F401  # what every Dag's file has loaded

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "nothing.py").write_text(NOTHING, encoding="ascii")
        sys.path.append(folder)
        known, resident, began, cpu = len(sys.modules), memory(), time.perf_counter(), time.process_time()
        for module in CONTESTANTS[name][1]:
            importlib.import_module(module)
        took = {
            "cpu": (time.process_time() - cpu) * 1000, "wall": (time.perf_counter() - began) * 1000,
            "modules": len(sys.modules) - known, "memory": (memory() - resident) / 1e6,
        }  # fmt: skip
    assert airflow.sdk  # noqa: S101  # loaded, and not counted
    print(json.dumps(took))


def main() -> None:
    parser = argparse.ArgumentParser(description="What importing an operator takes.")
    parser.add_argument("--rounds", type=int, default=11, metavar="N", help="of all of them (11); medians are shown")
    parser.add_argument("--one", choices=CONTESTANTS, help="import it in this process, and print what it took")
    options = parser.parse_args()
    if options.one:
        take(options.one)
        return
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="talecraft-imports-") as home:
        # Everybody's bytecode is written by the first round, also where the machine forbids that (ours, which is no
        # wheel here, would be compiled at every import then).
        environment = {"AIRFLOW_HOME": home, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": f"{home}/bytecode"}
        for name in CONTESTANTS:
            measured(Path(__file__), "--one", name, environment=environment)  # bytecode and page cache are there then
        for number, name in in_turns(list(CONTESTANTS), options.rounds):
            found[name].append(measured(Path(__file__), "--one", name, environment=environment))
            say(f"  {number + 1} {name}: {found[name][-1]['cpu']:.1f} ms")
    measure = middle(found[MEASURE], "cpu")
    rows = [
        [
            title, f"{middle(found[name], 'cpu'):.1f} ms", f"{middle(found[name], 'cpu') / measure:.3f}",
            f"{min(one['cpu'] for one in found[name]):.1f} ms", f"{middle(found[name], 'modules'):.0f}",
            f"{middle(found[name], 'memory'):.1f} MB", f"{middle(found[name], 'cpu') / 10:.1f} s",
        ]
        for name, (title, _) in CONTESTANTS.items()
    ]  # fmt: skip
    head = ["", "CPU", f"of {CONTESTANTS[MEASURE][0]}", "least CPU", "modules", "memory", "CPU of 100 mapped tasks"]
    result(markdown(head, rows))
    reached = middle(found["ours"], "cpu") / measure
    result(f"Aim: {AIM:.2f} of {CONTESTANTS[MEASURE][0]}; here {reached:.3f}.")
    result(WHY)


if __name__ == "__main__":
    main()
