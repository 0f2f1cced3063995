"""Decides what a picture shows before anything is drawn: the hour, the cast, and who gets which part of the width."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from airflow_provider_talecraft.sandbox.art import palettes
from airflow_provider_talecraft.sandbox.art.figures import FIGURES, Figure, Place

if TYPE_CHECKING:
    from random import Random

    from airflow_provider_talecraft.sandbox.art.palettes import Palette
    from airflow_provider_talecraft.sandbox.art.words import Reading

# For a prompt that names nobody: little scenes that suit any story.
_ANYWAY = (
    ("house", "balloon"), ("girl", "kite"), ("boat", "bird"), ("tree", "bird"), ("rabbit", "butterfly"),
    ("windmill", "flower"), ("train", "balloon"), ("fox", "book"), ("lighthouse", "boat"), ("owl", "book"),
)  # fmt: skip
# The palette a figure looks best in, where the prompt names neither hour nor place.
_HOURS = {
    "lantern": "night", "owl": "night", "star": "night", "lighthouse": "sunset", "rocket": "space",
    "astronaut": "space", "snowman": "winter", "penguin": "winter", "umbrella": "rain",
}  # fmt: skip
# What has a palette of its own by night.
_AT_NIGHT = {"space": "space", "winter": "winter night", "rain": "rainy night", "desert": "desert night"}
_MOST: dict[Place, int] = {"ground": 3, "hill": 2, "water": 2, "sky": 3, "branch": 1}
_UNDER_THE_SKY = 0.5


@dataclass(frozen=True)
class Plan:
    """Who gets which part of the width, as shares of it, so that nobody covers what the prompt named.

    *afloat* is the scale of what swims.
    """

    lead: float
    light: float
    hills: tuple[float, float]
    flyers: tuple[float, float]
    water: tuple[float, float]
    afloat: float

    @staticmethod
    def of(cast: dict[Place, list[Figure]], *, leftward: bool) -> Plan:
        """The lead on the left, where *leftward*; else everything the other way round."""
        several, built = len(cast["ground"]) > 1, bool(cast["hill"])
        crowded = len(cast["sky"]) > 1 or bool(cast["branch"])
        flyers = (0.04, 0.96) if crowded else (0.04, 0.5) if built else (0.3, 0.7) if several else (0.46, 0.94)
        hills = (0.5, 0.8) if several else (0.7, 0.36)
        water, afloat = _moorings(len(cast["ground"]), len(cast["water"]), built=built)
        lead, light = 0.36, 0.86 if built else 0.2
        if leftward:
            return Plan(lead, light, hills, flyers, water, afloat)
        hills, water = (1 - hills[0], 1 - hills[1]), (1 - water[0], 1 - water[1])
        return Plan(1 - lead, 1 - light, hills, (1 - flyers[1], 1 - flyers[0]), water, afloat)


def _moorings(crowd: int, swimmers: int, *, built: bool) -> tuple[tuple[float, float], float]:
    """Where the first and the second that swim are free to be seen, and how much smaller they are drawn for it."""
    if crowd > 1:
        return ((0.14, 0.9) if built else (0.5, 0.9)), 0.6
    if crowd == 1:
        if built:
            return (0.92, 0.1), 0.6
        return ((0.7, 0.3), 0.8) if swimmers == 1 else ((0.6, 0.84), 0.6)
    if built:
        return (0.26, 0.5), 0.8
    return ((0.5, 0.5) if swimmers == 1 else (0.7, 0.28)), 1.0


@dataclass(frozen=True)
class Stage:
    """One picture in the making, and what its painters share."""

    picture: Image.Image
    dice: Random
    palette: Palette
    moods: frozenset[str]
    mood: str
    cast: dict[Place, list[Figure]]
    plan: Plan
    mountains: bool

    @property
    def edge(self) -> float:
        """The mean edge in px, by which everything is measured, so that every ratio gets figures of one size."""
        return math.sqrt(self.picture.width * self.picture.height)

    @property
    def by_the_sea(self) -> bool:
        return bool(self.cast["water"]) or FIGURES["lighthouse"] in self.cast["hill"] or "sea" in self.moods

    def sized(self, figure: Figure) -> float:
        """Its height in px, in a low wide picture no more than fits under the sky."""
        return min(figure.size * self.edge, self.picture.height * _UNDER_THE_SKY)

    @staticmethod
    def of(reading: Reading, dice: Random, size: tuple[int, int]) -> Stage:
        """An empty picture of *size* px, and everything decided."""
        mountains = "mountain" in reading.subjects
        names = [name for name in reading.subjects if name in FIGURES]
        if not names and not mountains:
            names = list(dice.choice(_ANYWAY))
        cast = _cast(names)
        mood = _mood(reading.moods, names)
        plan = Plan.of(cast, leftward=dice.random() < 0.5)
        palette = palettes.choose(mood, dice)
        return Stage(Image.new("RGB", size), dice, palette, reading.moods, mood, cast, plan, mountains)


def _cast(names: list[str]) -> dict[Place, list[Figure]]:
    """The figures by place, in the order of the prompt; nowhere more than there is room for."""
    cast: dict[Place, list[Figure]] = {spot: [] for spot in _MOST}
    for name in names:
        figure = FIGURES[name]
        row = cast[figure.place]
        row.extend([figure] * min(figure.herd, _MOST[figure.place] - len(row)))
    return cast


def _mood(moods: frozenset[str], names: list[str]) -> str:
    """The name of the palette: place and weather first, then the hour, then what suits the cast."""
    dark = bool(moods & {"night", "moon", "star"}) and not moods & {"dawn", "sunset"}
    for weather, at_night in _AT_NIGHT.items():
        if weather in moods:
            return at_night if dark else weather
    if dark:
        return "night"
    for name in ("sunset", "dawn", "autumn", "forest"):
        if name in moods:
            return name
    if "sea" in moods:
        return "day"
    return next((_HOURS[name] for name in names if name in _HOURS), "day")
