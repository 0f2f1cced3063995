"""Everything above the ridge: the gradient, sun or moon, stars, clouds, planets, a rainbow, and what falls."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image

from airflow_provider_talecraft.sandbox.art.pen import Colour, Pen, Point, darker, ink, lighter, mix, tint

if TYPE_CHECKING:
    from random import Random

    from airflow_provider_talecraft.sandbox.art.palettes import Palette


def gradient(colours: tuple[Colour, ...], size: tuple[int, int]) -> Image.Image:
    """*colours* from top to bottom, blended evenly."""
    # One pixel per stop, then the resampling blends: half a stop is cut off at each end, where it would be flat.
    stops = Image.new("RGB", (1, len(colours)))
    stops.putdata(colours)
    column = stops.resize((1, size[1]), Image.Resampling.BILINEAR, box=(0, 0.5, 1, len(colours) - 0.5))
    return column.resize(size, Image.Resampling.NEAREST)


@lru_cache(maxsize=1)
def _halo() -> Image.Image:
    """White in the middle, black at the rim, falling off as light does."""
    return Image.radial_gradient("L").point([round(255 * max(0.0, 1 - v / 181) ** 2.2) for v in range(256)])


def glow(picture: Image.Image, at: Point, radius: float, colour: Colour, strength: float) -> None:
    """Light around *at*, as far as *radius* px."""
    side = round(radius * 2)
    mask = _halo().point([round(v * strength) for v in range(256)]).resize((side, side), Image.Resampling.BILINEAR)
    tint(picture, colour, (round(at[0] - radius), round(at[1] - radius)), mask)


def backdrop(
    size: tuple[int, int], colours: tuple[Colour, ...], *, at: Point, radius: float, light: Colour, strength: float
) -> Image.Image:
    """The gradient with its glow, painted small: nothing in it is sharp, and a large glow is slow."""
    small = gradient(colours, (size[0] // 4, size[1] // 4))
    if strength:
        glow(small, (at[0] / 4, at[1] / 4), radius / 4, light, strength)
    # The second doubling need not be smooth: the finished picture is reduced by two.
    half = small.resize(((size[0] + 1) // 2, (size[1] + 1) // 2), Image.Resampling.BILINEAR)
    return half.resize(size, Image.Resampling.NEAREST)


def sun(picture: Image.Image, at: Point, radius: float, palette: Palette) -> None:
    """A disc in rings of paler and paler paper."""
    pen = Pen(picture, at, radius)
    for ring, opacity in ((1.75, 0.16), (1.36, 0.26)):
        pen.oval(0, 0, ring, ring, lighter(palette.light, 0.3), opacity=opacity)
    pen.oval(0, 0, 1, 1, palette.light)
    pen.oval(-0.12, 0.12, 0.8, 0.8, lighter(palette.light, 0.3), opacity=0.5)


def moon(picture: Image.Image, at: Point, radius: float, palette: Palette, *, full: bool) -> None:
    """Full and freckled, or a crescent."""
    pen = Pen(picture, at, radius)
    if full:
        for ring, opacity in ((1.5, 0.07), (1.24, 0.12)):
            pen.oval(0, 0, ring, ring, palette.light, opacity=opacity)
        pen.oval(0, 0, 1, 1, palette.light)
        shade = darker(palette.light, 0.13)
        for x, y, size in (
            (-0.36, 0.3, 0.2),
            (0.32, 0.44, 0.12),
            (0.16, -0.2, 0.26),
            (-0.3, -0.46, 0.13),
            (0.58, -0.06, 0.09),
        ):
            pen.oval(x, y, size, size * 0.92, shade)
        return
    outside = [(math.cos(a), math.sin(a)) for a in (math.radians(70 + step * 10) for step in range(29))]
    inside = [
        (0.4 + 0.82 * math.cos(a), 0.08 + 0.82 * math.sin(a))
        for a in (math.radians(91 + step * 9.1) for step in range(25))
    ]
    pen.shape(outside + inside[::-1], palette.light)


def stars(picture: Image.Image, dice: Random, palette: Palette, count: int, floor: float) -> None:
    """*count* stars above *floor* px, most of them dots, some with four points."""
    width = picture.width
    unit = math.sqrt(width * picture.height) / 1000
    pen = Pen(picture)
    for _ in range(count):
        x, y = dice.uniform(0, width), dice.random() ** 1.4 * floor
        tone = mix(ink("ffffff"), palette.light, dice.random())
        if dice.random() < 0.16:  # one in six
            size = dice.uniform(5, 11) * unit
            four = [(0.0, size), (size * 0.2, size * 0.2), (size, 0.0), (size * 0.2, -size * 0.2)]
            outline = [*four, *((-a, -b) for a, b in four)]
            pen.shape([(x + a, -y + b) for a, b in outline], tone, 0.95)
        else:
            size = dice.uniform(0.8, 2.2) * unit
            pen.oval(x, -y, size, size, tone, opacity=dice.uniform(0.45, 0.95))


def cloud(picture: Image.Image, dice: Random, at: Point, size: float, palette: Palette) -> None:
    """Cut from paper: a flat foot, round heads, a second sheet behind."""
    heads = [(-0.5, 0.13, 0.13), (-0.27, 0.2, 0.21), (0.05, 0.26, 0.27), (0.35, 0.17, 0.19), (0.55, 0.1, 0.1)]
    if dice.random() < 0.5:  # as often as not
        heads = [(-x, y, r) for x, y, r in heads]
    tone = palette.cloud
    pen = Pen(picture, at, size)
    for dx, dy, opacity, colour in (
        (0.1, 0.09, 0.4, tone),
        (0.012, -0.022, 0.14, darker(tone, 0.6)),
        (0.0, 0.0, 0.94, tone),
    ):
        pen.shape([(x + dx, y + dy) for x, y in _heaped(heads)], colour, opacity)


def _heaped(heads: list[tuple[float, float, float]]) -> list[Point]:
    """The outline of overlapping circles (x, y, radius), cut off at the ground."""
    left, right = min(x - r for x, _, r in heads), max(x + r for x, _, r in heads)
    upper: list[Point] = []
    lower: list[Point] = []
    for slot in range(97):
        x = left + (right - left) * slot / 96
        spans = [(y, math.sqrt(r * r - (x - cx) ** 2)) for cx, y, r in heads if abs(x - cx) <= r]
        if spans:
            upper.append((x, max(y + half for y, half in spans)))
            lower.append((x, max(0.0, min(y - half for y, half in spans))))
    return upper + lower[::-1]


def planet(picture: Image.Image, dice: Random, at: Point, radius: float) -> None:
    """Banded, and ringed as often as not."""
    tone = ink(dice.choice(["e58a6b", "7fb8c9", "d9a0c9", "e8b860"]))
    pen = Pen(picture, at, radius)
    glow(picture, at, radius * 2.4, tone, 0.3)
    pen.oval(0, 0, 1, 1, tone)
    for y, half, thick in ((0.45, 0.8, 0.16), (0.05, 0.93, 0.2), (-0.42, 0.82, 0.12)):
        pen.line([(-half, y - 0.06), (0, y - 0.14), (half, y)], thick, lighter(tone, 0.25))
    pen.blob(
        [(0.1, 0.98), (0.75, 0.62), (0.97, 0), (0.7, -0.7), (0, -0.99), (0.55, -0.4), (0.6, 0.3)],
        darker(tone, 0.5),
        0.3,
    )
    if dice.random() < 0.6:  # more often than not
        ring = [
            (1.75 * math.cos(a), 0.5 * math.sin(a) + 0.42 * math.cos(a))
            for a in (math.pi * (0.93 + step / 24 * 1.14) for step in range(25))
        ]
        pen.line(ring, 0.13, lighter(tone, 0.6))


def rainbow(picture: Image.Image, at: Point, radius: float) -> None:
    """Five soft bands."""
    pen = Pen(picture, at, radius)
    for band, code in enumerate(("f0786b", "f7b45a", "fbe38a", "8fce9f", "7fb3e0")):
        r = 1 - band * 0.065
        pen.line(
            [(r * math.cos(a), r * math.sin(a)) for a in (math.pi * step / 30 for step in range(31))],
            0.068,
            ink(code),
            opacity=0.62,
        )


def snowfall(picture: Image.Image, dice: Random) -> None:
    """Flakes over everything, a few of them near the eye."""
    unit = math.sqrt(picture.width * picture.height) / 1000
    pen = Pen(picture)
    for i in range(150):
        size = dice.uniform(1.2, 3.6) * unit if i % 12 else dice.uniform(5, 8) * unit
        x, y = dice.uniform(0, picture.width), dice.uniform(0, picture.height)
        pen.oval(x, -y, size, size, ink("ffffff"), opacity=dice.uniform(0.5, 0.92))


def rainfall(picture: Image.Image, dice: Random) -> None:
    """Slanting strokes, all at one angle."""
    unit = math.sqrt(picture.width * picture.height) / 1000
    pen = Pen(picture)
    for _ in range(130):
        x, y, size = dice.uniform(0, picture.width * 1.1), dice.uniform(0, picture.height), dice.uniform(14, 38) * unit
        pen.line(
            [(x, -y), (x - size * 0.28, -y - size)],
            1.5 * unit,
            ink("eef6f6"),
            end=2.6 * unit,
            opacity=dice.uniform(0.25, 0.6),
        )
