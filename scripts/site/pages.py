"""What mkdocs is told beside ``mkdocs.yml``: pages made from files outside ``docs/``, and links between the two.

The pages are read on the site and in the repository. In the repository a link to ``../example_dags/x.py`` leads to the
file; here it leads to a page with its code, or, where there is none, becomes plain text.
"""

from __future__ import annotations

import ast
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "example_dags").glob("*.py"))
#: Files of the repository that are pages of the site, and where.
PAGES = {
    "README.md": "readme.md",
    "README.zh-CN.md": "readme.zh-CN.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "example_dags": "examples.md#",
    **{f"example_dags/{path.name}": f"examples.md#{path.stem.replace('_', '-')}" for path in EXAMPLES},
}
SOURCES = {page: source for source, page in PAGES.items() if "#" not in page}
#: Read in the repository alone.
REPOSITORY_ONLY = re.compile(r"<!-- repository -->.*?<!-- /repository -->\n*", re.DOTALL)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    files.append(File.generated(config, "examples.md", content=examples()))
    for page, source in SOURCES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text()))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Have links that leave ``docs/`` lead to pages of the site."""
    uri = page.file.src_uri
    source = SOURCES.get(uri, f"docs/{uri}")

    def on_site(match: re.Match[str]) -> str:
        mark, text, path, anchor = (part or "" for part in match.groups())
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if target.startswith("docs/"):
            there = target.removeprefix("docs/")
        elif target in PAGES:
            there, _, made = PAGES[target].partition("#")
            anchor = anchor or (f"#{made}" if made else "")
        elif (ROOT / target).exists():
            return text
        else:
            return match.group()  # the build says that it leads nowhere
        return f"{mark}[{text}]({posixpath.relpath(there, posixpath.dirname(uri) or '.')}{anchor})"

    return LINK.sub(on_site, REPOSITORY_ONLY.sub("", markdown))


def examples() -> str:
    """Return a page with every example Dag: what it says of itself, and its code."""
    parts = ["# Examples\n\nEach of them runs in the tests, over the sandbox. They are in `example_dags/`."]
    for path in EXAMPLES:
        text = path.read_text()
        about = ast.get_docstring(ast.parse(text)) or ""
        code = text[text.index('"""', 3) + 3 :].lstrip()
        heading = path.stem.replace("_", "-")
        parts.append(f"## {path.stem} {{ #{heading} }}\n\n{about}\n\n```python\n{code}```")
    return "\n\n".join(parts) + "\n"
