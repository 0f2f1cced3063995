"""Every figure by name: who paints it, where it belongs, how large it is. Sets one into a picture, with its shadow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from PIL import Image, ImageChops, ImageFilter

from airflow_provider_talecraft.sandbox.art import beasts, buildings, creatures, mammals, people, plants, things
from airflow_provider_talecraft.sandbox.art.pen import Pen, Point, tint
from airflow_provider_talecraft.sandbox.art.sky import glow

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from airflow_provider_talecraft.sandbox.art.palettes import Palette

Place = Literal["ground", "hill", "water", "sky", "branch"]


@dataclass(frozen=True)
class Figure:
    """*size* is its height as a share of the picture's mean edge, *width* its breadth in heights.

    It comes *herd* times, and what *shines* is as bright by night as by day.
    """

    paint: Callable[[Pen, Random], None]
    place: Place
    size: float
    width: float
    herd: int = 1
    shines: bool = False


FIGURES: dict[str, Figure] = {
    **{name: Figure(mammals.sitting(name), "ground", 0.37, 0.72) for name in mammals.SPECIES},
    **{name: Figure(people.dressed(name), "ground", 0.37, 0.66) for name in people.COSTUMES},
    "mouse": Figure(mammals.sitting("mouse"), "ground", 0.29, 0.76),
    "elephant": Figure(beasts.elephant, "ground", 0.42, 1.5),
    "penguin": Figure(creatures.penguin, "ground", 0.34, 0.8),
    "turtle": Figure(creatures.turtle, "ground", 0.25, 1.5),
    "dragon": Figure(beasts.dragon, "ground", 0.46, 1.3),
    "knight": Figure(people.knight, "ground", 0.38, 0.8),
    "astronaut": Figure(people.astronaut, "ground", 0.38, 0.8),
    "robot": Figure(people.robot, "ground", 0.37, 0.8),
    "snowman": Figure(people.snowman, "ground", 0.4, 0.9),
    "tree": Figure(plants.tree, "ground", 0.52, 0.95),
    "flower": Figure(plants.flowers, "ground", 0.28, 0.85),
    "mushroom": Figure(plants.mushroom, "ground", 0.25, 0.95),
    "book": Figure(things.book, "ground", 0.26, 1.35, shines=True),
    "umbrella": Figure(things.umbrella, "ground", 0.3, 0.95),
    "train": Figure(things.train, "ground", 0.29, 1.9),
    "house": Figure(buildings.house, "hill", 0.33, 1.1),
    "castle": Figure(buildings.castle, "hill", 0.4, 1.1),
    "windmill": Figure(buildings.windmill, "hill", 0.38, 0.9),
    "lighthouse": Figure(buildings.lighthouse, "hill", 0.42, 0.7, shines=True),
    "boat": Figure(things.boat, "water", 0.33, 1.15),
    "whale": Figure(creatures.whale, "water", 0.3, 1.7),
    "fish": Figure(creatures.fish, "water", 0.2, 1.35),
    "balloon": Figure(things.balloon, "sky", 0.34, 0.8),
    "rocket": Figure(things.rocket, "sky", 0.34, 0.62),
    "kite": Figure(things.kite, "sky", 0.25, 0.75),
    "lantern": Figure(things.lantern, "sky", 0.2, 0.75, herd=3, shines=True),
    "star": Figure(things.star, "sky", 0.14, 1.0, shines=True),
    "bird": Figure(creatures.bird, "sky", 0.18, 1.4),
    "butterfly": Figure(creatures.butterfly, "sky", 0.15, 1.2),
    "owl": Figure(creatures.owl, "branch", 0.26, 0.8),
}

# How far a figure may reach, in heights: beyond its width on either side, above and below its foot.
_BESIDE, _ABOVE, _BELOW = 0.4, 1.4, 0.42
_BRANCH = 1.25


def place(
    picture: Image.Image, dice: Random, figure: Figure, *, at: Point, size: float, palette: Palette, flip: bool
) -> None:
    """Paint *figure* standing at *at*, *size* px high, cut from paper: shadow behind, light from the upper left."""
    reach = (_BRANCH if figure.place == "branch" else figure.width / 2 + _BESIDE) * size
    left, top = max(0, round(at[0] - reach)), max(0, round(at[1] - _ABOVE * size))
    right = min(picture.width, round(at[0] + reach))
    bottom = min(picture.height, round(at[1] + _BELOW * size))
    if right <= left or bottom <= top:
        return
    if figure.place in {"ground", "hill"}:
        for grow in (1.0, 0.75, 0.5):
            half = figure.width * size * 0.5 * grow
            Pen(picture, at).oval(0, 0, half, half * 0.16, (38, 28, 60), opacity=0.13)
    if figure.shines:
        glow(picture, (at[0], at[1] - size * 0.6), size * 1.1, (255, 222, 138), 0.75)
    window = picture.crop((left, top, right, bottom))
    stencil = Image.new("L", window.size)
    figure.paint(
        Pen(
            window,
            (at[0] - left, at[1] - top),
            size,
            flip=flip,
            veil=((0, 0, 0), 0.0) if figure.shines else palette.veil,
            stencil=stencil,
        ),
        dice,
    )
    box = stencil.getbbox()
    if box is not None:
        _cut_out(window, stencil, box)
    picture.paste(window, (left, top))


@lru_cache(maxsize=1)
def _slope() -> Image.Image:
    """Dark towards the lower right, where the light does not come from."""
    return Image.linear_gradient("L").rotate(30).point([round(v * 0.14) for v in range(256)])


def _enlarged(soft: Image.Image, size: tuple[int, int]) -> Image.Image:
    """*soft* at *size*. The last doubling need not be smooth: the finished picture is reduced by two."""
    half = soft.resize(((size[0] + 1) // 2, (size[1] + 1) // 2), Image.Resampling.BILINEAR)
    return half.resize(size, Image.Resampling.NEAREST)


def _cut_out(window: Image.Image, stencil: Image.Image, box: tuple[int, int, int, int]) -> None:
    """Shadow outside the stencil, shading and a bright edge inside it."""
    unit = max(2, round(math.sqrt(window.width * window.height) / 360))
    pad = unit * 6
    left, top = max(0, box[0] - pad), max(0, box[1] - pad)
    shape = stencil.crop((left, top, min(window.width, box[2] + pad), min(window.height, box[3] + pad)))
    # Blurred small: a shadow has no detail to lose.
    blurred = shape.reduce(8).filter(ImageFilter.GaussianBlur(unit * 0.34)).point([round(v * 0.3) for v in range(256)])
    shadow = ImageChops.offset(_enlarged(blurred, shape.size), unit * 2, unit * 2)
    tint(window, (48, 24, 64), (left, top), Image.composite(_enlarged(_slope(), shape.size), shadow, shape))
    edge = ImageChops.subtract(shape, ImageChops.offset(shape, unit, unit)).point([round(v * 0.34) for v in range(256)])
    tint(window, (255, 246, 224), (left, top), edge)
