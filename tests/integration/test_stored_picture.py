"""Stored pictures through a real Airflow: shown to those who may read the Dag, and no way to anything else.

The attacker is ``author``: may read the Dag and edit its XComs over REST, but not read the Dag ``talecraft_secret``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import pytest
from deployment import Deployment
from packaging.version import Version
from patience import PATIENCE
from pictures import large_jpeg, picture
from servers import BUCKET

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(Version(version("apache-airflow")) < Version("3.1"), reason="the pages came with Airflow 3.1"),
]

HERE = Path(__file__).with_name("stored_picture")
PASSWORD = "a password of these tests"
DAG, SECRET = "talecraft_stored", "talecraft_secret"
NOT_FOUND = b'{"detail":"Not Found"}'
#: All that store, but for the one without a sidecar: (task, map index, entry).
STORED = [
    ("folder", -1, None), ("file", -1, None), ("s3", -1, None), ("mapped", 0, None), ("mapped", 1, None),
    ("batch", -1, 0), ("batch", -1, 1), ("manifest", -1, 0), ("manifest", -1, 1), ("stored", -1, None),
]  # fmt: skip


class Airflow(Deployment):
    """With logins, a run of both Dags, and the router."""

    def __init__(self, home, sandbox, shelf):
        passwords = home / "passwords.json"
        passwords.write_text(json.dumps(dict.fromkeys(("admin", "author", "stranger"), PASSWORD)))
        talecraft = {"conn_type": "talecraft", "host": sandbox.url, "password": sandbox.api_key}
        super().__init__(home, HERE / "dags", {
            "AIRFLOW_CONN_TALECRAFT_DEFAULT": json.dumps({**talecraft, "extra": {"requests_per_minute": 6000}}),
            "AIRFLOW__CORE__AUTH_MANAGER": "people.People",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(HERE / "plugins"),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,author:user,stranger:viewer",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(HERE.parent), os.environ.get("PYTHONPATH")))),
            "TALECRAFT_TEST_FOLDER": f"file://{home}/pictures",
        })  # fmt: skip
        self.shelf = shelf
        self.folder = home / "pictures"
        self.tokens = {}
        self.run_ids = {}

    def token_of(self, name):
        if name not in self.tokens:
            body = json.dumps({"username": name, "password": PASSWORD}).encode()
            request = Request(f"{self.url}/auth/token", body, {"Content-Type": "application/json"})
            with urlopen(request, timeout=PATIENCE) as answer:
                self.tokens[name] = json.load(answer)["access_token"]
        return self.tokens[name]

    def _token(self):
        return self.token_of("admin")

    def ask(self, route="picture", who="author", headers=(), query="", **parameters):
        """Ask as somebody; None is nobody. Returns status, headers and body."""
        token = {"Authorization": f"Bearer {self.token_of(who)}"} if who else {}
        parameters = {"dag_id": DAG, "run_id": self.run_ids[DAG], "task_id": "folder", **parameters}
        given = urlencode({name: value for name, value in parameters.items() if value is not None})
        url = f"{self.url}/talecraft-stored/{route}?{given}{query}"
        try:
            with urlopen(Request(url, headers={**token, **dict(headers)}), timeout=PATIENCE) as answer:
                return answer.status, answer.headers, answer.read()
        except HTTPError as error:
            return error.code, error.headers, error.read()

    @contextmanager
    def edited(self, task_id="folder", map_index=-1, **changes):
        """Change what a task returned, as a person may who can edit XComs; ``value`` replaces all of it."""
        before = self.xcom(DAG, self.run_ids[DAG], task_id, map_index=map_index)
        path = f"/dags/{DAG}/dagRuns/{quote(self.run_ids[DAG])}/taskInstances/{task_id}/xcomEntries/return_value"
        value = changes.get("value", {**before, **changes} if isinstance(before, dict) else None)

        def patch(value, token):
            request = Request(
                f"{self.url}/api/v2{path}",
                json.dumps({"value": value, "map_index": map_index}).encode(),
                {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
                method="PATCH",
            )
            with urlopen(request, timeout=PATIENCE):
                pass

        try:
            patch(value, self.token_of("author"))
            yield
        finally:
            patch(before, self.token)


@pytest.fixture(scope="module")
def airflow(tmp_path_factory, seaweedfs):
    from airflow_provider_talecraft.sandbox import Sandbox

    home = tmp_path_factory.mktemp("stored")
    with Sandbox(latency=0) as sandbox, Airflow(home, sandbox, seaweedfs) as airflow:
        # In the database: the api-server must find it there when it reads the picture.
        extra = json.dumps(seaweedfs.connection()["extra"])
        airflow.api("/connections", {"connection_id": "shelf", **seaweedfs.connection(), "extra": extra})
        airflow.run_ids = {dag_id: airflow.trigger(dag_id) for dag_id in (DAG, SECRET)}
        for dag_id, run_id in airflow.run_ids.items():
            assert airflow.wait(dag_id, run_id) == "success", airflow.logs(dag_id)[-5000:]
        airflow.output = airflow.xcom(DAG, airflow.run_ids[DAG], "folder")
        yield airflow


def facts_of(content):
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def hidden(answer):
    status, headers, body = answer
    return (status, body) == (404, NOT_FOUND) and headers["Cache-Control"] == "no-store"


@contextmanager
def planted(airflow, name, content, **sidecar):
    """Put a file and a sidecar that describes it into the folder, as somebody may who can write there."""
    place, beside = airflow.folder / "book" / name, airflow.folder / "book" / f"{name}.json"
    facts = facts_of(content)
    described = {
        "bytes": facts["size"], "sha256": facts["sha256"], "content_type": "image/jpeg", "width": 40, "height": 30,
        "source": "https://example.com/x", "dag_id": DAG, **sidecar,
    }  # fmt: skip
    place.write_bytes(content)
    beside.write_text(json.dumps(described))
    try:
        yield {"path": f"file://{place}", **facts}
    finally:
        place.unlink(missing_ok=True)
        beside.unlink()


# ---- what is shown


@pytest.mark.parametrize(("task_id", "map_index", "index"), STORED)
def test_a_stored_picture_is_shown_to_whoever_may_read_the_dag(airflow, task_id, map_index, index):
    status, headers, body = airflow.ask(task_id=task_id, map_index=map_index, index=index)
    assert status == 200, airflow.folder
    value = airflow.xcom(DAG, airflow.run_ids[DAG], task_id, map_index=map_index)
    if task_id == "manifest":
        value = [json.loads(line) for line in (airflow.folder / "manifest.jsonl").read_text().splitlines()]
    entry = value if index is None else value[index]
    assert hashlib.sha256(body).hexdigest() == entry["sha256"]
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["Content-Length"] == str(len(body))
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Content-Disposition"].startswith("inline; filename*=UTF-8''")
    assert headers["Content-Disposition"].endswith(".jpeg")
    assert headers["Cache-Control"].startswith("private")
    assert headers["ETag"] == f'"{entry["sha256"]}"'
    again = airflow.ask(task_id=task_id, map_index=map_index, index=index, headers={"If-None-Match": headers["ETag"]})
    assert (again[0], again[2]) == (304, b"")


def test_the_login_of_the_browser_is_enough(airflow):
    headers = {"Cookie": f"_token={airflow.token_of('author')}", "Accept-Encoding": "gzip, deflate, br"}
    status, headers, body = airflow.ask(who=None, headers=headers)
    assert (status, len(body)) == (200, airflow.output["size"])
    assert hashlib.sha256(body).hexdigest() == airflow.output["sha256"], "it was not compressed in vain"


def test_the_entries_of_a_manifest_are_returned(airflow):
    status, headers, body = airflow.ask("entries", task_id="manifest")
    assert status == 200
    assert [entry["prompt"] for entry in json.loads(body)["entries"]] == ["C", "D"]
    assert headers["X-Content-Type-Options"] == "nosniff"


# ---- who is not shown anything


@pytest.mark.parametrize("route", ["picture", "entries"])
def test_a_stranger_is_not_even_told_what_is_wrong(airflow, route):
    for parameters in ({}, {"dag_id": "no such Dag"}, {"dag_id": ""}, {"map_index": "x"}):
        assert airflow.ask(route, who=None, **parameters)[0] == 401
    assert airflow.ask(route, who=None, headers={"Cookie": "_token=nonsense"})[0] in {401, 403}
    assert airflow.ask(route, who=None, headers={"Authorization": "Bearer x.y.z"})[0] in {401, 403}


@pytest.mark.parametrize("route", ["picture", "entries"])
def test_whoever_may_not_read_the_dag_is_refused(airflow, route):
    assert airflow.ask(route, who="stranger", task_id="manifest")[0] == 403
    assert airflow.ask(route, who="stranger")[0] == 403
    assert airflow.ask(who="author", dag_id=SECRET, run_id=airflow.run_ids[SECRET])[0] == 403
    assert airflow.ask(who="stranger", dag_id=SECRET, run_id=airflow.run_ids[SECRET])[0] == 200


def test_the_dag_that_is_checked_is_the_dag_that_is_read(airflow):
    secret = {"run_id": airflow.run_ids[SECRET]}
    # Two values: whichever counts is checked.
    assert airflow.ask(**secret, query=f"&dag_id={SECRET}")[0] == 403
    assert hidden(airflow.ask(dag_id=SECRET, **secret, query=f"&dag_id={DAG}"))
    assert hidden(airflow.ask(dag_id="~"))
    assert hidden(airflow.ask(who="admin", dag_id="~"))
    assert airflow.ask(dag_id=None)[0] == 422
    assert airflow.ask(dag_id="")[0] == 422
    assert airflow.ask(dag_id=f"{DAG} ")[0] == 422, "MySQL would find it"
    # A run of a Dag that the attacker may not read, under the name of one that he may.
    assert hidden(airflow.ask(**secret))


# ---- an XCom that was edited


@pytest.fixture
def traps(airflow):
    """Real pictures, each with its own sidecar, in places that are none of the task's."""
    book, name = airflow.folder / "book", "cover.jpeg"
    for folder in (book / "deeper", airflow.folder / "elsewhere"):
        folder.mkdir(exist_ok=True)
        for file in (name, "cover.json"):
            shutil.copy(book / file, folder / file)
    link, beside = book / "link.jpeg", book / "link.json"
    link.unlink(missing_ok=True)
    link.symlink_to(airflow.folder / "elsewhere" / name)
    beside.write_text((book / "cover.json").read_text().replace('"cover.jpeg"', '"link.jpeg"'))
    return f"file://{airflow.folder}"


