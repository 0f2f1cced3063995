"""The engine itself: what it leaves behind when it is killed, and who takes that away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import engine
import pytest

pytestmark = pytest.mark.engine

HELD = "import sys, engine\nwith engine.Engine(1000) as held:\n    print(held.folder, flush=True)\n    sys.stdin.read()"


@pytest.fixture
def killed(engine_can_be_had):
    """The folder of an engine whose process was killed."""
    path = os.pathsep.join(sys.path)
    with subprocess.Popen(
        [sys.executable, "-c", HELD], env={**os.environ, "PYTHONPATH": path}, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        folder = Path(process.stdout.readline().strip())
        process.send_signal(signal.SIGKILL)
    assert folder.name.startswith(engine.PREFIX)
    return folder


def test_what_a_killed_engine_leaves_is_removed_by_the_next_one(killed):
    assert killed.exists()
    engine.remove_what_the_dead_have_left()
    assert not killed.exists()
    assert engine.control_groups_are_gone(killed.name)
    processes = subprocess.run(["pgrep", "--full", str(killed)], capture_output=True, text=True, check=False).stdout
    assert not processes


def test_an_engine_that_lives_is_left_alone(engine_can_be_had):
    with engine.Engine(1000) as living:
        engine.remove_what_the_dead_have_left()
        assert "Server Version" in living.run("docker", "info")


def test_a_folder_that_is_not_an_engines_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(engine.tempfile, "gettempdir", lambda: str(tmp_path))
    (tmp_path / f"{engine.PREFIX}notes").mkdir()
    engine.remove_what_the_dead_have_left()
    assert (tmp_path / f"{engine.PREFIX}notes").exists()
