"""A deadline ends what a socket's own timeout would not, and leaves alone what is in time."""

from __future__ import annotations

import socket
import time

import pytest
import urllib3
from loopback import answering, answering_json, server
from patience import STUCK

from airflow_provider_talecraft.api.deadline import Deadline


def asked(port, deadline):
    with urllib3.HTTPConnectionPool("127.0.0.1", port, timeout=120, retries=False) as pool:
        deadline.watch(pool)
        return pool.request("POST", "/", body=b"{}").data


def silent(connection):
    while connection.recv(65536):
        pass


def test_a_request_in_time_is_left_alone():
    with server(answering_json({"code": 0})) as (port, _), Deadline(STUCK) as deadline:
        assert asked(port, deadline) == b'{"code": 0}'
    assert not deadline.passed


def test_a_silent_server_is_left_when_the_time_is_over():
    started = time.monotonic()
    with server(silent) as (port, _):
        with Deadline(0.2) as deadline, pytest.raises(urllib3.exceptions.HTTPError):
            asked(port, deadline)
    assert deadline.passed
    assert time.monotonic() - started < STUCK


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_connection_that_is_opened_after_the_time_is_shut_at_once(seconds):
    with server(lambda connection: connection.recv(1)) as (port, _), Deadline(seconds) as deadline:
        deadline._watcher.join(5)
        with pytest.raises(urllib3.exceptions.HTTPError):
            asked(port, deadline)


def test_it_closes_its_handles_and_starts_nothing_that_stays():
    with server(answering_json({})) as (port, _), Deadline(60) as deadline:
        asked(port, deadline)
        (handle,) = deadline._sockets
    assert handle.fileno() == -1
    deadline._watcher.join(5)
    assert not deadline._watcher.is_alive()


def test_the_time_can_be_started_anew_while_it_is_not_over():
    with server(answering_json({})) as (port, _), Deadline(0.2) as deadline:
        deadline.restart(5)
        time.sleep(0.4)  # the time that it had at first
        assert asked(port, deadline) == b"{}"


def test_the_time_can_be_made_shorter():
    with server(silent) as (port, _), Deadline(60) as deadline:
        deadline.restart(0.2)
        with pytest.raises(urllib3.exceptions.HTTPError):
            asked(port, deadline)
    assert deadline.passed


def test_what_comes_before_the_final_answer_is_skipped_for_whoever_asks():
    """A picture's GET goes over a watched connection, too."""
    hints = b"HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
    with (
        server(answering(hints + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) as (port, _),
        Deadline(5) as deadline,
    ):
        assert asked(port, deadline) == b"{}"


def test_a_connection_that_is_gone_already_is_no_matter():
    deadline = Deadline()
    deadline.passed = True
    with socket.socket() as unconnected, deadline:
        deadline._hold(unconnected)


def test_nobody_watches_any_more_when_the_block_is_over():
    with Deadline(60) as deadline:
        watcher = deadline._watcher
        assert watcher.is_alive()
    watcher.join(5)
    assert not watcher.is_alive()
    assert not deadline.passed


def test_what_takes_less_than_a_second_has_its_time_too():
    with Deadline(0.9) as deadline:
        deadline._watcher.join(0.2)
        assert not deadline.passed
        assert deadline._watcher.is_alive()