PLACES = [
    "file:///etc/passwd", "/etc/passwd", "{0}/single/cover.jpeg", "{0}/elsewhere/cover.jpeg",
    "{0}/book/deeper/cover.jpeg", "{0}/book/../elsewhere/cover.jpeg", "{0}/book/../book/cover.jpeg",
    "{0}/book/..%2felsewhere%2fcover.jpeg", "{0}/book/%2e%2e/elsewhere/cover.jpeg", "{0}/book/%63over.jpeg",
    "{0}/book/./cover.jpeg", "{0}/book//cover.jpeg", "{0}/book/cover.jpeg\x01", "{0}/book/cover.jpeg ",
    "{0}/book/", "{0}/book", "{0}/book/deeper", "{0}/book/cover.json", "{0}/book/cover.*", "{0}/book/link.jpeg",
    "{0}/book/no-such.jpeg", "s3://shelf@picture-books/talecraft_stored/cover.jpeg",
    "s3://picture-books/talecraft_stored/cover.jpeg", "http://127.0.0.1:9/cover.jpeg", "https://example.com/cover.jpeg",
    "memory://book/cover.jpeg", "simplecache::{0}/book/cover.jpeg", "zip://cover.jpeg::{0}/book/cover.zip", "",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_an_edited_path_leads_nowhere(airflow, traps, place):
    with airflow.edited(path=place.format(traps)):
        assert hidden(airflow.ask())
    assert airflow.ask()[0] == 200


@pytest.mark.parametrize(
    "place",
    ["s3://picture-books/talecraft_stored/cover.jpeg", "s3://other@picture-books/talecraft_stored/cover.jpeg",
     "s3://shelf@other-books/talecraft_stored/cover.jpeg", "s3://shelf@picture-books/elsewhere/cover.jpeg",
     "s3://shelf@picture-books/talecraft_stored/../elsewhere/cover.jpeg",
     "s3://shelf@picture-books/talecraft_stored/cover.jpeg?versionId=null",
     "s3://shelf@picture-books/talecraft_stored/", "s3://shelf@picture-books/talecraft_stored/cover.json"],
)  # fmt: skip
def test_so_it_is_in_a_bucket(airflow, place):
    client = airflow.shelf.client()
    for name in ("cover.jpeg", "cover.json"):
        source = {"Bucket": BUCKET, "Key": f"{DAG}/{name}"}
        client.copy_object(Bucket=BUCKET, Key=f"elsewhere/{name}", CopySource=source)
    with airflow.edited("s3", path=place):
        assert hidden(airflow.ask(task_id="s3"))
    assert airflow.ask(task_id="s3")[0] == 200


def test_the_picture_of_a_dag_that_one_may_not_read_is_not_shown_although_it_lies_in_the_same_folder(airflow):
    secret = airflow.xcom(SECRET, airflow.run_ids[SECRET], "folder")
    with airflow.edited(value=secret):
        assert hidden(airflow.ask(who="author"))
        assert airflow.ask(who="admin")[0] == 200, "who may read both may see it"


@pytest.mark.parametrize(
    "value",
    [
        None, "", "x", 7, 1.5, True, [], {}, [[]], [None], {"path": None}, "file:///etc/passwd", '{"path": "x"}',
        {"manifest_path": "file:///etc/passwd"},
    ],
    ids=str,
)  # fmt: skip
def test_an_xcom_of_another_shape_is_not_found(airflow, value):
    with airflow.edited(value=value):
        for index in (None, 0, 1, 2**31 - 1):
            assert hidden(airflow.ask(index=index))
        assert hidden(airflow.ask("entries"))


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 0}, {"size": -1}, {"size": 1}, {"size": 10**30}, {"size": True}, {"size": "7"}, {"size": 1e3},
        {"size": None},
        {"sha256": "0" * 64}, {"sha256": ""}, {"sha256": None}, {"sha256": ["x"]}, {"sha256": "A" * 64}, {"path": 7},
        {"path": ["x"]}, {"path": {"a": 1}}, {"path": "x" * 1_000_000},
    ],
    ids=lambda changes: str(changes)[:30],
)  # fmt: skip
def test_a_wrong_size_checksum_or_type_is_not_found(airflow, changes):
    with airflow.edited(**changes):
        assert hidden(airflow.ask())


