"""Make docs/images/monitoring.png again: the dashboard's queries, answered after minutes of drawing in the sandbox.

``PYTHONPATH=tests/integration .venv/bin/python scripts/monitoring.py``; needs Chromium, and ``prometheus`` and
``statsd_exporter`` in PATH. The way is the documented one: Airflow's tasks > StatsD > statsd_exporter > Prometheus.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from migrated import migrated
from pages import ARGUMENTS, CHROMIUM
from playwright.sync_api import sync_playwright
from screenshots import save

from airflow_provider_talecraft.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[1]
FILES = ROOT / "docs" / "monitoring"
CHART = ROOT / "airflow_provider_talecraft" / "plugins" / "www" / "vendor" / "chart-4.6.1.umd.min.js"
NEEDED = ("prometheus", "statsd_exporter")
#: Seconds between two looks of Prometheus at the exporter; a panel's rate looks back over some of them.
SCRAPE, RATE = 2, 40
PICTURES = 70
DAGS = f"""
from datetime import timedelta
from airflow.providers.common.compat.sdk import DAG
from airflow_provider_talecraft.operators.illustration import (
    GenerateIllustrationBatchOperator, GenerateIllustrationOperator,
)
with DAG("picture_book", schedule=None):
    GenerateIllustrationBatchOperator(
        task_id="pages", prompts=[f"Page {{n}}." for n in range({PICTURES})], max_concurrency=3, requests_per_minute=30,
        on_partial_failure="keep",
    )
with DAG("daily_cover", schedule=None):
    GenerateIllustrationOperator.partial(
        task_id="cover", talecraft_conn_id="talecraft_covers", retry_delay=timedelta(seconds=1), retry_policy=None,
    ).expand(prompt=[f"Cover {{n}}." for n in range(20)])
"""
#: Each prompt meets these once: slow pictures, failures of the model, lost answers, a rate limit.
FAULTS = [
    *(
        {"prompt": f"Page {number}.", "delay_before_charge": number % 5 * 1.5}
        for number in range(PICTURES)
        if number % 5
    ),
    *({"prompt": f"Page {number}.", "message": "Generation failed"} for number in range(10, PICTURES, 15)),
    {"prompt": "Page 30.", "status": 429, "retry_after": 8},
    *({"prompt": f"Cover {number}.", "message": "Generation failed"} for number in (3, 11)),
    *({"prompt": f"Cover {number}.", "drop": "after_charge"} for number in (7, 15)),
]
PAGE = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; padding: 12px; width: 1156px; background: #f4f5f5; font: 13px sans-serif; color: #24292e;
  display: grid; grid-template-columns: repeat(24, 1fr); gap: 8px }
section { background: #fff; border: 1px solid #dcdde0; border-radius: 3px; padding: 8px }
h2 { font-size: 13px; font-weight: 600; margin: 0 0 6px } b { font-size: 34px; font-weight: 500; color: #2a7a3b }
div { height: 150px }</style>
<body><script src="chart.js"></script><script>
const colours = ["#3274d9", "#e0752d", "#629e51", "#a352cc", "#bf1b00", "#c9a227"];
for (const panel of PANELS) {
  const section = document.body.appendChild(document.createElement("section"));
  section.style.gridColumn = `span ${panel.width}`;
  section.appendChild(document.createElement("h2")).textContent = panel.title;
  if (panel.type === "stat") {
    section.appendChild(document.createElement("b")).textContent = Math.round(panel.value);
    continue;
  }
  const canvas = section.appendChild(document.createElement("div")).appendChild(document.createElement("canvas"));
  new Chart(canvas, { type: "line",
    data: { datasets: panel.series.map(({ name, points }, i) => ({ label: name, data: points,
      borderColor: colours[i % colours.length], backgroundColor: colours[i % colours.length], borderWidth: 1.5,
      pointRadius: 0 })) },
    options: { animation: false, maintainAspectRatio: false, plugins: { legend: { position: "bottom",
      labels: { boxWidth: 10, boxHeight: 2 } } }, scales: { y: { min: 0, title: { display: panel.unit === "s",
      text: "s" } }, x: { type: "linear", title: { display: true, text: "minutes" } } } } });
}
document.title = "done";
</script>"""


