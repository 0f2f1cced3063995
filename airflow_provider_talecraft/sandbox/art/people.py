"""Figures on two legs: children, crowned heads, a wizard, a knight, an astronaut, a robot and a snowman."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_talecraft.sandbox.art.pen import Colour, Pen, darker, ink, lighter, mix

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_DARK = ink("33222f")
_WHITE = ink("fffaf0")
_BLUSH = ink("f2795f")
_GOLD = ink("f4bd45")
_STEEL = ink("b9c3d0")
_SKINS = ("f8d2b0", "f2c095", "d99a6c", "a8704d", "fadcc4")
_HAIRS = ("4a3030", "7a4a30", "b8723a", "2f2a38", "d9a24a")
_ANKLE, _KNEE = 0.1, 0.2


@dataclass(frozen=True)
class Costume:
    """What somebody wears; *gowns* are colours of which one is drawn, *hem* how high they end."""

    gowns: str
    hair: str = "bob"
    hat: str = "none"
    hem: float = 0.16
    arm: str = "wave"


COSTUMES = {
    "girl": Costume("d6453d e3a02f 3f8f86 c4567f", hair="bob"),
    "boy": Costume("3f7fb5 4f8f6a e0803a 56619f", hair="short", hem=0.25),
    "princess": Costume("d977a5 8f7fd0 5fb0b8", hair="long", hat="crown", hem=0.04),
    "prince": Costume("4a62b0 9c3f55 3f7f70", hair="short", hat="crown", hem=0.25),
    "wizard": Costume("4d4a94 6b3f86 2f6f86", hair="long", hat="pointed", hem=0.04, arm="wand"),
}


def dressed(name: str) -> Callable[[Pen, Random], None]:
    """The painter of somebody in one of the COSTUMES."""

    def paint(pen: Pen, dice: Random) -> None:
        wear = COSTUMES[name]
        skin, hair = ink(dice.choice(_SKINS)), ink(dice.choice(_HAIRS))
        gown = ink(dice.choice(wear.gowns.split()))
        if wear.hem > _ANKLE:
            trousers = ink("4a4560") if wear.hem > _KNEE else mix(skin, _WHITE, 0.1)
            pen.mirrored([(0.01, 0.27), (0.11, 0.27), (0.1, 0.06), (0.025, 0.06)], trousers)
            pen.mirrored([(0.015, 0.09), (0.09, 0.09), (0.125, 0.03), (0.1, 0.0), (0.02, 0.0)], ink("6b3f3a"))
        else:
            pen.both([(0, 0.12), (0.2, 0.1), (0.23, 0.02), (0, 0.0)], darker(gown, 0.25))
        _hair_behind(pen, wear.hair, hair)
        _gown(pen, wear, gown, skin)
        _head(pen, skin)
        _fringe(pen, wear.hair, hair)
        _hat(pen, wear.hat, gown)

    return paint


def _gown(pen: Pen, wear: Costume, gown: Colour, skin: Colour) -> None:
    hem = wear.hem
    pen.blob([(-0.12, 0.5), (-0.21, 0.42), (-0.27, 0.3), (-0.23, 0.26), (-0.13, 0.36)], darker(gown, 0.12))
    pen.oval(-0.255, 0.27, 0.036, 0.036, skin)
    pen.blob([(0.1, 0.49), (0.22, 0.52), (0.32, 0.62), (0.29, 0.67), (0.2, 0.6), (0.1, 0.42)], darker(gown, 0.12))
    pen.oval(0.315, 0.655, 0.036, 0.036, skin)
    if wear.arm == "wand":
        pen.line([(0.3, 0.6), (0.42, 0.86)], 0.024, ink("7a4f38"), end=0.016)
        _star(pen, 0.43, 0.9, 0.09, _GOLD)
    pen.both(
        [(0, 0.55), (0.09, 0.53), (0.14, 0.42), (0.22, 0.24), (0.25, hem), (0.12, hem - 0.03), (0, hem - 0.035)], gown
    )
    pen.blob([(-0.07, 0.5), (-0.14, 0.38), (-0.24, hem), (-0.1, hem - 0.02), (-0.06, 0.3)], darker(gown, 0.1))
    pen.line([(-0.235, hem + 0.025), (0, hem - 0.008), (0.235, hem + 0.025)], 0.026, lighter(gown, 0.55))
    for y in (0.4, 0.32):
        pen.oval(0.0, y, 0.016, 0.016, lighter(gown, 0.7))
    pen.both([(0, 0.56), (0.1, 0.545), (0.09, 0.49), (0, 0.47)], lighter(gown, 0.6))


def _head(pen: Pen, skin: Colour) -> None:
    pen.pair(0.195, 0.69, 0.036, 0.044, darker(skin, 0.06))
    pen.both([(0, 0.89), (0.14, 0.86), (0.2, 0.74), (0.185, 0.62), (0.1, 0.53), (0, 0.515)], skin)
    for side in (-1, 1):
        pen.oval(side * 0.082, 0.685, 0.022, 0.03, _DARK)
        pen.oval(side * 0.082 + 0.008, 0.697, 0.008, 0.009, _WHITE)
        pen.oval(side * 0.125, 0.62, 0.036, 0.025, _BLUSH, opacity=0.45)
    pen.oval(0, 0.645, 0.014, 0.01, mix(skin, _BLUSH, 0.5))
    pen.line([(-0.04, 0.598), (0, 0.582), (0.04, 0.598)], 0.013, ink("a8484a"))


def _hair_behind(pen: Pen, style: str, hair: Colour) -> None:
    if style == "bob":
        pen.both([(0, 0.94), (0.17, 0.9), (0.26, 0.74), (0.27, 0.56), (0.16, 0.5), (0, 0.5)], darker(hair, 0.1))
    elif style == "long":
        pen.both(
            [(0, 0.94), (0.17, 0.9), (0.25, 0.74), (0.26, 0.5), (0.28, 0.3), (0.18, 0.26), (0, 0.32)], darker(hair, 0.1)
        )


def _fringe(pen: Pen, style: str, hair: Colour) -> None:
    if style == "short":
        pen.blob(
            [
                (-0.21, 0.7),
                (-0.22, 0.83),
                (-0.12, 0.94),
                (0.04, 0.96),
                (0.17, 0.91),
                (0.22, 0.8),
                (0.2, 0.7),
                (0.15, 0.79),
                (0.02, 0.79),
                (-0.1, 0.83),
                (-0.17, 0.77),
            ],
            hair,
        )
    else:
        pen.both(
            [
                (0, 0.955),
                (0.14, 0.93),
                (0.23, 0.82),
                (0.235, 0.66),
                (0.2, 0.6),
                (0.175, 0.72),
                (0.11, 0.775),
                (0, 0.785),
            ],
            hair,
        )
    pen.line([(-0.12, 0.885), (-0.04, 0.915), (0.06, 0.912)], 0.02, lighter(hair, 0.25), end=0.01)


def _hat(pen: Pen, hat: str, gown: Colour) -> None:
    if hat == "crown":
        pen.shape(
            [(-0.13, 0.9), (-0.16, 1.06), (-0.075, 0.99), (0, 1.09), (0.075, 0.99), (0.16, 1.06), (0.13, 0.9)], _GOLD
        )
        pen.line([(-0.125, 0.915), (0, 0.9), (0.125, 0.915)], 0.035, darker(_GOLD, 0.15))
        for x, y in ((-0.16, 1.06), (0, 1.09), (0.16, 1.06)):
            pen.oval(x, y, 0.022, 0.022, ink("e4685a"))
    elif hat == "pointed":
        pen.blob(
            [(-0.18, 0.86), (-0.08, 1.1), (0.06, 1.26), (0.2, 1.3), (0.13, 1.18), (0.15, 1.0), (0.2, 0.86), (0, 0.83)],
            gown,
        )
        pen.blob([(-0.4, 0.83), (-0.18, 0.9), (0.18, 0.9), (0.4, 0.83), (0.2, 0.8), (-0.2, 0.8)], darker(gown, 0.18))
        pen.line([(-0.17, 0.895), (0, 0.87), (0.18, 0.895)], 0.035, _GOLD)
        _star(pen, 0.03, 1.03, 0.06, _GOLD)


def _star(pen: Pen, x: float, y: float, size: float, colour: Colour) -> None:
    spikes = [(0, 1), (0.27, 0.36), (0.95, 0.31), (0.42, -0.12), (0.59, -0.81), (0, -0.42)]
    outline = [*spikes, *((-a, b) for a, b in reversed(spikes[1:-1]))]
    pen.shape([(x + a * size, y + b * size) for a, b in outline], colour)


def knight(pen: Pen, dice: Random) -> None:
    cloth = ink(dice.choice(["c9403d", "3f66b0", "3f8f70", "e0a030"]))
    shade = darker(_STEEL, 0.25)
    pen.line([(0.3, 0.12), (0.37, 0.86)], 0.036, ink("dfe6ee"), end=0.02)
    pen.line([(0.25, 0.34), (0.39, 0.31)], 0.04, _GOLD)
    pen.both([(0, 0.52), (0.22, 0.46), (0.3, 0.12), (0, 0.1)], darker(cloth, 0.25))
    pen.mirrored([(0.02, 0.26), (0.13, 0.26), (0.14, 0.03), (0.1, 0.0), (0.02, 0.0)], shade)
    pen.pair(0.09, 0.03, 0.085, 0.038, darker(_STEEL, 0.4))
    pen.both([(0, 0.56), (0.16, 0.53), (0.19, 0.4), (0.17, 0.24), (0, 0.22)], _STEEL)
    pen.both([(0, 0.5), (0.11, 0.48), (0.12, 0.32), (0.16, 0.15), (0, 0.13)], cloth)
    _star(pen, 0, 0.36, 0.075, _GOLD)
    pen.line([(-0.17, 0.26), (0.17, 0.26)], 0.03, ink("6b4238"))
    pen.pair(0.2, 0.48, 0.085, 0.075, lighter(_STEEL, 0.3))
    pen.line([(0.22, 0.44), (0.29, 0.34)], 0.085, _STEEL)
    pen.oval(0.3, 0.33, 0.048, 0.048, shade)
    pen.blob([(-0.12, 0.92), (-0.3, 1.02), (-0.42, 0.9), (-0.36, 0.82), (-0.28, 0.9), (-0.16, 0.84)], cloth)
    pen.blob([(0.02, 0.93), (-0.08, 1.12), (-0.28, 1.12), (-0.2, 1.02), (-0.08, 0.98)], lighter(cloth, 0.15))
    pen.both([(0, 0.96), (0.15, 0.91), (0.21, 0.76), (0.19, 0.58), (0.1, 0.52), (0, 0.5)], _STEEL)
    pen.both([(0, 0.76), (0.15, 0.77), (0.17, 0.67), (0.13, 0.58), (0, 0.56)], ink("f8d2b0"))
    pen.both([(0, 0.96), (0.03, 0.94), (0.025, 0.79), (0, 0.77)], lighter(_STEEL, 0.5))
    pen.line([(-0.185, 0.775), (0, 0.755), (0.185, 0.775)], 0.04, shade)
    for side in (-1, 1):
        pen.oval(side * 0.07, 0.69, 0.021, 0.028, _DARK)
        pen.oval(side * 0.07 + 0.008, 0.7, 0.008, 0.009, _WHITE)
        pen.oval(side * 0.11, 0.635, 0.034, 0.024, _BLUSH, opacity=0.45)
    pen.line([(-0.035, 0.613), (0, 0.6), (0.035, 0.613)], 0.013, ink("a8484a"))
    shield = pen.at(-0.24, 0.3)
    shield.both([(0, 0.19), (0.14, 0.17), (0.14, 0.0), (0, -0.2)], darker(cloth, 0.1))
    shield.both([(0, 0.15), (0.1, 0.13), (0.1, 0.0), (0, -0.145)], lighter(cloth, 0.12))
    _star(shield, 0, 0.01, 0.075, _GOLD)


def astronaut(pen: Pen, dice: Random) -> None:
    suit = ink("f1eef2")
    trim = ink(dice.choice(["e4685a", "f0a63f", "5f9fd0"]))
    pen.both([(0, 0.6), (0.27, 0.58), (0.29, 0.26), (0, 0.24)], darker(suit, 0.35))
    pen.mirrored([(0.02, 0.28), (0.15, 0.28), (0.17, 0.06), (0.1, 0.0), (0.02, 0.02)], darker(suit, 0.1))
    pen.mirrored([(0.01, 0.1), (0.16, 0.1), (0.19, 0.03), (0.12, 0.0), (0.02, 0.0)], trim)
    pen.line([(-0.17, 0.46), (-0.3, 0.38), (-0.34, 0.27)], 0.13, darker(suit, 0.08), end=0.1)
    pen.line([(0.17, 0.46), (0.31, 0.52), (0.36, 0.66)], 0.13, darker(suit, 0.08), end=0.1)
    pen.oval(-0.345, 0.25, 0.055, 0.055, trim)
    pen.oval(0.365, 0.68, 0.055, 0.055, trim)
    pen.both([(0, 0.58), (0.17, 0.54), (0.21, 0.36), (0.18, 0.2), (0, 0.17)], suit)
    pen.blob([(-0.1, 0.42), (0.1, 0.42), (0.1, 0.28), (-0.1, 0.28)], mix(suit, ink("7fa0c0"), 0.45))
    for i, code in enumerate(("e4685a", "f4bd45", "63b58f")):
        pen.oval(-0.05 + i * 0.05, 0.35, 0.018, 0.018, ink(code))
    pen.oval(0, 0.74, 0.27, 0.255, suit)
    pen.oval(0, 0.735, 0.205, 0.185, ink("35406f"))
    pen.both([(0, 0.87), (0.11, 0.83), (0.15, 0.72), (0.1, 0.62), (0, 0.6)], ink(dice.choice(_SKINS)))
    pen.both([(0, 0.89), (0.12, 0.84), (0.15, 0.74), (0.07, 0.79), (0, 0.8)], ink(dice.choice(_HAIRS)))
    for side in (-1, 1):
        pen.oval(side * 0.062, 0.715, 0.019, 0.026, _DARK)
        pen.oval(side * 0.095, 0.67, 0.03, 0.02, _BLUSH, opacity=0.5)
    pen.line([(-0.03, 0.653), (0, 0.643), (0.03, 0.653)], 0.012, ink("a8484a"))
    pen.blob([(-0.17, 0.76), (-0.13, 0.86), (-0.05, 0.905), (-0.1, 0.84), (-0.14, 0.74)], _WHITE, 0.75)
    pen.pair(0.265, 0.73, 0.036, 0.07, trim)


def robot(pen: Pen, dice: Random) -> None:
    metal = ink(dice.choice(["7fb0b8", "e39a5f", "9a9fd0", "8fb88a"]))
    dark, pale = darker(metal, 0.3), lighter(metal, 0.5)
    pen.line([(0, 0.9), (0, 1.06)], 0.024, dark)
    pen.oval(0, 1.08, 0.045, 0.045, ink("f26d5b"))
    for mirrored in (False, True):
        half = pen.at(0, 0, flip=mirrored)
        half.line([(0.09, 0.24), (0.09, 0.06)], 0.09, dark)
        half.blob([(0.03, 0.08), (0.15, 0.08), (0.19, 0.0), (0.02, 0.0)], metal)
        half.oval(0.29, 0.74, 0.04, 0.07, dark)
    pen.line([(-0.2, 0.46), (-0.31, 0.38), (-0.32, 0.26)], 0.07, dark)
    pen.line([(0.2, 0.46), (0.33, 0.5), (0.38, 0.64)], 0.07, dark)
    for x, y in ((-0.32, 0.22), (0.385, 0.69)):
        pen.oval(x, y, 0.06, 0.06, metal)
    pen.both([(0, 0.54), (0.17, 0.535), (0.22, 0.5), (0.23, 0.25), (0.19, 0.18), (0, 0.17)], metal)
    pen.both([(0, 0.46), (0.12, 0.455), (0.135, 0.4), (0.13, 0.27), (0, 0.25)], pale)
    pen.blob(
        [
            (0, 0.31),
            (0.07, 0.39),
            (0.055, 0.43),
            (0.02, 0.43),
            (0, 0.405),
            (-0.02, 0.43),
            (-0.055, 0.43),
            (-0.07, 0.39),
        ],
        ink("e4685a"),
    )
    pen.both([(0, 0.94), (0.2, 0.935), (0.275, 0.88), (0.285, 0.62), (0.21, 0.55), (0, 0.545)], metal)
    pen.both([(0, 0.86), (0.17, 0.855), (0.215, 0.81), (0.215, 0.66), (0.16, 0.62), (0, 0.615)], ink("2f3a52"))
    for side in (-1, 1):
        pen.oval(side * 0.1, 0.755, 0.045, 0.052, ink("ffe9a0"))
        pen.oval(side * 0.1, 0.755, 0.02, 0.026, ink("2f3a52"))
        pen.oval(side * 0.2, 0.585, 0.016, 0.016, dark)
    pen.line([(-0.06, 0.67), (0, 0.652), (0.06, 0.67)], 0.018, ink("ffe9a0"))


def snowman(pen: Pen, dice: Random) -> None:
    snow, scarf = ink("fbfcff"), ink(dice.choice(["d6453d", "3f8f86", "e3a02f"]))
    for mirrored in (False, True):
        arm = pen.at(0, 0, flip=mirrored)
        arm.line([(0.18, 0.42), (0.34, 0.52), (0.46, 0.64)], 0.026, ink("7a5138"), end=0.016)
        arm.line([(0.37, 0.545), (0.47, 0.53)], 0.018, ink("7a5138"), end=0.01)
    pen.oval(0, 0.17, 0.3, 0.2, snow)
    pen.oval(-0.07, 0.12, 0.22, 0.12, darker(snow, 0.06))
    pen.oval(0, 0.42, 0.225, 0.185, snow)
    pen.oval(0, 0.69, 0.19, 0.175, snow)
    pen.blob([(0.05, 0.55), (0.15, 0.4), (0.13, 0.3), (0.04, 0.33), (0.01, 0.5)], darker(scarf))
    pen.both([(0, 0.575), (0.18, 0.6), (0.185, 0.535), (0, 0.505)], scarf)
    for y in (0.44, 0.35, 0.22):
        pen.oval(0, y, 0.02, 0.02, _DARK)
    for side in (-1, 1):
        pen.oval(side * 0.07, 0.73, 0.02, 0.026, _DARK)
        pen.oval(side * 0.115, 0.665, 0.036, 0.024, _BLUSH, opacity=0.4)
    pen.blob([(-0.01, 0.71), (0.19, 0.665), (-0.01, 0.66)], ink("f08a3c"))
    pen.line([(-0.06, 0.625), (0, 0.607), (0.06, 0.625)], 0.014, _DARK)
    pen.blob([(-0.14, 0.84), (-0.13, 1.06), (0, 1.09), (0.13, 1.06), (0.14, 0.84)], ink("3d3a55"))
    pen.line([(-0.135, 0.885), (0, 0.87), (0.135, 0.885)], 0.05, scarf)
    pen.blob([(-0.25, 0.84), (0, 0.87), (0.25, 0.84), (0, 0.8)], ink("34314a"))
