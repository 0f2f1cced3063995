"""``make docs``: build the site into ``site/``, warnings are errors, and see that a page loads nothing from elsewhere.

mkdocs checks the links between pages and their anchors; what browsers fetch by themselves is checked here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).parents[2]
SITE = ROOT / "site"
#: Tags whose address a browser fetches without being asked. A link's is fetched unless it is one of these.
FETCHED = {**dict.fromkeys(("script", "img", "iframe", "source", "video", "audio"), "src"), "link": "href"}
NOT_FETCHED = {"next", "prev", "canonical", "alternate"}
#: What scripts/site/docstrings.py should have turned into Markdown.
REST = re.compile(r"``|:\w+:<code>|:param |====|::$", re.MULTILINE)
IN_CSS = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)")


class Page(HTMLParser):
    """Collects what a page loads from other hosts, and the code that would."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        url = of.get(FETCHED.get(tag, "")) or ""
        if re.match(r"(https?:)?//", url) and (of.get("rel") or "") not in NOT_FETCHED:
            self.foreign.append(url)
        if "mermaid" in (of.get("class") or "").split():
            self.foreign.append("a diagram, whose library comes from a CDN")


def main() -> None:
    started = time.monotonic()
    # Not with --quiet, which would hide warnings from --strict.
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--clean", "--strict", "--site-dir", str(SITE)],
        # The theme's word about its successor is no warning about our pages.
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\nThe site was not built: see above.")
    if rest := [path.name for path in sorted((SITE / "reference").glob("*.html")) if REST.search(path.read_text())]:
        sys.exit(f"Something of a docstring's reST stands there as it is: {', '.join(rest)}.")
    if foreign := [f"{path.relative_to(SITE)}: {url}" for path in sorted(SITE.rglob("*")) for url in loads(path)]:
        sys.exit("A page loads something from elsewhere:\n" + "\n".join(foreign))
    pages = len(list(SITE.rglob("*.html")))
    print(f"{pages} pages in {SITE.name}/, in {time.monotonic() - started:.1f} s.")


def loads(path: Path) -> list[str]:
    if path.suffix == ".css":
        return IN_CSS.findall(path.read_text())
    if path.suffix != ".html":
        return []
    page = Page()
    page.feed(path.read_text())
    return page.foreign


if __name__ == "__main__":
    main()
