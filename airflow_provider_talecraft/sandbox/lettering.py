"""The caption: which of a prompt's characters can be lettered, where its lines break, and the drawing of them.

A prompt is somebody else's data. What the bundled font has no glyph for is left out; nothing is ever drawn as a box.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

_FONT = Path(__file__).with_name("fonts") / "PicturebookKai.ttf"

# No caption shows more than this; normalising 100 kB of combining characters would take seconds.
_READ = 600

_NO_START = frozenset("，。、；：！？）》」』】〕〉”’…—～·％,.;:!?)]}%")
_NO_END = frozenset("（《「『【〔〈“‘([{")
_ELLIPSIS = "…"
_INK = (76, 53, 50)
_LEADING = 1.42


@dataclass(frozen=True)
class Caption:
    """Lines that fit, and the size in px they were measured at."""

    lines: tuple[str, ...]
    size: int

    @property
    def height(self) -> int:
        return round(len(self.lines) * self.size * _LEADING)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    # The basic layout is in every build of Pillow; with Raqm the same prompt would not be the same picture everywhere.
    return ImageFont.truetype(str(_FONT), size, layout_engine=ImageFont.Layout.BASIC)


def _drawn(text: str) -> tuple[tuple[int, int], bytes]:
    mask = _font(24).getmask(text)
    return mask.size, bytes(mask)


@lru_cache(maxsize=1)
def _box() -> tuple[tuple[int, int], bytes]:
    return _drawn("\uffff")  # never a character, so always the font's .notdef


@lru_cache(maxsize=1 << 14)
def covered(character: str) -> bool:
    """Whether the font has something of its own to draw for *character*."""
    if unicodedata.category(character) in {"Cs", "Cc", "Cf", "Co", "Cn", "Mn", "Me", "Zl", "Zp"}:
        return False
    size, ink = drawn = _drawn(character)
    return any(ink) and all(size) and drawn != _box()


def legible(prompt: str) -> str:
    """What of *prompt* can be lettered, on one line; empty when no letter or digit is left."""
    text = unicodedata.normalize("NFC", prompt[:_READ])
    kept = "".join(each if each.isspace() or covered(each) else "" for each in text)
    line = " ".join(kept.split())
    if len(prompt) > _READ and line:
        line += _ELLIPSIS
    return line if any(each.isalnum() for each in line) else ""


def _breaks(before: str, after: str) -> bool:
    if after in _NO_START or before in _NO_END:
        return False
    return before == " " or _wide(before) or _wide(after)


def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in {"W", "F"}


def _pieces(text: str, width: float, font: ImageFont.FreeTypeFont) -> list[tuple[str, float]]:
    """*text* cut wherever a line may break, each piece with its length; a word wider than a line is cut up."""
    pieces: list[str] = []
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or _breaks(text[end - 1], text[end]):
            pieces.append(text[start:end])
            start = end
    measured = []
    for piece in pieces:
        length = font.getlength(piece.rstrip())
        if length <= width:
            measured.append((piece, font.getlength(piece)))
        else:
            measured.extend((each, font.getlength(each)) for each in piece)
    return measured


def _filled(pieces: Sequence[tuple[str, float]], width: float) -> list[str]:
    lines: list[str] = []
    line, used = "", 0.0
    for piece, length in pieces:
        blank = length - length * len(piece.rstrip()) / len(piece) if piece.endswith(" ") else 0.0
        if line and used + length - blank > width:
            lines.append(line.rstrip())
            line, used = "", 0.0
        line += piece
        used += length
    return [*lines, line.rstrip()] if line.strip() else lines


def fit(prompt: str, *, width: int, size: int) -> Caption | None:
    """The caption of *prompt* within *width* px: two lines of *size* px, else smaller ones, else three and an ellipsis.

    None when nothing can be lettered.
    """
    text = legible(prompt)
    if not text:
        return None
    small = max(12, round(size * 0.84))
    for attempt, most in ((size, 2), (small, 2), (small, 3)):
        pieces = _pieces(text, width, _font(attempt))
        lines = _filled(pieces, width)
        if len(lines) <= most:
            return Caption(tuple(_balanced(pieces, width, len(lines))), attempt)
    kept = lines[:3]
    kept[-1] = _shortened(kept[-1], width, _font(small))
    return Caption(tuple(kept), small)


def _balanced(pieces: Sequence[tuple[str, float]], width: float, count: int) -> list[str]:
    """As many lines, as even as they can be: one lonely word below a full line looks like a mistake."""
    narrow, wide = width / 2, float(width)
    while wide - narrow > 1:
        middle = (narrow + wide) / 2
        if len(_filled(pieces, middle)) <= count:
            wide = middle
        else:
            narrow = middle
    return _filled(pieces, wide)


def _shortened(line: str, width: float, font: ImageFont.FreeTypeFont) -> str:
    while line and font.getlength(line + _ELLIPSIS) > width:
        line = line[:-1]
    line = line.rstrip(" ,.;:，。、；：…")
    # The font's ellipsis floats at mid-height, as it should in Chinese only.
    return line + ("..." if line.isascii() else _ELLIPSIS)


def draw(page: Image.Image, caption: Caption, *, top: int) -> None:
    """Letter *caption* centred on *page*, its first line's space beginning at *top* px."""
    brush = ImageDraw.Draw(page)
    font = _font(caption.size)
    for number, line in enumerate(caption.lines):
        y = top + (number + 0.5) * caption.size * _LEADING
        brush.text((page.width / 2, y), line, font=font, fill=_INK, anchor="mm")
