"""Everything from the ridge down: hills, snow peaks, dunes, water, and what stands and grows on them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from airflow_provider_talecraft.sandbox.art import plants
from airflow_provider_talecraft.sandbox.art.pen import Colour, Pen, Point, darker, ink, lighter, mix
from airflow_provider_talecraft.sandbox.art.sky import gradient

if TYPE_CHECKING:
    from random import Random

    from airflow_provider_talecraft.sandbox.art.palettes import Palette

_STEPS = 72


class Ridge:
    """The upper edge of a layer of land: a height, in px from the top, for every x."""

    def __init__(self, width: int, base: float, swell: float, dice: Random, *, waves: float = 1.6) -> None:
        self.width = width
        self._base = base
        self._edge: list[Point] = []
        # Two long waves make a hill, a short one keeps it from looking ruled.
        self._waves = [
            (swell * share, math.tau * waves * pace / width, dice.uniform(0, math.tau))
            for share, pace in ((0.62, 0.5), (0.3, 1.1), (0.08, 2.7))
        ]

    def __call__(self, x: float) -> float:
        return self._base - sum(size * math.sin(pace * x + phase) for size, pace, phase in self._waves)

    def outline(self, lift: float = 0.0) -> list[Point]:
        """From the left edge to the right, *lift* px higher."""
        if not self._edge:
            self._edge = [(x, self(x)) for x in (self.width * step / _STEPS for step in range(_STEPS + 1))]
        return [(x, y - lift) for x, y in self._edge]


class Island(Ridge):
    """A dome *rise* px high that stands in the water at *level*, around *middle*, *reach* px to either side."""

    def __init__(self, *, level: float, rise: float, middle: float, reach: float) -> None:
        self._level, self._rise, self._middle, self._reach = level, rise, middle, reach

    def __call__(self, x: float) -> float:
        near = (x - self._middle) / self._reach
        return self._level - self._rise * math.pow(max(0.0, 1 - near * near), 0.7) * (1 + 0.12 * math.sin(near * 7))

    def outline(self, lift: float = 0.0) -> list[Point]:
        """From shore to shore."""
        xs = (self._middle + self._reach * (step / _STEPS * 2 - 1) for step in range(_STEPS + 1))
        return [(x, self(x) - lift) for x in xs]


def hill(picture: Image.Image, ridge: Ridge, top: Colour, bottom: Colour, *, until: float) -> None:
    """A sheet of paper cut along *ridge*: a soft shadow behind it, a bright edge, a gradient down to *until* px."""
    unit = math.sqrt(picture.width * picture.height) / 1000
    pen = Pen(picture)
    edge = ridge.outline()
    for step in range(5):
        lift = ridge.outline((2 + step * 3.2) * unit)
        pen.shape(_down(lift + edge[::-1]), (40, 24, 60), 0.045)
    highest = int(min(y for _, y in edge))
    size = (picture.width, min(picture.height, int(until)) - highest)
    mask = Image.new("1", size)  # not "L": a mask of ones and zeros is pasted through several times faster
    ImageDraw.Draw(mask).polygon(
        [*((x, y - highest) for x, y in edge), (edge[-1][0], size[1]), (edge[0][0], size[1])], fill=1
    )
    picture.paste(gradient((lighter(top, 0.08), top, bottom), size), (0, highest), mask)
    pen.shape(_down(edge + ridge.outline(-3.2 * unit)[::-1]), lighter(top, 0.5), 0.55)


def _down(points: list[Point]) -> list[Point]:
    """Pixels, whose y points down, as a pen at the origin takes them."""
    return [(x, -y) for x, y in points]


def peaks(picture: Image.Image, dice: Random, *, foot: float, tall: float, tone: Colour, count: int) -> None:
    """Mountains with snow on them, side by side, overlapping in any order."""
    width = picture.width
    for i in sorted(range(count), key=lambda _: dice.random()):
        x = width * (i + 0.5 + dice.uniform(-0.2, 0.2)) / count
        size = tall * dice.uniform(0.72, 1.0)
        half = size * dice.uniform(0.62, 0.8)
        pen = Pen(picture, (x, foot), 1)
        body = mix(tone, darker(tone, 0.3), dice.random())
        pen.shape([(-half, 0), (-half * 0.4, size * 0.62), (0, size), (half * 0.46, size * 0.56), (half, 0)], body)
        pen.shape(
            [
                (0, size),
                (half * 0.46, size * 0.56),
                (half, 0),
                (half * 0.12, 0),
                (half * 0.2, size * 0.4),
                (-half * 0.04, size * 0.62),
            ],
            darker(body, 0.16),
        )
        pen.shape(
            [
                (0, size),
                (half * 0.3, size * 0.71),
                (half * 0.16, size * 0.65),
                (half * 0.08, size * 0.72),
                (-half * 0.06, size * 0.62),
                (-half * 0.18, size * 0.73),
                (-half * 0.3, size * 0.7),
            ],
            ink("fbf7f2"),
        )
        pen.shape(
            [
                (0, size),
                (half * 0.3, size * 0.71),
                (half * 0.16, size * 0.65),
                (half * 0.08, size * 0.72),
                (0, size * 0.68),
            ],
            mix(ink("fbf7f2"), body, 0.35),
        )


def water(picture: Image.Image, dice: Random, palette: Palette, level: float, shine: float) -> None:
    """From *level* px down, with ripples, and a path of light below the sun at *shine* px."""
    width, height = picture.size
    unit = math.sqrt(width * height) / 1000
    shallow, deep = palette.water
    picture.paste(
        gradient((lighter(shallow, 0.15), shallow, deep, deep), (width, max(1, height - int(level)))), (0, int(level))
    )
    pen = Pen(picture)
    depth = height - level
    for row in range(26):
        share = (row / 26) ** 1.5
        y = level + 5 * unit + share * depth * 0.6
        half = (10 + 34 * share) * unit
        x = shine + dice.gauss(0, 16 + 50 * share) * unit
        pen.line([(x - half, -y), (x + half, -y)], (1.8 + 3 * share) * unit, palette.light, opacity=0.6 - 0.35 * share)
        x = dice.uniform(0, width)
        crest = [
            (x - half * 1.4, -y - 2 * unit),
            (x - half * 0.4, -y + share * 3 * unit),
            (x + half * 0.4, -y),
            (x + half * 1.4, -y - 2 * unit),
        ]
        pen.line(crest, (1.4 + 2.4 * share) * unit, lighter(shallow, 0.55), end=0.6 * unit, opacity=0.55)


def splash(picture: Image.Image, at: Point, half: float, palette: Palette) -> None:
    """The water closing around a boat or a whale whose foot is at *at*, in the colour it has there."""
    pen = Pen(picture, at, half)
    row = min(picture.height - 1, round(at[1] + half * 0.1))
    tone = picture.getpixel((round(min(max(0.0, at[0] - half * 1.7), picture.width - 1)), row))
    if isinstance(tone, tuple):
        pen.blob(
            [
                (-1.1, 0),
                (-0.7, 0.07),
                (-0.25, 0.02),
                (0.2, 0.07),
                (0.65, 0.02),
                (1.1, 0.0),
                (0.8, -0.2),
                (0, -0.24),
                (-0.8, -0.2),
            ],
            (tone[0], tone[1], tone[2]),
        )
    foam = lighter(palette.water[0], 0.65)
    for x, y, reach in ((-0.6, 0.03, 0.42), (0.5, 0.03, 0.44), (0.0, -0.1, 0.6)):
        pen.line([(x - reach, y), (x, y + 0.03), (x + reach, y - 0.01)], 0.03, foam, end=0.012, opacity=0.85)


def grove(
    picture: Image.Image,
    dice: Random,
    palette: Palette,
    ridge: Ridge,
    *,
    kind: str,
    size: float,
    count: int,
    tone: Colour,
) -> None:
    """*count* trees along *ridge*, *size* px high, bluer the more of *tone* the air holds."""
    spots = sorted(dice.uniform(-0.02, 1.02) * picture.width for _ in range(count))
    for x in spots:
        pen = Pen(picture, (x, ridge(x) + size * 0.06), size * dice.uniform(0.72, 1.15), veil=(tone, 0.28))
        leaf = dice.choice(palette.leaves)
        if kind == "fir":
            plants.fir(pen, dice, leaf)
        elif kind == "snowy fir":
            plants.fir(pen, dice, leaf, snow=True)
        elif kind == "cactus":
            plants.cactus(pen, dice, leaf)
        else:
            dice.choice((plants.round_tree, plants.round_tree, plants.poplar, plants.bush))(pen, dice, leaf)


def meadow(picture: Image.Image, dice: Random, palette: Palette, ridge: Ridge, *, tone: Colour, flowers: int) -> None:
    """Grass and small flowers strewn over the land below *ridge*."""
    width, height = picture.size
    unit = math.sqrt(width * height) / 1000
    spots = sorted((dice.random(), dice.random()) for _ in range(34 + flowers))
    for i, (share, across) in enumerate(spots):
        x = across * width
        y = ridge(x) + (0.06 + share * 0.94) * (height - ridge(x))
        size = (15 + 17 * share) * unit
        pen = Pen(picture, (x, y), size)
        if i % 3 and flowers:
            plants.bloom(pen, dice, dice.choice(palette.blooms), darker(tone, 0.3))
        else:
            plants.tuft(pen, dice, dice.choice((lighter(tone, 0.2), darker(tone, 0.16))))


def frame(picture: Image.Image, dice: Random, palette: Palette) -> None:
    """Dark leaves in both lower corners, through which the reader looks in."""
    width, height = picture.size
    size = math.sqrt(width * height) * 0.2
    for flip in (False, True):
        for step in range(4):
            across = (step * 0.055 - 0.015) * width + dice.uniform(-0.01, 0.01) * width
            x = width - across if flip else across
            pen = Pen(picture, (x, height + size * 0.06), size * (1.15 - step * 0.22), flip=flip)
            tone = mix(palette.front, palette.land[-1], step * 0.14)
            dice.choice((plants.frond, plants.frond, plants.tuft))(pen, dice, tone)
