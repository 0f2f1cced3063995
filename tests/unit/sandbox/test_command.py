"""The command line as a process: what it prints, what it refuses, how it ends."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import requests
from patience import PATIENCE

from airflow_provider_talecraft.sandbox import command

MODULE = (sys.executable, "-m", "airflow_provider_talecraft.sandbox")


@contextlib.contextmanager
def _started(*options):
    with subprocess.Popen([*MODULE, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = [process.stdout.readline().rstrip("\n") for _ in range(3)]
            yield process, lines
        finally:
            process.kill()


def test_once_ready_it_prints_the_address_and_the_line_to_export():
    with _started("--port", "0", "--latency", "0", "--credits", "3", "--api-key", "it's", "--api-key", "b") as (
        _,
        lines,
    ):
        port = int(re.fullmatch(r"TaleCraft sandbox listening on http://127\.0\.0\.1:(\d+)", lines[0])[1])
        assert "it's" in lines[1]
        assert "3 credits" in lines[1]
        export, name_and_value = shlex.split(lines[2])
        name, _, value = name_and_value.partition("=")
        assert (export, name) == ("export", "AIRFLOW_CONN_TALECRAFT_DEFAULT")
        assert json.loads(value) == {
            "conn_type": "talecraft",
            "host": "http://127.0.0.1",
            "port": port,
            "password": "it's",
        }
        answer = requests.post(
            f"http://127.0.0.1:{port}/api/v1/generate",
            json={"prompt": "a fox"},
            headers={"X-API-Key": "b"},
            timeout=PATIENCE,
        )
        assert answer.json()["code"] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_with_a_request_in_flight(call, eventually, number):
    with ThreadPoolExecutor(1) as pool, _started("--port", "0", "--latency", "3600") as (process, lines):
        url = lines[0].rpartition(" ")[2]
        waiting = pool.submit(call(SimpleNamespace(url=url)).generate, {"prompt": "a fox"})
        eventually(lambda: requests.get(f"{url}/sandbox/ledger", timeout=PATIENCE).json()["requests"])
        process.send_signal(number)
        assert process.wait(timeout=PATIENCE) == 0
        assert (process.stdout.read(), process.stderr.read()) == ("", "")
        assert isinstance(waiting.exception(timeout=PATIENCE), requests.ConnectionError)


def test_a_port_in_use_is_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run([*MODULE, "--port", str(port)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "203.0.113.1"])
def test_a_host_that_is_not_this_machines_is_one_sentence(host, capsys):
    assert command.main(["--host", host, "--port", "0"]) == 1
    complaint = capsys.readouterr().err
    assert complaint.startswith(f"cannot listen on {host}:0: ")
    assert complaint.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--latency", "-1", "not a number of seconds"),
        ("--latency", "nan", "not a number of seconds"),
        ("--latency", "inf", "not a number of seconds"),
        ("--latency", "soon", "not a number of seconds"),
        ("--credits", "-1", "not a whole number of credits"),
        ("--credits", "1.5", "not a whole number of credits"),
        ("--requests-per-minute", "0", "leave it out for no limit"),
        ("--max-concurrency", "-2", "leave it out for no limit"),
        ("--seed", "x", "not a whole number"),
        ("--port", "-1", "not a port"),
        ("--port", "65536", "not a port"),
        ("--port", "http", "not a port"),
        ("--host", "", "not a host name"),
        ("--host", "http://x", "not a host name"),
        ("--api-key", "", "an API key is"),
        ("--api-key", " ", "an API key is"),
        ("--api-key", "a\nb", "an API key is"),
        ("--api-key", "schlüssel", "an API key is"),
        ("--public-url", "example.com", "not a base URL"),
        ("--public-url", "https://", "not a base URL"),
        ("--public-url", "https://x:port", "not a base URL"),
        ("--public-url", "https://x/?a", "not a base URL"),
        ("--public-url", "https://me@x", "not a base URL"),
        ("--public-url", 'https://x/">', "not a base URL"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_a_reason(option, value, reason, capsys):
    with pytest.raises(SystemExit) as exited:
        command.main([f"{option}={value}"])
    assert exited.value.code == 2
    complaint = capsys.readouterr().err
    assert f"argument {option}: " in complaint
    assert reason in complaint


def test_the_defaults_are_the_documented_ones():
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert vars(parser.parse_args([])) == {
        "host": "127.0.0.1",
        "port": 8765,
        "latency": 1.0,
        "credits": 1000,
        "requests_per_minute": None,
        "max_concurrency": None,
        "seed": 0,
        "api_key": None,
        "public_url": None,
    }


@pytest.mark.parametrize("library", ["starlette", "uvicorn", "PIL"])
def test_without_the_extra_it_says_what_to_install(tmp_path, library):
    """A finder that hides one library stands in for an environment without it."""
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util\n"
        "real = importlib.util.find_spec\n"
        f"importlib.util.find_spec = lambda name, *rest: None if name == {library!r} else real(name, *rest)\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.getcwd()}"}  # noqa: PTH109 - a string is wanted
    done = subprocess.run([*MODULE], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "pip install 'airflow-provider-talecraft[sandbox]'" in done.stderr
    assert done.stderr.count("\n") == 1

    imported = subprocess.run(
        [sys.executable, "-c", "from airflow_provider_talecraft.sandbox import Sandbox"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ImportError: The sandbox needs" in imported.stderr


@pytest.mark.parametrize(("host", "shown"), [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]")])
def test_the_exported_host_is_one_that_can_be_connected_to(host, shown):
    if ":" in host and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with _started("--host", host, "--port", "0") as (process, lines):
        if not lines[0]:
            assert "cannot listen on" in process.stderr.read()
            pytest.skip("no IPv6 here")
        assert f'"http://{shown}"' in lines[2]
