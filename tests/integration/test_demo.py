"""``make demo``: what a stranger sees first, and what stays behind of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, str(ROOT / "scripts" / "demo.py")]
LIMIT = 120


def test_a_prompt_reaches_the_demo_as_it_was_typed():
    typed = 'costs $5, "quoted", `ticked` & {{ it }}; $(PYTHON)'
    done = subprocess.run(
        ["make", "--silent", "--eval", "show: ; @printenv PROMPT", "show", f"PROMPT={typed}"],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert done.stdout == typed + "\n"


@pytest.fixture(autouse=True)
def _no_pictures_of_before(tmp_path_factory):
    """Each test starts without pictures; those of a person who tried the demo are put back."""
    output, aside = ROOT / "demo-output", tmp_path_factory.mktemp("demo") / "output"
    if output.exists():
        shutil.move(output, aside)
    yield
    shutil.rmtree(output, ignore_errors=True)
    if aside.exists():
        shutil.move(aside, output)


def demo(prompt):
    return subprocess.run(
        DEMO, env={**os.environ, "PROMPT": prompt}, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=True
    ).stdout


def test_the_demo_run_twice_pays_nothing_and_another_prompt_pays_for_itself_only():
    assert "1 picture, 1 drawn for 2 play credits" in demo("A whale")
    again = demo("A whale")
    assert "1 picture, nothing paid" in again
    assert "  drawn  " not in again
    assert "1 picture, 1 drawn for 2 play credits" in demo("Another whale")


def test_a_prompt_of_ones_own_becomes_a_picture_and_its_cost_is_told():
    prompt = 'A whale pays $5 for "{{ news }}"'
    done = subprocess.run(
        DEMO, env={**os.environ, "PROMPT": prompt}, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert prompt in done.stdout
    assert "1 picture, 1 drawn for 2 play credits" in done.stdout
    (page,) = [line.strip() for line in done.stdout.splitlines() if line.endswith("index.html")]
    (picture,) = [line.strip() for line in done.stdout.splitlines() if line.endswith(".jpeg")]
    assert "A whale pays $5 for" in (ROOT / page).read_text()
    assert (ROOT / picture).read_bytes().startswith(b"\xff\xd8\xff")
    assert not done.stderr


def test_an_interrupted_demo_leaves_nothing_running():
    with subprocess.Popen(DEMO, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        for line in demo.stdout:
            if "drawn" in line:
                break
        family = psutil.Process(demo.pid).children(recursive=True)
        assert len(family) >= 2, "the sandbox and Airflow"
        demo.send_signal(signal.SIGINT)
        assert demo.wait(LIMIT) != 0
        _, alive = psutil.wait_procs(family, timeout=30)
        assert not alive
        assert "Stopped; nothing is left running." in demo.stderr.read()
