"""Mutation testing: breaks the code in small ways, and sees whether a test fails each time. Writes docs/mutants.md.

``make mutants``; one room: ``make mutants ROOM=spending``; of each room one mutant in three: ``make mutants SAMPLE=3``.
What was tried already is not tried again, so a run that was stopped goes on where it was; ``rm -r .mutants`` starts
anew. mutmut does the work, in a copy of the project for each room. Here is which code it breaks, which tests are to see
it, and what is said about the survivors. Needs Python 3.11.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import json
import os
import platform
import random
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / ".mutants"
PAGE = ROOT / "docs" / "mutants.md"
#: Why a survivor is none of a test's business: by function, the mutated line and a reason.
REASONS = ROOT / "tests" / "mutants.toml"
PACKAGE = "airflow_provider_talecraft"

READ_BY_TESTS = ("docs", "example_dags")
#: What is broken, in the order of money, and by whose tests it is to be seen.
ROOMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "spending": ("spending/*.py", ("spending", "operators/test_illustration_operator.py")),
    "api": ("api/*.py", ("api", "hooks")),
    "policies": ("policies/*.py", ("policies", "operators/test_illustration.py")),
    "batch": ("batch/limiter.py", ("batch/test_limiter.py",)),
    # Without test_hostile_answers.py: it changes the defaults of a function, which mutmut has put another one before.
    "pictures": (
        "pictures/*.py",
        (
            "pictures",
            "--ignore=tests/unit/pictures/test_hostile_answers.py",
            "transfers/test_illustration_to_object_storage.py",
        ),
    ),
}
#: Too slow to run for each mutant: they measure, wait, or try many examples. `make test` runs them.
LEFT_OUT = (
    "hardly_more_memory", "whatever_is_edited", "any_answer_is", "drips", "waited_out", "is_waited_for",
)  # fmt: skip
#: Sentences are not broken: they are for people. That there is one is seen when it is taken away.
SENTENCES = [r"^\s*log\.", r"\braise \w+\(f?[\"']", r"^\s*f?\"[^\"]*\"[,)]*$"]
#: What mutmut does first.
GENERATE = "import mutmut.__main__ as m; m.copy_src_dir(); m.copy_also_copy_files(); m.create_mutants(1)"
#: Exit codes of pytest, and mutmut's own for "no tests". Others are the time limit's.
OUTCOMES = {1: "killed", 3: "killed", 0: "survived", 5: "survived", 33: "survived"}
PASSED_OVER = 34
INTERRUPTED = 2
NOT_TRIED = {None, PASSED_OVER, INTERRUPTED}
#: Of the mutants that were tried.
AIM = 0.9
SEED = 14


@dataclass(frozen=True)
class Mutant:
    """A change to one function, and what became of it: killed, survived, timed out, not tried."""

    room: str
    path: str
    function: str
    before: str
    after: str
    outcome: str


def main(room: str, sample: int) -> None:
    if room and room not in ROOMS:
        sys.exit(f"ROOM must be one of {', '.join(ROOMS)}.")
    for name in [room] if room else ROOMS:
        prepare(name)
        forget_what_other_tests_may_kill(name)
        run(name, sample)
    sys.exit(report())


def run(room: str, sample: int) -> None:
    folder = WORK / room
    # Plugins and a collection of garbage at the end of each run would take as long as the tests.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p no:unraisableexception"}
    subprocess.run([sys.executable, "-c", GENERATE], cwd=folder, check=True, env=environment, stdout=subprocess.DEVNULL)
    choose(room, sample)
    mutmut = [sys.executable, "-c", "import os; os.nice(19); import mutmut.__main__ as m; m.cli()"]
    # More than there are cores: what is broken often waits, until its time is over.
    children = str(8 * (os.cpu_count() or 1))
    subprocess.run([*mutmut, "run", "--max-children", children], cwd=folder, check=True, env=environment)


def choose(room: str, sample: int) -> None:
    """Have mutmut pass over those that are not in the sample, and were not tried."""
    known = {meta: json.loads(meta.read_text()) for meta in metas(room)}
    names = sorted(name for facts in known.values() for name in facts["exit_code_by_key"])
    # The same ones each time, so that a run can go on.
    chosen = set(random.Random(SEED).sample(names, len(names) // sample))  # noqa: S311  # no cipher's
    for meta, facts in known.items():
        codes = facts["exit_code_by_key"]
        left = {name: None if name in chosen else PASSED_OVER for name, code in codes.items() if code in NOT_TRIED}
        meta.write_text(json.dumps({**facts, "exit_code_by_key": {**codes, **left}}))


def prepare(room: str) -> None:
    """Copy what has changed of the project into the room's folder, and tell mutmut what to do there."""
    modules, tests = ROOMS[room]
    copy = WORK / room
    for folder in (PACKAGE, "tests", *READ_BY_TESTS):
        for path in (ROOT / folder).rglob("*"):
            relative = path.relative_to(ROOT)
            if path.is_file() and "__pycache__" not in relative.parts:
                content = path.read_bytes()
                put(copy / relative, undecorated(content) if relative.match(f"{PACKAGE}/{modules}") else content)
        for base in (copy, copy / "mutants"):
            for path in (base / folder).rglob("*.py"):
                if not (ROOT / path.relative_to(base)).exists():
                    path.unlink()
    slow = " or ".join(LEFT_OUT)
    settings = {
        "source_paths": [PACKAGE],
        "also_copy": list(READ_BY_TESTS),
        "only_mutate": [f"{PACKAGE}/{modules}"],
        "do_not_mutate_patterns": SENTENCES,
        "pytest_add_cli_args_test_selection": [
            test if test.startswith("-") else f"tests/unit/{test}" for test in tests
        ],
        "pytest_add_cli_args": [
            "-m",
            "not integration and not engine",
            "-k",
            f"not ({slow})",
            "-p",
            "no:cacheprovider",
        ],
        "timeout_constant": 8.0,
        "timeout_multiplier": 5.0,
        "on_dependency_change": "ignore",
        "use_git_change_detection": False,
    }
    lines = ["", "[tool.mutmut]", *(f"{name} = {json.dumps(value)}" for name, value in settings.items()), ""]
    put(copy / "pyproject.toml", (ROOT / "pyproject.toml").read_bytes() + "\n".join(lines).encode())