def test_another_entry_or_map_index_is_that_one_or_nothing(airflow):
    assert hidden(airflow.ask(index=0)), "it has no entries"
    assert hidden(airflow.ask(task_id="batch")), "it has nothing else"
    for index in (2, 10**6, 2**31 - 1):
        assert hidden(airflow.ask(task_id="batch", index=index))
        assert hidden(airflow.ask(task_id="manifest", index=index))
        assert hidden(airflow.ask(task_id="mapped", map_index=index))
    assert hidden(airflow.ask(task_id="mapped", map_index=-1))


@pytest.mark.parametrize(
    "parameters",
    [
        {"index": -1}, {"index": 2**31}, {"index": 10**40}, {"index": "x"}, {"index": "1.5"}, {"index": "1e3"},
        {"index": ""},
        {"map_index": -2}, {"map_index": 2**31}, {"map_index": "9" * 5000}, {"map_index": "x"}, {"run_id": "x" * 251},
        {"task_id": "a\0b"}, {"dag_id": "a\0b"}, {"run_id": "\r\nX: y"}, {"task_id": None}, {"run_id": None},
        {"task_id": ""},
    ],
    ids=lambda parameters: str(parameters)[:30],
)  # fmt: skip
def test_absurd_parameters_are_refused(airflow, parameters):
    assert airflow.ask(**parameters)[0] in {404, 422}
    assert airflow.ask("entries", **{"task_id": "manifest", **parameters})[0] in {200, 404, 422}


