"""What stands on a hill and has a door: a house, a castle, a lighthouse, a windmill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_talecraft.sandbox.art.pen import Colour, Pen, darker, ink, lighter, mix

if TYPE_CHECKING:
    from random import Random

_GLOW = ink("ffdf8a")
_WALL = ink("fbeed6")
_WOOD = ink("7a4a38")


def _window(pen: Pen, x: float, y: float, size: float, frame: Colour = _WOOD) -> None:
    """Lit, with a round top."""
    half = pen.at(x, y, size)
    half.both([(0, 1.25), (0.5, 1.08), (0.6, 0.5), (0.6, -0.1), (0, -0.12)], frame)
    half.both([(0, 1.08), (0.36, 0.94), (0.44, 0.5), (0.43, 0.04), (0, 0.03)], _GLOW)
    half.line([(0, 1.08), (0, 0.03)], 0.11, frame)
    half.line([(-0.44, 0.5), (0.44, 0.5)], 0.11, frame)


def _door(pen: Pen, x: float, width: float, height: float, colour: Colour) -> None:
    door = pen.at(x, 0)
    door.both(
        [(0, height), (width * 0.4, height * 0.92), (width * 0.52, height * 0.6), (width * 0.5, 0), (0, 0)], colour
    )
    door.oval(width * 0.28, height * 0.42, 0.014, 0.014, ink("f4bd45"))


def house(pen: Pen, dice: Random) -> None:
    roof = ink(dice.choice(["c9503f", "3f7f86", "8a5a9c", "d98a3a"]))
    for puff, (x, y, size) in enumerate([(0.31, 0.99, 0.045), (0.36, 1.1, 0.06), (0.45, 1.21, 0.075)]):
        pen.oval(x, y, size, size * 0.8, _WALL, opacity=0.75 - puff * 0.15)
    pen.shape([(0.22, 0.55), (0.34, 0.55), (0.34, 0.92), (0.22, 0.92)], ink("a86a58"))
    pen.shape([(0.2, 0.9), (0.36, 0.9), (0.36, 0.95), (0.2, 0.95)], ink("8f5548"))
    pen.shape([(-0.4, 0), (0.4, 0), (0.38, 0.55), (0, 0.9), (-0.38, 0.55)], _WALL)
    pen.shape([(0.1, 0), (0.4, 0), (0.38, 0.55), (0.1, 0.8)], darker(_WALL, 0.08))
    for x, y in ((-0.3, 0.1), (-0.34, 0.4), (0.3, 0.08), (0.12, 0.62)):
        pen.line([(x, y), (x + 0.055, y)], 0.022, darker(_WALL, 0.16))
    pen.shape([(0, 1.0), (0.54, 0.5), (0.46, 0.43), (0, 0.82), (-0.46, 0.43), (-0.54, 0.5)], roof)
    pen.shape([(0, 0.87), (0.49, 0.455), (0.46, 0.43), (0, 0.82), (-0.46, 0.43), (-0.49, 0.455)], darker(roof, 0.25))
    pen.oval(0, 0.64, 0.075, 0.075, _WOOD)
    pen.oval(0, 0.64, 0.052, 0.052, _GLOW)
    _window(pen, -0.23, 0.2, 0.13)
    _window(pen, 0.24, 0.2, 0.13)
    _door(pen, 0, 0.2, 0.34, darker(roof, 0.1))
    pen.line([(-0.13, 0.01), (0.13, 0.01)], 0.03, ink("c9b79c"))
    for x in (-0.36, -0.3, -0.17, 0.18, 0.33, 0.4):
        pen.oval(x, 0.02, 0.055, 0.05, ink("5f9a5a"))
        pen.oval(x + 0.01, 0.045, 0.016, 0.016, ink("f7a1b5"))


def castle(pen: Pen, dice: Random) -> None:
    stone = ink(dice.choice(["e9dccb", "d9cfdd", "f0d9c4"]))
    roof = ink(dice.choice(["5f6fb0", "c9605a", "3f8f8a", "8a5fa0"]))
    towers = ((-0.17, 0.14, 0.78), (0.2, 0.13, 0.7), (0.02, 0.19, 0.92), (-0.42, 0.17, 0.56), (0.42, 0.17, 0.5))
    for order, (x, width, height) in enumerate(towers):
        tone = darker(stone, 0.14) if order < 2 else stone  # the two that stand behind
        half = width / 2
        tower = pen.at(x, 0)
        tower.shape([(-half, 0), (half, 0), (half, height), (-half, height)], tone)
        tower.shape([(half * 0.25, 0), (half, 0), (half, height), (half * 0.25, height)], darker(tone, 0.08))
        tower.shape(
            [(-half * 1.2, height - 0.06), (half * 1.2, height - 0.06), (half * 1.2, height), (-half * 1.2, height)],
            darker(tone, 0.14),
        )
        peak = height + width * 1.55
        tower.line([(0, peak - 0.02), (0, peak + 0.1)], 0.012, _WOOD)
        tower.blob(
            [(0, peak + 0.1), (0.06, peak + 0.1), (0.11, peak + 0.07), (0.05, peak + 0.045), (0, peak + 0.05)],
            ink("f4bd45"),
        )
        tower.shape([(-half * 1.35, height), (0, peak), (half * 1.35, height), (0, height - 0.025)], roof)
        tower.shape([(half * 0.2, height - 0.02), (0, peak), (half * 1.35, height)], darker(roof, 0.2))
        _window(tower, 0, height - 0.19, width * 0.34, darker(stone, 0.5))
    for x in (-0.36, 0.36):
        pen.shape([(x - 0.16, 0), (x + 0.16, 0), (x + 0.16, 0.3), (x - 0.16, 0.3)], mix(stone, _WALL, 0.3))
    pen.shape([(-0.3, 0), (0.3, 0), (0.3, 0.36), (-0.3, 0.36)], lighter(stone, 0.3))
    for i in range(6):
        x = -0.27 + i * 0.108
        pen.shape([(x - 0.032, 0.35), (x + 0.032, 0.35), (x + 0.032, 0.41), (x - 0.032, 0.41)], lighter(stone, 0.3))
    for x, y in ((-0.22, 0.28), (-0.2, 0.1), (0.19, 0.24), (0.22, 0.08), (-0.42, 0.2), (0.44, 0.16)):
        pen.line([(x - 0.025, y), (x + 0.025, y)], 0.02, darker(stone, 0.14))
    _door(pen, 0, 0.22, 0.27, ink("6b4238"))
    for x in (-0.045, 0.045):
        pen.line([(x, 0.0), (x, 0.22)], 0.01, ink("553228"))


def lighthouse(pen: Pen, dice: Random) -> None:
    band = ink(dice.choice(["d9503f", "3f66a0", "d98a3a"]))
    pen.blob(
        [(-0.34, -0.02), (-0.28, 0.09), (-0.1, 0.12), (0.12, 0.1), (0.3, 0.08), (0.36, -0.02), (0, -0.05)],
        ink("7f7a86"),
    )
    for side in (-1, 1):
        for reach in (0.74, 0.58, 0.4):
            pen.shape([(0, 0.92), (side * reach, 0.92 + reach * 0.2), (side * reach, 0.92 - reach * 0.2)], _GLOW, 0.13)
    lean = [(0.17, 0.06), (0.105, 0.8)]

    def half(y: float) -> float:
        (bottom, low), (top, high) = lean
        return bottom + (top - bottom) * (y - low) / (high - low)

    for i in range(5):
        low, high = 0.06 + i * 0.148, 0.06 + (i + 1) * 0.148
        tone = _WALL if i % 2 else band
        pen.shape([(-half(low), low), (half(low), low), (half(high), high), (-half(high), high)], tone)
        pen.shape(
            [(half(low) * 0.25, low), (half(low), low), (half(high), high), (half(high) * 0.25, high)],
            darker(tone, 0.12),
        )
    pen.shape([(-0.075, 0.82), (0.075, 0.82), (0.075, 1.0), (-0.075, 1.0)], _GLOW)
    pen.oval(0, 0.91, 0.045, 0.06, ink("fff8dc"))
    for x in (-0.07, 0.07):
        pen.line([(x, 0.82), (x, 1.0)], 0.016, _WOOD)
    pen.shape([(-0.16, 0.785), (0.16, 0.785), (0.15, 0.825), (-0.15, 0.825)], darker(band, 0.35))
    pen.both([(0, 1.14), (0.03, 1.11), (0.11, 1.02), (0.12, 0.985), (0, 0.985)], darker(band, 0.15))
    pen.oval(0, 1.15, 0.02, 0.02, ink("f4bd45"))
    _window(pen, 0, 0.54, 0.07)
    _window(pen, 0, 0.34, 0.075)
    door = pen.at(0, 0.07)
    _door(door, 0, 0.12, 0.16, ink("4a5f7a"))


def windmill(pen: Pen, dice: Random) -> None:
    roof = ink(dice.choice(["c9503f", "3f7f86", "6b5fa0"]))
    pen.shape([(-0.22, 0), (0.22, 0), (0.14, 0.62), (-0.14, 0.62)], _WALL)
    pen.shape([(0.06, 0), (0.22, 0), (0.14, 0.62), (0.04, 0.62)], darker(_WALL, 0.09))
    pen.both([(0, 0.84), (0.1, 0.78), (0.165, 0.66), (0.17, 0.6), (0, 0.59)], roof)
    _door(pen, 0, 0.14, 0.22, darker(roof, 0.15))
    start = dice.uniform(10, 35)
    hub = pen.at(0, 0.7)
    for quarter in range(4):
        turn = start + quarter * 90
        hub.at(0, 0).line([_turned(0, 0, turn), _turned(0, 0.44, turn)], 0.022, _WOOD)
        hub.shape(
            [_turned(x, y, turn) for x, y in ((0.015, 0.12), (0.13, 0.12), (0.12, 0.44), (0.015, 0.44))], ink("fff6e4")
        )
        for y in (0.2, 0.28, 0.36):
            hub.line([_turned(0.015, y, turn), _turned(0.12, y, turn)], 0.009, ink("c9a98a"))
    hub.oval(0, 0, 0.035, 0.035, ink("f4bd45"))


def _turned(x: float, y: float, degrees: float) -> tuple[float, float]:
    around = complex(x, y) * complex(0, 1) ** (degrees / 90)
    return around.real, around.imag
