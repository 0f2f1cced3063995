"""Make the documentation's pictures of Airflow's pages again, from real pages after a real run over the sandbox.

``PYTHONPATH=tests/integration .venv/bin/python scripts/screenshots.py``; needs Chromium. The Airflow and the people who
log in to it are those of the tests.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from io import BytesIO
from pathlib import Path

from pages import ADMIN, ARGUMENTS, CHROMIUM, AirflowWithPeople
from PIL import Image
from playwright.sync_api import sync_playwright

from airflow_provider_talecraft.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT = 1180, 760
#: Where the pictures stand: it is seen on the tab. Emptied first, else they are found and not drawn.
SHOWN = "/tmp/picture-book"  # noqa: S108  # a picture of it is all that stays
#: Of PNG: few enough for a small file, enough for a picture book.
COLOURS = 160


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    shutil.rmtree(SHOWN, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder, Sandbox(latency=0) as sandbox:
        connection = {"conn_type": "talecraft", "host": sandbox.url, "password": sandbox.api_key}
        sandbox.faults([{"message": "Generation failed", "prompt": "The fox breaks its pencil", "times": None}])
        environment = {"AIRFLOW_CONN_TALECRAFT_DEFAULT": json.dumps({**connection, "extra": {"max_concurrency": 8}})}
        dags = ROOT / "tests" / "integration" / "dags_pages"
        with AirflowWithPeople(Path(folder), dags, environment, path="") as airflow:
            run, _ = airflow.run("talecraft_pages", {"folder": f"file://{SHOWN}"})
            shots = {
                "gallery": (airflow.tab("talecraft_pages", run), "light"),
                "gallery-dark": (airflow.tab("talecraft_pages", run), "dark"),
                "tab": (airflow.tab("talecraft_pages", run, "once"), "light"),
                "tab-failed": (airflow.tab("talecraft_pages", run, "mapped", 1), "light"),
                "menu": (f"{airflow.url}/plugin/talecraft", "light"),
            }
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
                for name, (url, theme) in shots.items():
                    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=theme)
                    context.add_cookies([airflow.cookie(ADMIN)])
                    page = context.new_page()
                    page.goto(url)
                    page.frame_locator("iframe").locator("main[aria-busy=false]").wait_for()
                    page.wait_for_load_state("networkidle")
                    save(page.screenshot(), IMAGES / f"{name}.png")
                    context.close()
                browser.close()


def save(png: bytes, path: Path) -> None:
    Image.open(BytesIO(png)).convert("RGB").quantize(COLOURS).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