def main() -> None:
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        sys.exit(f"Not in PATH: {', '.join(missing)}.")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sandbox = stack.enter_context(Sandbox(latency=1.5))
        sandbox.faults(FAULTS)
        statsd, web, prometheus = free_port(socket.SOCK_DGRAM), free_port(), free_port()
        start(
            stack, "statsd_exporter", f"--statsd.mapping-config={FILES / 'statsd-exporter.yaml'}",
            f"--statsd.listen-udp=127.0.0.1:{statsd}", "--statsd.listen-tcp=", f"--web.listen-address=127.0.0.1:{web}",
        )  # fmt: skip
        scrape = {"job_name": "airflow", "static_configs": [{"targets": [f"127.0.0.1:{web}"]}]}
        config = {
            "global": {"scrape_interval": f"{SCRAPE}s", "evaluation_interval": f"{SCRAPE}s"},
            "rule_files": [str(FILES / "alerts.yaml")], "scrape_configs": [scrape],
        }  # fmt: skip
        (folder / "prometheus.yml").write_text(json.dumps(config))
        start(
            stack, "prometheus", f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{prometheus}",
        )  # fmt: skip
        api = f"http://127.0.0.1:{prometheus}/api/v1"
        wait_for(api)
        began = time.time()
        draw(folder, sandbox, statsd)
        time.sleep(2 * SCRAPE)
        panels = answers(api, began, time.time())
        firing = {alert["labels"]["alertname"] for alert in ask(api, "alerts")["alerts"] if alert["state"] == "firing"}
        print(f"{len(sandbox.ledger()['charges'])} charges; alerts: {', '.join(sorted(firing)) or 'none'}")
    take_picture(panels)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def start(stack: ExitStack, *command: str) -> None:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.terminate)


def wait_for(api: str) -> None:
    for _ in range(300):
        with suppress(URLError, ConnectionError, IndexError):
            if ask(api, "query", query='up{job="airflow"}')["result"][0]["value"][1] == "1":
                return
        time.sleep(0.1)
    sys.exit("Prometheus does not see the exporter.")


def draw(folder: Path, sandbox: Sandbox, statsd: int) -> None:
    """Run both Dags beside each other."""
    dags = folder / "dags"
    dags.mkdir()
    (dags / "dags.py").write_text(DAGS)
    connection = json.dumps({"conn_type": "talecraft", "host": sandbox.url, "password": sandbox.api_key})
    runs = []
    for dag_id in ("picture_book", "daily_cover"):
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
            "AIRFLOW_HOME": str(migrated(folder / dag_id)), "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1", "AIRFLOW__METRICS__STATSD_PORT": str(statsd),
            "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
            "AIRFLOW_CONN_TALECRAFT_DEFAULT": connection, "AIRFLOW_CONN_TALECRAFT_COVERS": connection,
        }  # fmt: skip
        with (Path(tempfile.gettempdir()) / f"talecraft-monitoring-{dag_id}.log").open("wb") as log:
            command = [sys.executable, "-m", "airflow", "dags", "test", dag_id]
            runs.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
    for run in runs:
        run.wait()


def ask(api: str, what: str, **parameters: Any) -> Any:
    with urlopen(f"{api}/{what}?{urlencode(parameters)}", timeout=10) as answer:  # noqa: S310  # our own Prometheus
        return json.load(answer)["data"]


def answers(api: str, began: float, ended: float) -> list[dict[str, Any]]:
    """Return what each panel of the dashboard shows."""
    shown = []
    for panel in json.loads((FILES / "dashboard.json").read_text())["panels"]:
        facts = {"title": panel["title"], "type": panel["type"], "width": panel["gridPos"]["w"], "series": []}
        facts["unit"] = panel["fieldConfig"]["defaults"]["unit"]
        for target in panel["targets"]:
            query = target["expr"].replace("$dag_id", ".*").replace("$conn_id", ".*")
            query = query.replace("$__range", f"{ended - began:.0f}s").replace("$__rate_interval", f"{RATE}s")
            if panel["type"] == "stat":
                found = ask(api, "query", query=query, time=ended)["result"]
                facts["value"] = float(found[0]["value"][1]) if found else 0
                continue
            for series in ask(api, "query_range", query=query, start=began, end=ended, step=SCRAPE)["result"]:
                name = target["legendFormat"]
                for label, value in series["metric"].items():
                    name = name.replace("{{" + label + "}}", value)
                points = [[(moment - began) / 60, float(value)] for moment, value in series["values"] if value != "NaN"]
                facts["series"].append({"name": name, "points": points})
        shown.append(facts)
    return shown


def take_picture(panels: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        shutil.copy(CHART, Path(folder) / "chart.js")
        (Path(folder) / "page.html").write_text(PAGE.replace("PANELS", json.dumps(panels)))
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1180, "height": 400})
        page.goto((Path(folder) / "page.html").as_uri())
        page.wait_for_function("document.title === 'done'")
        save(page.screenshot(full_page=True), ROOT / "docs" / "images" / "monitoring.png")
        browser.close()


if __name__ == "__main__":
    main()