def test_what_is_not_there_is_not_found(airflow):
    for parameters in (
        {"run_id": "no such run"},
        {"task_id": "no such task"},
        {"task_id": "generate"},
        {"task_id": "%"},
    ):
        assert hidden(airflow.ask(**parameters))
    assert hidden(airflow.ask(who="admin", dag_id="no such Dag"))


# ---- what lies in the store was changed


def test_a_picture_without_a_sidecar_is_not_shown(airflow):
    assert hidden(airflow.ask(task_id="no_sidecar"))


@contextmanager
def replaced(path, content):
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


def test_a_picture_that_was_replaced_is_not_shown(airflow):
    for content in (b"<!doctype html><script>alert(1)</script>", picture("PNG"), b""):
        with replaced(airflow.folder / "book" / "cover.jpeg", content):
            assert hidden(airflow.ask())
    assert airflow.ask()[0] == 200


def test_a_sidecar_that_describes_something_else_is_not_believed(airflow):
    receipt = airflow.folder / "book" / "cover.json"
    facts = json.loads(receipt.read_text())
    lies = (
        {"sha256": "0" * 64}, {"bytes": 7}, {"file": "secret.jpeg"}, {"state": "fetched"}, {"dag_id": SECRET},
        {"dag_id": ""},
        {"talecraft_receipt": 2}, {"talecraft_receipt": None}, {"dag_id": "~"},
    )  # fmt: skip
    for lie in lies:
        with replaced(receipt, json.dumps({**facts, **lie}).encode()):
            assert hidden(airflow.ask()), lie
    for content in (b"", b"[]", b"null", b"{", b"[" * 100_000, b"\xff", b'{"bytes": NaN}'):
        with replaced(receipt, content):
            assert hidden(airflow.ask()), content[:20]


