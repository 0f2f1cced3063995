"""The stores that other tests store at: what Airflow writes is there, and nothing of the tests' own making hides it."""

from __future__ import annotations

import os
import subprocess
import sys
from base64 import b64encode
from contextlib import suppress

import psutil
import pytest
import servers
from patience import PATIENCE, left_of

pytestmark = pytest.mark.integration

PICTURE = bytes(range(256)) * 4096


def test_what_airflow_stores_stands_in_the_store(store):
    assert store.objects() == {}
    path = store.path("böok/page 1+#.jpeg")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(PICTURE)
    assert store.objects() == {"böok/page 1+#.jpeg": len(PICTURE)}
    assert store.read("böok/page 1+#.jpeg") == PICTURE
    assert path.read_bytes() == PICTURE
    assert store.unfinished() == []
    path.unlink()
    assert store.objects() == {}


def test_another_process_stores_here_with_the_environment_alone(store, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(PICTURE)
    code = (
        "import sys; from airflow.providers.common.compat.sdk import ObjectStoragePath as Path; "
        "dst = Path(sys.argv[1], conn_id=sys.argv[2] or None); dst.parent.mkdir(parents=True, exist_ok=True); "
        "dst.fs.put_file(sys.argv[3], dst.path)"
    )
    plain = {name: value for name, value in os.environ.items() if name not in store.environment}
    subprocess.run(
        [sys.executable, "-c", code, store.uri("page.jpeg"), store.conn_id or "", str(source)],
        env={**plain, **store.environment}, timeout=PATIENCE, check=True,
    )  # fmt: skip
    assert store.objects() == {"page.jpeg": len(PICTURE)}


@pytest.mark.parametrize("store", ["s3", "azure"], indirect=True)
def test_a_wrong_secret_stores_nothing(store, monkeypatch):
    (connection,) = store.environment.values()
    assert store.server.secret in connection
    connection = connection.replace(store.server.secret, b64encode(bytes(64)).decode())
    # The store's file system is kept by connection id, so this is another one.
    store.conn_id = f"stranger_at_{store.name}"
    monkeypatch.setenv(f"AIRFLOW_CONN_{store.conn_id.upper()}", connection)
    with pytest.raises((PermissionError, RuntimeError), match="signature"):
        store.path("page.jpeg").write_bytes(PICTURE)
    assert store.objects() == {}


@pytest.mark.parametrize("kind", [servers.SeaweedFS, servers.Azurite, servers.FakeGCS])
def test_a_server_ends_with_all_it_started_also_when_a_test_fails(kind, tmp_path):
    server = kind(tmp_path)
    with suppress(ZeroDivisionError), server:
        family = [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children(recursive=True)]
        listening = {at.laddr.ip for process in family for at in process.net_connections() if at.status == "LISTEN"}
        raise ZeroDivisionError
    assert listening == {"127.0.0.1"}
    assert not left_of(family)


def test_a_server_does_not_outlive_tests_that_are_killed(tmp_path):
    code = (
        "import pathlib, sys; from servers import FakeGCS; "
        "server = FakeGCS(pathlib.Path(sys.argv[1])).__enter__(); print(server.process.pid, flush=True); "
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as tests:  # fmt: skip
        server = psutil.Process(int(tests.stdout.readline()))
        assert server.is_running()
        tests.kill()
    assert not left_of([server])


def test_a_server_that_cannot_start_says_why(tmp_path, monkeypatch):
    server = servers.Azurite(tmp_path)
    monkeypatch.setattr(servers, "AZURITE", tmp_path / "missing.js")
    with pytest.raises(AssertionError, match=r"Azurite ended:[\s\S]*missing\.js"), server:
        pass
