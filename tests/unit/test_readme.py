"""Every name and snippet in the README holds, and the Chinese one says the same."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE

from airflow_provider_talecraft.api.models import CREDITS
from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
CHINESE = (ROOT / "README.zh-CN.md").read_text()
BOTH = pytest.mark.parametrize("readme", [README, CHINESE], ids=["English", "Chinese"])


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_first_command_is_the_demo_and_the_second_the_tests():
    first, second = blocks("bash")[:2]
    assert (first, second) == ("make demo\n", "make test\n")


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z-]+)", README))))
def test_every_make_target_is_there(target):
    subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True, timeout=PATIENCE)


def test_the_connection_in_the_environment_is_one(monkeypatch):
    (line,) = [line for block in blocks("bash") for line in block.splitlines() if line.startswith("export ")]
    name, _, value = shlex.split(line)[1].partition("=")
    assert name == f"AIRFLOW_CONN_{TaleCraftHook.default_conn_name.upper()}"
    monkeypatch.setenv(name, value)
    assert TaleCraftHook().settings.api_key == "YOUR_API_KEY"


@BOTH
def test_the_money_is_said_in_six_lines_with_the_codes_price(readme):
    lines = re.findall(r"^- .*", readme, re.MULTILINE)
    assert len(lines) == 6
    assert f" {CREDITS} " in lines[0]


def test_the_sandbox_starts_by_the_command():
    (command,) = [line for block in blocks("bash") for line in block.splitlines() if line.startswith("python -m ")]
    done = subprocess.run(
        [sys.executable, *shlex.split(command)[1:], "--help"],
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert "--latency" in done.stdout


def links(readme):
    """Return what the images and links of a page lead to, in order."""
    return re.findall(r"\]\(([^)]+)\)", readme)


@pytest.mark.parametrize("path", sorted({link for link in links(README + CHINESE) if ":" not in link}))
def test_every_link_to_a_file_leads_to_one(path):
    file, _, anchor = path.partition("#")
    assert (ROOT / file).exists()
    if anchor:
        headings = re.findall(r"^#+ (.*)", (ROOT / file).read_text(), re.MULTILINE)
        assert anchor in [heading.lower().replace(" ", "-") for heading in headings]


def test_the_languages_lead_to_each_other():
    assert README.splitlines()[2] == "English · [简体中文](README.zh-CN.md)"
    assert CHINESE.splitlines()[2] == "[English](README.md) · 简体中文"


def outline(readme):
    """Return what both languages share: levels of headings, blocks with their place, code, tables, lists, links."""
    texts = re.split(r"```.*?```", readme, flags=re.DOTALL)
    return {
        "blocks": re.findall(r"```\w*\n.*?```", readme, re.DOTALL),
        "headings": [re.findall(r"^#+(?= )", text, re.MULTILINE) for text in texts],
        "tables": [[line.count("|") for line in text.splitlines() if line.startswith("|")] for text in texts],
        "items": [len(re.findall(r"^- ", text, re.MULTILINE)) for text in texts],
        "code": [sorted(re.findall(r"`([^`\n]+)`", text)) for text in texts],
        "links": [
            sorted(set(links(text)) - {"README.md", "README.zh-CN.md"}) + sorted(re.findall(r"<(http[^>]+)>", text))
            for text in texts
        ],
    }


@pytest.mark.parametrize("part", outline(README))
def test_the_chinese_readme_has_the_same(part):
    assert outline(CHINESE)[part] == outline(README)[part]


def test_the_rows_of_the_chinese_tables_are_about_the_same_code_and_links():
    def cells(readme):
        table = [line for line in readme.splitlines() if line.startswith("|")]
        return [(re.findall(r"`([^`]+)`", line), links(line)) for line in table]

    assert cells(CHINESE) == cells(README)


def test_the_chinese_readme_is_chinese_down_to_the_punctuation():
    prose = re.sub(r"```.*?```|`[^`\n]*`|\]\([^)]*\)|<http[^>]*>", "x", CHINESE, flags=re.DOTALL)
    assert len(re.findall(r"[\u4e00-\u9fff]", prose)) > 500
    assert not re.findall(r".?[\u4e00-\u9fff][,;:?!()].?|.?[,;:?!()][\u4e00-\u9fff].?", prose)


def test_a_chinese_paragraph_is_one_line_since_a_line_break_would_be_a_blank():
    prose = re.sub(r"```.*?```", "", CHINESE, flags=re.DOTALL)
    assert not re.findall(r"^[^\n|#-].*\n[^\n|#-].*", prose, re.MULTILINE)