@pytest.mark.parametrize(
    "content",
    [b"<!doctype html><script>alert(1)</script>", b"root:x:0:0:root:/root:/bin/bash\n", b"%PDF-1.7\n",
     b"GIF89a" + bytes(99),
     b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", picture()[:-2],
     picture() + b"<script>alert(1)</script>"],
    ids=lambda content: str(content[:12]),
)  # fmt: skip
def test_what_is_no_picture_is_not_shown_even_if_everything_describes_it(airflow, content):
    with planted(airflow, "page.jpeg", content) as facts, airflow.edited(**facts):
        assert hidden(airflow.ask())


def test_a_picture_that_is_a_page_too_is_a_picture_only(airflow):
    page = b"<html><script>alert(1)</script>".ljust(65533)
    with planted(airflow, "poly.jpeg", large_jpeg(200_000, filling=page)) as facts, airflow.edited(**facts):
        status, headers, body = airflow.ask()
    assert (status, headers["Content-Type"], b"<script>" in body) == (200, "image/jpeg", True)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_a_picture_of_another_name_is_called_by_what_it_is(airflow):
    content = picture("PNG")
    with planted(airflow, "Fuchs, 第1页.jpeg".replace(",", ""), content) as facts, airflow.edited(**facts):
        status, headers, body = airflow.ask()
    assert (status, body, headers["Content-Type"]) == (200, content, "image/png")
    assert headers["Content-Disposition"] == f"inline; filename*=UTF-8''{quote('Fuchs 第1页.png', safe='')}"


def test_a_picture_that_is_too_large_is_not_shown(airflow):
    limit = 50 * 1024 * 1024
    with planted(airflow, "large.jpeg", large_jpeg(limit + 1)) as facts, airflow.edited(**facts):
        assert hidden(airflow.ask())
    with planted(airflow, "large.jpeg", large_jpeg(limit)) as facts, airflow.edited(**facts):
        assert airflow.ask()[0] == 200


