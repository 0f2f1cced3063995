"""``airflow talecraft check`` and ``generate`` as a person and a script run them, and what that cost by the ledger."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest
from drawing import prompts_of, receipt, requests_of
from packaging.version import Version
from patience import HELD, PATIENCE, until
from person import Person

pytestmark = pytest.mark.integration

DOCS = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
HERE = ["-m", "airflow_provider_talecraft.cli"]
#: Providers' commands came with Airflow 3.2.
HAS_COMMANDS = Version(version("apache-airflow")) >= Version("3.2")
COMMAND = [
    sys.executable,
    *(["-m", "airflow", "talecraft"] if HAS_COMMANDS else HERE),
]
KEY = "tc-key-that-nobody-may-see"


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    # A real terminal; what pytest or CI set about one is not.
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.fixture
def process(tmp_path):
    """Run a command without a terminal, as a script does; return its exit code, stdout and stderr."""

    def run(*arguments):
        done = subprocess.run(
            [*COMMAND, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=PATIENCE, cwd=tmp_path,
        )  # fmt: skip
        assert KEY not in done.stdout + done.stderr
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def talecraft(tmp_path, monkeypatch):
    """As ``process``, but in this one, which has imported Airflow already: starting one takes seconds."""

    def run(*arguments):
        from airflow_provider_talecraft.cli.__main__ import main

        kept = {number: os.dup(number) for number in (1, 2)}
        handler, logger = signal.getsignal(signal.SIGTERM), logging.getLogger("airflow_provider_talecraft")
        level = logger.level
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err, monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            patch.setenv("_AIRFLOW_PROCESS_CONTEXT", "")  # the command sets it; it is taken back
            patch.setattr("sys.stdin", Path(os.devnull).open())  # noqa: SIM115  # it holds nothing
            patch.setattr("sys.stderr", err)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            try:
                code = main(arguments)
            finally:
                for number, old in kept.items():
                    os.dup2(old, number)
                    os.close(old)
                signal.signal(signal.SIGTERM, handler)
                logger.setLevel(level)
            out.seek(0)
            err.seek(0)
            printed, said = out.read(), err.read()
        assert KEY not in printed + said
        return code, printed, said

    return run


@pytest.fixture
def person(tmp_path):
    """Start a command on a terminal."""

    def start(*arguments):
        return Person([*COMMAND, *arguments], cwd=tmp_path)

    return start


def document(printed):
    """Return the JSON document that *printed* is, and nothing besides."""
    return json.loads(printed)


# check


def test_a_good_key_is_said_in_a_sentence_and_costs_nothing(process, connected):
    code, printed, _ = process("check")
    assert code == 0
    assert "talecraft_default" in printed
    assert f"{connected.url} accepts the API key. Nothing was charged." in printed
    assert prompts_of(connected) == []


@pytest.mark.parametrize(
    "wrong",
    [
        ({"password": KEY}, "TaleCraftAuthenticationError", "Invalid API key"),
        ({"host": "http://127.0.0.1:9", "password": KEY}, "TaleCraftUnavailableError", "Could not connect"),
        ({"password": ""}, "TaleCraftAuthenticationError", "There is no API key"),
        ({"host": "http://example.org", "password": KEY}, "TaleCraftInvalidRequestError", "plain http"),
        (None, "UnusableConnectionError", "There is no connection 'talecraft_default': nothing was sent.\nMake it"),
    ],
    ids=["wrong key", "nobody listens", "no key", "plain http", "no connection"],
)
def test_what_is_wrong_is_said_as_json_and_by_the_exit_code(talecraft, connect, sandbox, wrong):
    fields, error, said = wrong
    if fields is not None:
        connect(**{"host": sandbox.url, **fields})
    code, printed, _ = talecraft("check", "--output", "json")
    facts = document(printed)
    assert (code, facts["ok"], facts["error"], facts["connection"]) == (1, False, error, "talecraft_default")
    assert said in facts["message"]


def test_a_connection_of_the_database_is_found(process, sandbox):
    from airflow.models import Connection as Row
    from airflow.utils.session import create_session

    fields = {"conn_type": "talecraft", "host": sandbox.url, "password": sandbox.api_key}
    with create_session() as session:
        session.add(Row(conn_id="of_the_database", **fields))  # noqa: AIR311  # the row in the database
    try:
        assert process("check", "--conn-id", "of_the_database")[0] == 0
    finally:
        with create_session() as session:
            session.query(Row).filter_by(conn_id="of_the_database").delete()  # noqa: AIR311  # as above


# Asking


def test_without_a_terminal_and_without_yes_nothing_is_sent(process, connected):
    code, printed, said = process("generate", "A fox")
    assert (code, printed) == (2, "")
    assert "it costs 2 credits, and there is no terminal to ask on. Add --yes." in said
    assert requests_of(connected) == 0


def test_a_person_is_told_the_cost_and_sees_that_something_is_awaited(person, connected):
    connected.fault(delay_before_charge=HELD)
    with person("generate", "A fox \x1b[31m", "--aspect-ratio", "16:9") as someone:
        someone.sees("This costs 2 credits. Go on? [y/N]")
        assert "A fox \\x1b[31m" in someone.screen
        assert requests_of(connected) == 0
        someone.types("y\n")
        someone.sees(re.compile("[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏].* 0:00:0[1-9]"))
        connected.release()
        code, printed = someone.leaves()
    assert code == 0
    assert re.search(rf"^url +{connected.url}/\S+\.jpeg$", printed, re.MULTILINE)
    assert re.search("^cost +2 credits$", printed, re.MULTILINE)
    assert "\x1b" not in printed
    assert prompts_of(connected) == ["A fox \x1b[31m"]


@pytest.mark.parametrize(("answer", "said"), [("\n", "Not confirmed"), ("\x03", "Interrupted")])
def test_anything_but_yes_sends_nothing(person, connected, answer, said):
    with person("generate", "A fox") as someone:
        someone.sees("[y/N]")
        someone.types(answer)
        code, _ = someone.leaves()
    assert code == 1
    assert said in someone.text
    assert requests_of(connected) == 0


@pytest.mark.parametrize(
    "arguments", [["A fox", "--aspect-ratio", "1:9"], ["  "], ["A fox", "--save", "s3:///\n"]], ids=str
)
def test_wrong_usage_is_said_before_anything_is_asked_or_sent(talecraft, connected, arguments):
    code, printed, _ = talecraft("generate", *arguments, "--yes", "--output", "json")
    assert code in {1, 2}
    assert document(printed)["exit_code"] == code
    assert document(printed)["credits"] == 0
    assert requests_of(connected) == 0


# Saving


def test_a_saved_picture_is_found_by_the_same_command_and_costs_nothing(talecraft, connected, tmp_path):
    for credits_ in (2, 0):
        code, printed, _ = talecraft("generate", "A fox", "--yes", "--save", "new/fox.jpeg", "--output", "json")
        facts = document(printed)
        assert (code, facts["credits"], facts["drawn"]) == (0, credits_, bool(credits_))
    assert (tmp_path / "new" / "fox.jpeg").read_bytes().startswith(b"\xff\xd8\xff")
    assert facts["path"] == f"file://{tmp_path}/new/fox.jpeg"
    assert receipt(tmp_path / "new" / "fox.jpeg.json")["credits"] == 2
    assert prompts_of(connected) == ["A fox"]


@pytest.mark.parametrize("store", ["s3"], indirect=True)  # the others are tested with the operators
def test_a_picture_goes_to_a_store_by_its_uri(store, process, connected):
    uri = store.uri("") if not store.conn_id else store.uri("").replace("://", f"://{store.conn_id}@", 1)
    code, _, said = process("generate", "A fox", "--yes", "--save", uri, "--output", "json")
    assert code == 0, said
    assert any(name.endswith(".jpeg") for name in store.objects())


@pytest.mark.parametrize("place", ["theirs.txt/fox.jpeg", "theirs.txt/", "ftp://nowhere/fox.jpeg"])
def test_a_place_that_cannot_be_written_is_found_before_paying(talecraft, connected, tmp_path, place):
    (tmp_path / "theirs.txt").write_text("a file, not a folder")
    code, printed, _ = talecraft("generate", "A fox", "--yes", "--save", place, "--output", "json")
    assert (code, document(printed)["credits"]) == (1, 0)
    assert requests_of(connected) == 0


def test_nothing_is_overwritten_without_a_question(talecraft, person, connected, tmp_path):
    place = tmp_path / "fox.jpeg"
    place.write_text("somebody else's")
    assert talecraft("generate", "A fox", "--yes", "--save", "fox.jpeg")[0] == 2
    with person("generate", "A fox", "--yes", "--save", "fox.jpeg") as someone:
        someone.sees(f"{place} stands there already, and is replaced.")
        someone.types("n\n")
        assert someone.leaves()[0] == 1
    assert place.read_text() == "somebody else's"
    assert requests_of(connected) == 0
    assert talecraft("generate", "A fox", "--yes", "--save", "fox.jpeg", "--overwrite")[0] == 0
    assert place.read_bytes().startswith(b"\xff\xd8\xff")
    # Another prompt at the same place is a question, too.
    assert talecraft("generate", "An owl", "--yes", "--save", "fox.jpeg")[0] == 2
    assert prompts_of(connected) == ["A fox"]


# What may have been charged


def test_ctrl_c_says_what_may_have_been_charged_and_so_does_the_next_command(person, connected, tmp_path):
    connected.fault(delay_after_charge=HELD)
    with person("generate", "A fox", "--save", "fox.jpeg", "--output", "json") as someone:
        someone.sees("[y/N]")
        someone.types("y\n")
        until(lambda: prompts_of(connected))
        someone.types("\x03")
        code, printed = someone.leaves()
    facts = document(printed)
    assert (code, facts["exit_code"], facts["credits"], facts["credits_unknown"]) == (3, 3, 0, 2)
    assert "Up to 2 credits may have been charged: compare your balance." in someone.text
    assert len(prompts_of(connected)) == 1, "it was charged indeed"
    assert receipt(tmp_path / "fox.jpeg.json")["state"] == "asked"
    with person("generate", "A fox", "--save", "fox.jpeg") as someone:
        someone.sees("1 earlier request(s) for it had no answer. Up to 2 credits may have been charged")
        someone.sees("[y/N]")
        someone.types("y\n")
        assert someone.leaves()[0] == 0
    assert (tmp_path / "fox.jpeg").exists()


def test_a_scripts_timeout_is_told_as_ctrl_c_is(connected, tmp_path):
    connected.fault(delay_after_charge=HELD)
    command = [*COMMAND, "generate", "A fox", "--yes", "--output", "json"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: prompts_of(connected))
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, document(printed)["credits_unknown"]) == (3, 2)


def test_a_lost_answer_is_sent_again_once_and_then_not_without_a_person(talecraft, connected):
    connected.fault(drop="after_charge", times=2)
    for unknown in (2, 4, 4):
        code, printed, said = talecraft("generate", "A fox", "--yes", "--save", "fox.jpeg", "--output", "json")
        assert (code, document(printed)["credits_unknown"]) == (3, unknown)
    assert "fox.jpeg.json and run this again" in said
    assert len(prompts_of(connected)) == requests_of(connected) == 2


def test_a_refusal_costs_nothing_and_is_said_without_what_moves_a_terminal(talecraft, connected):
    connected.fault(message="insufficient credits \x1b[2J\x07\u202e")
    code, printed, said = talecraft("generate", "A fox", "--yes", "--save", "fox.jpeg", "--output", "json")
    facts = document(printed)
    assert (code, facts["error"]) == (1, "TaleCraftInsufficientCreditsError")
    assert (facts["credits"], facts["credits_unknown"]) == (0, 0)
    assert "run this again" in said
    assert "(connection 'talecraft_default')" in said
    assert not {"\x1b", "\x07", "\u202e"} & set(said + printed + facts["message"].replace("\n", ""))


def test_a_paid_picture_that_cannot_be_fetched_is_not_paid_for_again(talecraft, connected):
    data = {"id": "elsewhere", "status": "success", "image_url": f"{connected.url}/uploads/none.jpeg"}
    connected.fault(body=json.dumps({"code": 0, "message": "success", "data": data}), charge=True)
    # The second one has nothing to ask: it costs nothing.
    for yes, credits_ in (["--yes"], 2), ([], 0):
        code, printed, said = talecraft("generate", "A fox", *yes, "--save", "fox.jpeg", "--output", "json")
        facts = document(printed)
        assert (code, facts["error"], facts["credits"]) == (4, "TaleCraftDownloadError", credits_)
        assert "The same command again saves it, and pays nothing." in said
    assert requests_of(connected) == 1


def test_a_reader_that_has_gone_away_does_no_harm(connected, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    command = [*COMMAND, "generate", "A fox", "--yes"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, timeout=PATIENCE, check=False, cwd=tmp_path)
    os.close(writer)
    assert (done.returncode, prompts_of(connected)) == (0, ["A fox"])


# Both ways to call it


@pytest.mark.skipif(not HAS_COMMANDS, reason="providers have commands since Airflow 3.2")
def test_airflow_offers_the_sandbox_as_a_command():
    command = [sys.executable, "-m", "airflow", "talecraft", "sandbox", "--port", "70000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 2
    assert "talecraft sandbox" in done.stderr
    assert "'70000' is not a port" in done.stderr


@pytest.mark.parametrize("command", ["check", "generate", "receipts", "sandbox"])
def test_every_command_is_there_without_airflows_own_command_too(command):
    done = subprocess.run(
        [sys.executable, *HERE, command, "--help"], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert "usage:" in done.stdout


def test_the_page_names_every_option_and_exit_code_and_no_other():
    from airflow_provider_talecraft.cli import check, exits, generate

    options = {flag for command in (check, generate) for flags, _ in command.OPTIONS for flag in flags}
    rows = set(re.findall(r"^\| `(--[\w-]+|PROMPT)", DOCS, re.MULTILINE))
    assert rows == {option if option.startswith("--") else option.upper() for option in options}
    codes = set(re.findall(r"^\| (\d) \|", DOCS, re.MULTILINE))
    assert codes == {str(code) for name, code in vars(exits).items() if isinstance(code, int)}


def test_the_commands_are_light_to_import():
    code = (
        "import sys; import airflow_provider_talecraft.cli.commands;"
        "print([n for n in sys.modules if n.split('.')[0] in {'airflow', 'requests', 'rich', 'tenacity', 'uvicorn'}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.strip() == "[]"
