"""Docstrings, which are reST, as the site's Markdown; and defaults by their values. Imports nothing of the package."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import griffe

DOCS = Path(__file__).parents[2] / "docs"
ROLE = re.compile(r":(?:class|meth|func|data|attr|exc):`([^`]+)`|``([A-Z]\w+)``")
RULE = re.compile(r"^=+( +=+)+$")
PACKAGE = "airflow_provider_talecraft"


class Docstrings(griffe.Extension):
    """Rewrites what mkdocstrings is about to show."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Have a docstring say in Markdown what it says in reST."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Put a constant's value where its name is a parameter's default, and the words where an alias is its type."""
        for function in functions(pkg):
            for parameter in function.parameters:
                parameter.default = value_of(parameter.default, pkg)
                alias = value_of(parameter.annotation, pkg)
                if str(alias).startswith("Literal["):
                    parameter.annotation = alias


def as_markdown(text: str) -> str:
    """Return reST as Markdown, as far as this package's docstrings go: roles, simple tables, names of pages."""
    text = ROLE.sub(named, text)
    text = re.sub(r"(?<![\w/])docs/(\w+)\.md", linked, text)
    return "\n".join(tables(text.splitlines()))


def named(match: re.Match[str]) -> str:
    """Return a name as code; with a link, where the reference has a heading for it."""
    name = (match.group(1) or match.group(2)).lstrip("~").rpartition(".")[2]
    anchor = name.casefold()
    return f"[`{name}`][{anchor}]" if anchor in headings() else f"`{name}`"


@cache
def headings() -> frozenset[str]:
    """Return the anchors of the reference's headings."""
    pages = (path.read_text() for path in (DOCS / "reference").glob("*.md"))
    return frozenset(name.casefold() for page in pages for name in re.findall(r"^## (\w+)$", page, re.MULTILINE))


def linked(match: re.Match[str]) -> str:
    """Return a link to a page of the site, by the anchor of its first heading."""
    title = (DOCS / f"{match.group(1)}.md").read_text().partition("\n")[0].removeprefix("# ")
    return f"[{title}][{re.sub(r'[^a-z0-9]+', '-', title.casefold()).strip('-')}]"


def tables(lines: list[str]) -> list[str]:
    """Return *lines* with each simple table, three rules of ``=``, as one of Markdown."""
    rules = [number for number, line in enumerate(lines) if RULE.match(line)]
    if not rules:
        return lines
    first, second, last = rules[:3]
    starts = [match.start() for match in re.finditer(r"=+", lines[first])]
    edges = [*zip(starts, [*starts[1:], None], strict=True)]
    rows = ["| " + " | ".join(line[a:b].strip() for a, b in edges) + " |" for line in lines[first + 1 : last]]
    rows[second - first - 1] = "|---" * len(starts) + "|"
    return [*lines[:first], *rows, *tables(lines[last + 1 :])]


def functions(module: griffe.Object) -> list[griffe.Function]:
    """Return all functions and methods of a package."""
    found: list[griffe.Function] = []
    for member in module.members.values():
        if isinstance(member, griffe.Function):
            found.append(member)
        elif isinstance(member, (griffe.Module, griffe.Class)):
            found += functions(member)
    return found


def value_of(name: Any, package: griffe.Module) -> Any:
    """Return the expression that *name* stands for, if it is this package's; else *name*, whatever it is."""
    path = name.canonical_path if isinstance(name, (griffe.ExprName, griffe.ExprAttribute)) else ""
    if not path.startswith(f"{PACKAGE}."):
        return name
    try:
        value = package[path.removeprefix(f"{PACKAGE}.")]
        value = value.final_target if isinstance(value, griffe.Alias) else value
    except (KeyError, griffe.AliasResolutionError):
        return name
    return getattr(value, "value", None) or name
