"""Draws a stage from back to front. What is on it was decided in stage.py; how it looks, in sky, land and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_talecraft.sandbox.art import land, sky
from airflow_provider_talecraft.sandbox.art.figures import Figure, place
from airflow_provider_talecraft.sandbox.art.pen import Point, darker, lighter, mix
from airflow_provider_talecraft.sandbox.art.stage import Stage

if TYPE_CHECKING:
    from random import Random

    from PIL import Image

    from airflow_provider_talecraft.sandbox.art.words import Reading

_MIDDLE = 0.52  # beyond it a figure looks to the left
_FAR = 0.7  # what is drawn smaller than this floats farther out
_TALL = 0.4  # as a figure's size: a tree, a dragon


def compose(reading: Reading, dice: Random, size: tuple[int, int]) -> Image.Image:
    """The whole scene, *size* px large, from the sky to the leaves in front."""
    stage = Stage.of(reading, dice, size)
    _sky(stage)
    _distance(stage)
    _hills(stage)
    _swimmers(stage)
    _flyers(stage)
    _foreground(stage)
    if "winter" in stage.mood:
        sky.snowfall(stage.picture, dice)
    elif "rain" in stage.mood:
        sky.rainfall(stage.picture, dice)
    return stage.picture


def _sky(stage: Stage) -> None:
    picture, dice, palette = stage.picture, stage.dice, stage.palette
    width, height = picture.size
    space = stage.mood == "space"
    low = stage.mood in {"sunset", "dawn"}
    large = palette.night and "moon" in stage.moods
    radius = stage.edge * (0.1 if large else 0.07 if palette.night else 0.085 if low else 0.065)
    across = stage.plan.light + dice.uniform(-0.03, 0.03)
    at = (width * across, height * (0.47 if low else dice.uniform(0.17, 0.22)))
    halo = mix(palette.light, palette.sky[-1], 0.25) if palette.night else lighter(palette.light, 0.2)
    strength = 0.0 if space or stage.mood == "rain" else 0.7
    picture.paste(
        sky.backdrop(
            (width, round(height * 0.7)), palette.sky, at=at, radius=radius * 5.5, light=halo, strength=strength
        ),
        (0, 0),
    )
    if palette.stars:
        sky.stars(picture, dice, palette, palette.stars + 60 * ("star" in stage.moods), height * 0.55)
    if space:
        sky.planet(picture, dice, (width * (1 - across), height * 0.15), stage.edge * dice.uniform(0.05, 0.075))
        sky.planet(picture, dice, at, stage.edge * dice.uniform(0.03, 0.045))
    elif palette.night:
        sky.moon(picture, at, radius, palette, full=large or dice.random() < 0.4)  # a crescent, more often
    elif stage.mood != "rain":
        sky.sun(picture, at, radius, palette)
    if "rainbow" in stage.moods:
        sky.rainbow(picture, (width * 0.5, height * 0.72), min(width * 0.48, height * 0.6))
    if not space:
        for i in range(5 if "rain" in stage.mood else 3):
            spot = (width * ((i + dice.uniform(0.1, 0.9)) / 3 % 1.1), height * dice.uniform(0.1, 0.44))
            sky.cloud(picture, dice, spot, stage.edge * dice.uniform(0.13, 0.24), palette)


def _distance(stage: Stage) -> None:
    picture, dice, palette = stage.picture, stage.dice, stage.palette
    width, height = picture.size
    far = mix(palette.land[0], palette.sky[-1], 0.35)
    if stage.mountains:
        stone, tall = mix(palette.land[1], palette.sky[0], 0.3), min(height * 0.4, stage.edge * 0.46)
        land.peaks(picture, dice, foot=height * 0.66, tall=tall, tone=stone, count=3)
    elif stage.mood in {"winter", "winter night", "dawn"} and not stage.by_the_sea:
        stone = mix(far, palette.sky[0], 0.4)
        land.peaks(picture, dice, foot=height * 0.64, tall=stage.edge * 0.24, tone=stone, count=5)
    swell = stage.edge * 0.05
    if stage.by_the_sea:
        land.hill(
            picture, land.Ridge(width, height * 0.595, swell * 0.55, dice), far, palette.land[0], until=height * 0.7
        )
        lit = 0.25 if stage.palette.night else 0.5
        land.water(picture, dice, palette, height * 0.615, width * dice.uniform(lit - 0.1, lit + 0.25))
        return
    ridge = land.Ridge(width, height * 0.585, swell, dice)
    land.hill(picture, ridge, far, palette.land[0], until=height * 0.84)
    if _trees(stage):
        land.grove(picture, dice, palette, ridge, kind=_trees(stage), size=stage.edge * 0.07, count=14, tone=far)


def _trees(stage: Stage) -> str:
    if stage.mood == "space":
        return ""
    if "winter" in stage.mood:
        return "snowy fir"
    if "desert" in stage.mood:
        return "cactus"
    return "fir" if "forest" in stage.moods and stage.dice.random() < 0.5 else "leafy"


def _hills(stage: Stage) -> None:
    """The second hill with the buildings on it; by the sea, an island for them."""
    picture, dice, palette = stage.picture, stage.dice, stage.palette
    width, height = picture.size
    buildings = stage.cast["hill"]
    if stage.by_the_sea and not buildings:
        return
    ridge, until = land.Ridge(width, height * 0.695, stage.edge * 0.045, dice), height * 0.92
    if stage.by_the_sea:
        until = height * 0.715
        shore = min(stage.edge * 0.3, width * 0.34)
        ridge = land.Island(level=until, rise=stage.edge * 0.055, middle=width * stage.plan.hills[0], reach=shore)
    land.hill(picture, ridge, palette.land[1], palette.land[2], until=until)
    kind = _trees(stage)
    if kind and not stage.by_the_sea:
        count = 14 if "forest" in stage.moods else 7
        land.grove(picture, dice, palette, ridge, kind=kind, size=stage.edge * 0.15, count=count, tone=palette.land[1])
    room = width * (0.42 if len(buildings) > 1 else 0.62)
    for figure, across in zip(buildings, stage.plan.hills, strict=False):
        size = min(stage.sized(figure), room / figure.width)
        x = width * across
        place(picture, dice, figure, at=(x, ridge(x) + size * 0.05), size=size, palette=palette, flip=False)


def _swimmers(stage: Stage) -> None:
    width, height = stage.picture.size
    row = stage.cast["water"]
    shrink = stage.plan.afloat
    room = width * (0.48 if len(row) > 1 or stage.cast["ground"] else 0.72)
    for i, (figure, across) in enumerate(zip(row, stage.plan.water, strict=False)):
        size = min(stage.sized(figure) * shrink, room / figure.width)
        x, y = width * across, height * (0.7 if shrink < _FAR else 0.775 + 0.03 * i)
        place(stage.picture, stage.dice, figure, at=(x, y), size=size, palette=stage.palette, flip=across > _MIDDLE)
        land.splash(stage.picture, (x, y + size * 0.02), size * figure.width * 0.45, stage.palette)


def _flyers(stage: Stage) -> None:
    """What flies, side by side, and what sits on a branch that comes in from the edge."""
    width, height = stage.picture.size
    dice, row = stage.dice, stage.cast["sky"]
    left, right = stage.plan.flyers
    for i, figure in enumerate(row):
        slot = (right - left) / len(row)
        across = left + slot * (i + 0.5)
        size = min(stage.sized(figure), width * slot * 0.95 / figure.width, height * 0.4) * dice.uniform(0.9, 1.0)
        middle = height * (0.2 if i % 2 else 0.29) + dice.uniform(-0.02, 0.02) * height
        at = (width * across, max(middle + size * 0.5, size * 1.12))
        place(stage.picture, dice, figure, at=at, size=size, palette=stage.palette, flip=across > _MIDDLE)
    for figure in stage.cast["branch"]:
        size = stage.sized(figure)
        across = 0.2 if stage.plan.lead > _MIDDLE else 0.8
        at = (width * across, height * 0.12 + size)
        place(stage.picture, dice, figure, at=at, size=size, palette=stage.palette, flip=across > _MIDDLE)


def _foreground(stage: Stage) -> None:
    picture, dice, palette = stage.picture, stage.dice, stage.palette
    width, height = picture.size
    row = stage.cast["ground"]
    base = height * (0.8 if row or not stage.by_the_sea else 0.92)
    ridge = land.Ridge(width, base, stage.edge * 0.026, dice)
    tone = palette.land[-1]
    land.hill(picture, ridge, mix(palette.land[-2], tone, 0.45), darker(tone, 0.12), until=height)
    barren = stage.mood in {"space", "desert", "desert night", "winter", "winter night"}
    land.meadow(picture, dice, palette, ridge, tone=tone, flowers=0 if barren else 26)
    # The tall stand behind, so that nobody hides behind a tree.
    for figure, x, size in sorted(_row(row, stage), key=lambda spot: -spot[0].size):
        foot: Point = (x, ridge(x) + height * 0.05 + stage.edge * (0.03 if figure.size < _TALL else 0.0))
        place(picture, dice, figure, at=foot, size=size, palette=palette, flip=x > width * _MIDDLE)
    if stage.mood != "space":
        land.frame(picture, dice, palette)


def _row(row: list[Figure], stage: Stage) -> list[tuple[Figure, float, float]]:
    """Who stands at which x, how large: side by side, shrunk together when the picture is narrow."""
    width = stage.picture.width
    sizes = [stage.sized(figure) for figure in row]
    needed = sum(size * figure.width for size, figure in zip(sizes, row, strict=True))
    shrink = min(1.0, width * (0.86 if len(row) > 1 else 0.8) / needed) if needed else 1.0
    lonely = len(row) == 1 and needed * shrink < width * 0.6
    gap = (width - needed * shrink) / (len(row) + 1)
    spots, x = [], gap
    for figure, size in zip(row, sizes, strict=True):
        breadth = figure.width * size * shrink
        spots.append((figure, x + breadth / 2, size * shrink))
        x += breadth + gap
    if lonely:
        figure, _, size = spots[0]
        return [(figure, width * stage.plan.lead, size)]
    return spots