def test_a_pipe_and_a_folder_do_not_keep_it_waiting(airflow):
    with planted(airflow, "pipe.jpeg", picture()) as facts, airflow.edited(**facts):
        place = airflow.folder / "book" / "pipe.jpeg"
        place.unlink()
        os.mkfifo(place)
        assert hidden(airflow.ask())
        place.unlink()
        place.mkdir()
        assert hidden(airflow.ask())
        place.rmdir()


# ---- manifests


def test_a_manifest_elsewhere_is_not_read(airflow):
    other = airflow.folder / "other.jsonl"
    shutil.copy(airflow.folder / "manifest.jsonl", other)
    for place in (
        f"file://{other}",
        "file:///etc/passwd",
        f"file://{airflow.folder}/book/../manifest.jsonl",
        None,
        7,
        [],
    ):
        with airflow.edited("manifest", manifest_path=place):
            assert hidden(airflow.ask("entries", task_id="manifest")), place
            assert hidden(airflow.ask(task_id="manifest", index=0)), place
    with airflow.edited("folder", manifest_path=f"file://{other}"):
        assert hidden(airflow.ask("entries"))


def test_a_manifest_of_other_things_is_refused(airflow):
    manifest = airflow.folder / "manifest.jsonl"
    entry = json.loads(manifest.read_text().splitlines()[0])
    others = [
        b"root:x:0:0:root:/root:/bin/bash\n", b"{}\n", b"[]\n", b"\xff\n", b"[" * 100_000,
        b'{"index": NaN, "key": "x"}\n', json.dumps({**entry, "prompt": "\ud800"}).encode(),
        json.dumps({**entry, "password": "x"}).encode(), json.dumps({**entry, "index": 10**400}).encode(),
        json.dumps({**entry, "image_url": "javascript:alert(1)"}).encode(),
    ]  # fmt: skip
    for content in others:
        with replaced(manifest, content):
            assert hidden(airflow.ask("entries", task_id="manifest")), content[:40]
    with replaced(manifest, json.dumps({**entry, "path": "file:///etc/passwd"}).encode()):
        assert airflow.ask("entries", task_id="manifest")[0] == 200
        assert hidden(airflow.ask(task_id="manifest", index=0)), "its path is no better than an XCom's"
    real = manifest.rename(f"{manifest}.real")
    manifest.symlink_to(real)
    try:
        assert hidden(airflow.ask("entries", task_id="manifest"))
    finally:
        real.rename(manifest)


# ---- rendered fields


@contextmanager
def rendered(airflow, change, task_id="folder"):
    """Change the rendered fields behind Airflow's back, as Airflow itself may."""
    where = "WHERE dag_id = ? AND task_id = ?"
    with sqlite3.connect(airflow.home / "airflow.db", timeout=PATIENCE) as database:
        table = "rendered_task_instance_fields"
        (before,) = database.execute(f"SELECT rendered_fields FROM {table} {where}", (DAG, task_id)).fetchone()

        def write(fields):
            sql = f"UPDATE {table} SET rendered_fields = ? {where}"
            database.execute(sql, (json.dumps(fields), DAG, task_id))
            database.commit()

        try:
            write(change(json.loads(before)))
            yield
        finally:
            write(json.loads(before))
    database.close()


def test_without_the_whole_rendered_fields_nothing_is_shown(airflow):
    def cut_off(fields):
        return {**fields, "dst": f"Truncated. You can change this behaviour in [core]x. '{fields['dst'][:20]}...'"}

    def another(fields):
        return {**fields, "dst": f"{fields['dst']}deeper/"}

    for change in (cut_off, another, lambda _: {}, lambda _: [], lambda _: "x", lambda fields: {**fields, "dst": None}):
        with rendered(airflow, change):
            assert hidden(airflow.ask())
    assert airflow.ask()[0] == 200


# ---- and then


def test_what_was_asked_left_no_error_in_the_servers_log_and_no_key(airflow):
    log = (airflow.home / "api-server.log").read_text(errors="replace")
    assert "Nothing is shown for" in log
    assert airflow.shelf.secret not in log
    assert "Traceback" not in log
    assert '" 500' not in log
