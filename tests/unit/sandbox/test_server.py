"""Sandbox in this process: it starts, stops promptly and leaves nothing behind."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from patience import PATIENCE

from airflow_provider_talecraft.sandbox import Sandbox


def test_it_stops_at_once_with_a_request_in_flight_and_leaves_no_thread(call, eventually, caplog):
    before = set(threading.enumerate())
    with ThreadPoolExecutor(2) as pool:
        with Sandbox(latency=3600) as sandbox:
            waiting = pool.submit(call(sandbox).generate, {"prompt": "a fox"})
            eventually(lambda: call(sandbox).outcomes() == ["in progress"])
        assert isinstance(waiting.exception(timeout=PATIENCE), requests.ConnectionError)
    assert set(threading.enumerate()) <= before
    assert caplog.records == []
    ledger = sandbox.ledger()
    assert (ledger["credits"], ledger["charges"]) == (1000, [])
    assert ledger["requests"][0]["outcome"] == "dropped"


def test_it_leaves_no_socket_open():
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        with Sandbox() as sandbox:
            url = sandbox.url
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=PATIENCE)


def test_entered_again_it_is_a_service_that_was_down_for_a_while(call):
    sandbox = Sandbox()
    with sandbox:
        call(sandbox).paint("before")
    with sandbox:
        call(sandbox).paint("after")
    assert [charge["prompt"] for charge in sandbox.ledger()["charges"]] == ["before", "after"]


def test_entered_again_it_delays_and_releases_as_before(call, eventually):
    sandbox = Sandbox()
    for times in (1, 2):
        with ThreadPoolExecutor(1) as pool, sandbox:
            sandbox.fault(delay_after_charge=3600)
            held = pool.submit(call(sandbox).generate, {"prompt": "a fox"})
            eventually(lambda times=times: len(sandbox.ledger()["charges"]) == times)
            sandbox.release()
            assert held.result(PATIENCE).json()["code"] == 0
            sandbox.fault(delay_before_charge=3600)
            cut = pool.submit(call(sandbox).generate, {"prompt": "a fox"})
            eventually(lambda: "in progress" in call(sandbox).outcomes())
        assert isinstance(cut.exception(PATIENCE), requests.ConnectionError)
        sandbox.release()


def test_before_it_runs_it_has_no_url():
    with pytest.raises(RuntimeError, match="with Sandbox"):
        _ = Sandbox().url


def test_two_cannot_have_one_port():
    with Sandbox() as first, pytest.raises(OSError, match="in use"):
        Sandbox(port=first.port).__enter__()


def test_a_reset_leaves_a_running_request_to_the_old_ledger(call, eventually):
    with ThreadPoolExecutor(1) as pool, Sandbox() as sandbox:
        sandbox.fault(delay_before_charge=3600)
        running = pool.submit(call(sandbox).generate, {"prompt": "a fox"})
        eventually(lambda: sandbox.ledger()["requests"])
        sandbox.reset()
        assert running.result(timeout=PATIENCE).json()["code"] == 0
        ledger = sandbox.ledger()
        assert (ledger["credits"], ledger["charges"], ledger["requests"]) == (1000, [], [])


def test_a_reset_ends_delays_that_have_not_begun(call, eventually):
    with ThreadPoolExecutor(1) as pool, Sandbox(latency=1) as sandbox:
        sandbox.fault(delay_before_charge=3600)
        running = pool.submit(call(sandbox).generate, {"prompt": "a fox"})
        eventually(lambda: not requests.get(f"{sandbox.url}/sandbox/faults", timeout=PATIENCE).json())
        sandbox.reset()
        assert running.result(timeout=PATIENCE).json()["code"] == 0


def test_a_reset_while_a_body_is_on_its_way_leaves_the_request_to_the_old_ledger(eventually):
    body = b'{"prompt": "a fox"}'
    with Sandbox() as sandbox, socket.create_connection((sandbox.host, sandbox.port)) as client:
        head = f"POST /api/v1/generate HTTP/1.1\r\nHost: x\r\nX-API-Key: {sandbox.api_key}\r\n"
        client.sendall(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode())
        eventually(lambda: sandbox.ledger()["requests"])
        sandbox.reset()
        client.sendall(body)
        answer = b""
        while chunk := client.recv(65536):
            answer += chunk
        assert b'"code":0' in answer.replace(b" ", b"")
        ledger = sandbox.ledger()
        assert (ledger["credits"], ledger["charges"], ledger["requests"]) == (1000, [], [])


@pytest.mark.parametrize(
    "nonsense",
    [
        {"latency": -1},
        {"latency": float("nan")},
        {"latency": True},
        {"latency": None},
        {"credits": -2},
        {"credits": 1.5},
        {"requests_per_minute": 0},
        {"max_concurrency": -1},
        {"seed": "x"},
        {"api_keys": ()},
        {"api_keys": ("",)},
        {"api_keys": ("a\nb",)},
        {"public_url": "ftp://x"},
        {"port": 65536},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_before_anything_starts(nonsense):
    with pytest.raises(ValueError, match=r"not a|a list of|an API key is"):
        Sandbox(**nonsense)


def test_importing_the_package_and_its_command_line_loads_no_server():
    script = (
        "import sys, airflow_provider_talecraft.sandbox.command, airflow_provider_talecraft.sandbox as package\n"
        "assert not {'starlette', 'uvicorn', 'PIL', 'asyncio', 'requests', 'airflow'} & set(sys.modules)\n"
        "package.Sandbox\n"
        "assert not {'PIL', 'requests', 'airflow'} & set(sys.modules)\n"
        "assert not [name for name in sys.modules if name.startswith('airflow_provider_talecraft.')\n"
        "            and not name.startswith('airflow_provider_talecraft.sandbox')]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