def put(path: Path, content: bytes) -> None:
    """Write what differs: mutmut goes by the time of a file."""
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def undecorated(source: bytes) -> bytes:
    """Return *source* with ``@contextmanager`` and ``@property`` written as assignments behind the function.

    mutmut breaks no decorated function, and among those are the ones that pay.
    """
    lines = source.decode().splitlines()
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for node in sorted(functions, key=lambda node: node.lineno, reverse=True):
        names = [ast.unparse(decorator) for decorator in node.decorator_list]
        if names in (["contextmanager"], ["property"]):
            lines.insert(node.end_lineno or 0, f"{' ' * node.col_offset}{node.name} = {names[0]}({node.name})")
            del lines[node.decorator_list[0].lineno - 1]
    return "\n".join([*lines, ""]).encode()


def metas(room: str) -> list[Path]:
    """Return mutmut's files of results."""
    return sorted((WORK / room / "mutants" / PACKAGE).rglob("*.meta"))


def forget_what_other_tests_may_kill(room: str) -> None:
    """Have what no test killed be tried again, if the tests are others now."""
    tests = sorted((WORK / room / "tests").rglob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in tests)).hexdigest()
    stamp = WORK / room / "tests.sha256"
    if stamp.exists() and stamp.read_text() != digest:
        # Which test runs which function; mutmut asks that of new tests alone, not of those that were changed.
        (WORK / room / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
        for meta in metas(room):
            facts = json.loads(meta.read_text())
            codes = facts["exit_code_by_key"]
            facts["exit_code_by_key"] = {
                name: code if OUTCOMES.get(code) == "killed" else None for name, code in codes.items()
            }
            meta.write_text(json.dumps(facts))
    stamp.write_text(digest)


def outcome_of(code: int | None) -> str:
    return "not tried" if code in NOT_TRIED else OUTCOMES.get(code or 0, "timed out")


def mutants(room: str) -> list[Mutant]:
    found = []
    for meta in metas(room):
        path = meta.with_suffix("")
        lines = path.read_text().splitlines()
        spans = path.with_suffix(".py.spans")
        places = json.loads(spans.read_text())["spans"] if spans.exists() else {}
        for full_name, code in json.loads(meta.read_text())["exit_code_by_key"].items():
            name = full_name.rpartition(".")[2]
            function = name.partition("__mutmut_")[0]
            original, changed = (
                [re.sub(r"\S+__mutmut_(orig|\d+)", "", line).strip() for line in lines[first - 1 : last]]
                for first, last in (places[f"{function}__mutmut_orig"], places[name])
            )
            before, after = (
                " ".join(line[2:] for line in difflib.ndiff(original, changed) if line.startswith(sign))
                for sign in "-+"
            )
            plain = function.removeprefix("x_").removeprefix("x\u01c1").replace("\u01c1", ".")
            module = str(path.relative_to(WORK / room / "mutants" / PACKAGE))
            found.append(Mutant(room, module, plain, before, after, outcome_of(code)))
    return found


def report() -> int:
    """Write the page; return 1 if too few were killed."""
    reasons = tomllib.loads(REASONS.read_text()) if REASONS.exists() else {}
    found = [mutant for room in ROOMS for mutant in mutants(room)]
    tried = [mutant for mutant in found if mutant.outcome != "not tried"]
    lines, unexplained = [], 0
    for survivor in sorted({mutant for mutant in tried if mutant.outcome == "survived"}, key=place):
        reason = reasons.get(place(survivor)[0], {}).get(survivor.after, "")
        unexplained += not reason
        lines += [
            f"`{place(survivor)[0]}`: {reason or 'no reason yet.'}\n",
            *("```diff", f"- {survivor.before}", f"+ {survivor.after}", "```", ""),
        ]
    killed = sum(mutant.outcome != "survived" for mutant in tried)
    PAGE.write_text(HEAD.format(
        date=datetime.now(timezone.utc).date(), mutmut=version("mutmut"), python=platform.python_version(),
        airflow=version("apache-airflow"), cores=os.cpu_count(), seed=SEED,
        table="\n".join(table(found)), survivors="\n".join(lines),
    ))  # fmt: skip
    print(f"{killed} of {len(tried)} killed, {unexplained} survivors without a reason: {PAGE.relative_to(ROOT)}")
    return int(killed < AIM * len(tried))


def place(mutant: Mutant) -> tuple[str, str]:
    return f"{mutant.path.removesuffix('.py').replace('/', '.')}.{mutant.function}", mutant.after


def table(found: list[Mutant]) -> Iterator[str]:
    yield "| room | mutants | tried | killed | of them by the time limit | survived | killed, % |"
    yield "|---|---|---|---|---|---|---|"
    for room in [*ROOMS, "all"]:
        count = Counter(mutant.outcome for mutant in found if room in {mutant.room, "all"})
        tried = count.total() - count["not tried"]
        killed = tried - count["survived"]
        share = f"{100 * killed / tried:.1f}" if tried else ""
        late, survived = count["timed out"], count["survived"]
        yield f"| {room} | {count.total()} | {tried} | {killed} | {late} | {survived} | {share} |"


HEAD = """# Mutants

`make mutants` breaks the code in small ways, one at a time, and runs the unit tests of that code: a test must fail. The
code is that which decides about money, errors and bytes: `spending/`, `api/`, `policies/`, `batch/limiter.py` and
`pictures/`. This page is written by the run.

{date}, mutmut {mutmut}, Python {python}, Apache Airflow {airflow}, {cores} cores. Where fewer were tried than there are
(`make mutants SAMPLE=3` tries one in three), they were chosen by chance, with seed {seed}; where a run was stopped,
those with the quickest tests came first. A mutant that runs into the time limit, which is several
times that of its tests, counts as killed.

{table}

Not broken: module constants and class attributes, what a message says (that there is one is), and a few decorated
functions. Not run: integration tests, and unit tests that take long (`LEFT_OUT` in `scripts/mutants.py`).

## Survivors

Reasons are kept in `tests/mutants.toml`.

{survivors}"""


if __name__ == "__main__":
    main(os.environ.get("ROOM", ""), int(os.environ.get("SAMPLE") or 1))
