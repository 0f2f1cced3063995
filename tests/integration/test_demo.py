"""``make demo``: what a stranger sees first, and what stays behind of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from patience import PATIENCE, left_of

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, str(ROOT / "scripts" / "demo.py")]


def test_a_prompt_reaches_the_demo_as_it_was_typed():
    typed = 'costs $5, "quoted", `ticked` & {{ it }}; $(PYTHON)'
    done = subprocess.run(
        ["make", "--silent", "--eval", "show: ; @printenv PROMPT", "show", f"PROMPT={typed}"],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    assert done.stdout == typed + "\n"


PROMPT = 'A whale pays $5 for "{{ news }}"'


def demo(prompt, folder):
    done = subprocess.run(
        DEMO, env={**os.environ, "PROMPT": prompt}, cwd=folder, capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A folder where the demo ran once, and what it said."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, demo(PROMPT, folder)


def test_a_prompt_of_ones_own_becomes_a_picture_and_its_cost_is_told(first):
    folder, said = first
    assert PROMPT in said
    assert "1 picture, 1 drawn for 2 play credits" in said
    (page,) = [line.strip() for line in said.splitlines() if line.endswith("index.html")]
    (picture,) = [line.strip() for line in said.splitlines() if line.endswith(".jpeg")]
    assert "A whale pays $5 for" in (folder / page).read_text()
    assert (folder / picture).read_bytes().startswith(b"\xff\xd8\xff")


def test_the_demo_run_again_pays_nothing_and_another_prompt_pays_for_itself_only(first):
    folder, _ = first
    again = demo(PROMPT, folder)
    assert "1 picture, nothing paid" in again
    assert "  drawn  " not in again
    assert "1 picture, 1 drawn for 2 play credits" in demo("Another whale", folder)


def test_an_interrupted_demo_leaves_nothing_running(tmp_path):
    with subprocess.Popen(
        DEMO, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # Tests that a shell has put into the background are told to ignore it, and hand that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # no thread holds a lock here
    ) as demo:  # fmt: skip
        for line in demo.stdout:
            if "drawn" in line:
                break
        family = psutil.Process(demo.pid).children(recursive=True)
        assert len(family) >= 2, "the sandbox and Airflow"
        demo.send_signal(signal.SIGINT)
        assert demo.wait(PATIENCE) != 0
        assert not left_of(family)
        assert "Stopped; nothing is left running." in demo.stderr.read()
