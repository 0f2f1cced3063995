"""What grows: trees, bushes, flowers, mushrooms, cacti and the grass in front. Where they stand is land.py's affair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_talecraft.sandbox.art.pen import Colour, Pen, darker, ink, lighter

if TYPE_CHECKING:
    from random import Random

_BARK = ink("7a5242")
_CREAM = ink("fff6e4")


def round_tree(pen: Pen, dice: Random, leaf: Colour) -> None:
    """One unit high, with a crown of three clouds."""
    lean = dice.uniform(-0.05, 0.05)
    pen.blob(
        [(-0.04, 0), (-0.035, 0.25), (lean - 0.025, 0.5), (lean + 0.025, 0.5), (0.035, 0.25), (0.05, 0)],
        darker(_BARK, 0.1),
    )
    pen.oval(lean - 0.14, 0.52, 0.17, 0.17, darker(leaf, 0.14))
    pen.oval(lean + 0.14, 0.54, 0.17, 0.18, darker(leaf, 0.08))
    pen.oval(lean, 0.7, 0.23, 0.26, leaf)
    pen.oval(lean - 0.06, 0.78, 0.13, 0.13, lighter(leaf, 0.14))
    for _ in range(5):
        x, y = dice.uniform(-0.16, 0.16), dice.uniform(0.48, 0.86)
        pen.line([(lean + x - 0.018, y), (lean + x, y - 0.012), (lean + x + 0.018, y)], 0.014, lighter(leaf, 0.32))


def poplar(pen: Pen, dice: Random, leaf: Colour) -> None:
    """A tall drop on a thin trunk, its veins showing."""
    lean = dice.uniform(-0.03, 0.03)
    pen.both([(0, 1.0), (0.1, 0.82), (0.17, 0.52), (0.14, 0.27), (0, 0.17)], leaf)
    pen.blob([(lean, 0.98), (0.1, 0.82), (0.17, 0.52), (0.14, 0.27), (0.02, 0.18), (0.03, 0.55)], darker(leaf, 0.12))
    pen.line([(0, 0), (lean, 0.78)], 0.028, darker(_BARK, 0.05), end=0.01)
    for y in (0.36, 0.48, 0.6):
        pen.line([(0, y), (0.07, y + 0.075)], 0.014, darker(_BARK, 0.05), end=0.008)
        pen.line([(0, y + 0.04), (-0.07, y + 0.115)], 0.014, darker(_BARK, 0.05), end=0.008)


def fir(pen: Pen, dice: Random, leaf: Colour, *, snow: bool = False) -> None:
    """Four skirts, one above the other."""
    pen.shape([(-0.03, 0), (0.03, 0), (0.025, 0.2), (-0.025, 0.2)], darker(_BARK, 0.15))
    width = dice.uniform(0.9, 1.1)
    for step in range(4):
        low, high = 0.1 + step * 0.2, 0.46 + step * 0.18
        half = (0.3 - step * 0.06) * width
        tone = lighter(darker(leaf, 0.14), step * 0.07)
        pen.blob(
            [
                (0, high),
                (half * 0.45, low + 0.13),
                (half, low),
                (half * 0.5, low - 0.015),
                (0, low - 0.035),
                (-half * 0.5, low - 0.015),
                (-half, low),
                (-half * 0.45, low + 0.13),
            ],
            tone,
        )
        if snow:
            pen.blob(
                [
                    (0, high),
                    (half * 0.36, low + 0.17),
                    (half * 0.3, low + 0.13),
                    (0.02, low + 0.17),
                    (-half * 0.2, low + 0.11),
                    (-half * 0.4, low + 0.16),
                ],
                ink("ffffff"),
            )


def cactus(pen: Pen, dice: Random, leaf: Colour) -> None:
    """A column with two raised arms and a blossom."""
    tall = dice.uniform(0.8, 1.0)
    pen.line([(0, 0.32), (0.24, 0.34), (0.27, 0.6)], 0.13, darker(leaf, 0.1))
    pen.line([(0, 0.44), (-0.22, 0.46), (-0.24, 0.7)], 0.12, darker(leaf, 0.1))
    pen.line([(0, 0), (0, tall - 0.1)], 0.2, leaf)
    for x in (-0.045, 0, 0.045):
        pen.line([(x, 0.04), (x, tall - 0.1)], 0.012, lighter(leaf, 0.25))
    pen.oval(0, tall, 0.055, 0.04, ink("f2698f"))
    pen.oval(0.27, 0.68, 0.04, 0.03, ink("f2698f"))


def bush(pen: Pen, dice: Random, leaf: Colour) -> None:
    """A low cushion, half a unit high, sometimes with berries."""
    pen.oval(-0.28, 0.1, 0.24, 0.19, darker(leaf, 0.12))
    pen.oval(0.28, 0.12, 0.26, 0.22, darker(leaf, 0.06))
    pen.oval(0, 0.18, 0.32, 0.3, leaf)
    pen.oval(-0.08, 0.27, 0.17, 0.15, lighter(leaf, 0.1))
    if dice.random() < 0.5:  # as often as not
        for _ in range(6):
            pen.oval(dice.uniform(-0.36, 0.36), dice.uniform(0.06, 0.36), 0.026, 0.026, ink("f26d5b"))


def bloom(pen: Pen, dice: Random, petal: Colour, stem: Colour) -> None:
    """A flower on its stem, one unit high: a daisy, a tulip or a bell, by the throw of the dice."""
    bend = dice.uniform(-0.1, 0.1)
    pen.line([(0, 0), (bend * 0.3, 0.4), (bend, 0.8)], 0.05, stem, end=0.034)
    pen.blob([(0, 0.22), (0.12, 0.34), (0.28, 0.4), (0.22, 0.26)], stem)
    pen.blob([(0, 0.32), (-0.12, 0.42), (-0.26, 0.46), (-0.2, 0.34)], darker(stem, 0.1))
    head = pen.at(bend, 0.82)
    kind = dice.randrange(3)
    if kind == 0:
        for turn in range(6):
            out = complex(0.17, 0) * complex(0, 1) ** (turn * 2 / 3)
            head.oval(out.real, out.imag, 0.12, 0.085, petal if turn % 2 else lighter(petal, 0.22), turn=turn * 60)
        head.oval(0, 0, 0.085, 0.085, ink("f7c548"))
        head.oval(-0.015, 0.02, 0.04, 0.04, ink("fbe08a"))
    elif kind == 1:
        head.mirrored([(0.02, -0.12), (0.15, -0.08), (0.19, 0.08), (0.17, 0.26), (0.07, 0.12)], petal)
        head.both([(0, 0.24), (0.09, 0.1), (0.1, -0.06), (0, -0.13)], lighter(petal, 0.25))
    else:
        head.oval(0, 0.02, 0.19, 0.19, petal)
        head.oval(0, 0.02, 0.13, 0.13, lighter(petal, 0.28))
        head.oval(0, 0.02, 0.065, 0.065, darker(petal, 0.2))


def flowers(pen: Pen, dice: Random) -> None:
    """A bunch as tall as a figure: the subject, not the ornament."""
    petals = [ink(code) for code in ("f26d5b", "f7b23f", "f08fb0", "fff0d8", "9a86d8")]
    dice.shuffle(petals)
    for i, (x, tall) in enumerate(((-0.34, 0.62), (0.36, 0.58), (-0.17, 0.84), (0.2, 0.8), (0.02, 1.04))):
        bloom(pen.at(x, 0, tall), dice, petals[i], ink("4f8f56"))
    for x in (-0.3, -0.12, 0.1, 0.28):
        pen.blob(
            [(x - 0.03, 0), (x - 0.02, 0.18), (x + dice.uniform(-0.1, 0.1), 0.34), (x + 0.04, 0.16), (x + 0.04, 0)],
            ink("3f7d52"),
        )


def mushroom(pen: Pen, dice: Random) -> None:
    """Two toadstools, the small one leaning on the large one."""
    cap = ink(dice.choice(["d9483f", "e07a3a", "a85fa0"]))
    for x, size, lean in ((0.3, 0.55, 0.08), (-0.05, 1.0, -0.02)):
        one = pen.at(x, 0, size)
        one.blob(
            [
                (-0.12, 0.0),
                (-0.1, 0.25),
                (lean - 0.08, 0.52),
                (lean + 0.08, 0.52),
                (0.11, 0.25),
                (0.14, 0.0),
                (0, -0.02),
            ],
            _CREAM,
        )
        one.blob(
            [(0.02, 0.0), (0.05, 0.25), (lean + 0.03, 0.5), (lean + 0.08, 0.5), (0.11, 0.25), (0.14, 0.0)],
            darker(_CREAM, 0.12),
        )
        one.blob([(lean - 0.3, 0.5), (lean, 0.56), (lean + 0.3, 0.5), (lean, 0.44)], darker(_CREAM, 0.18))
        one.blob(
            [
                (lean - 0.4, 0.5),
                (lean - 0.36, 0.72),
                (lean - 0.14, 0.92),
                (lean + 0.14, 0.92),
                (lean + 0.36, 0.72),
                (lean + 0.4, 0.5),
                (lean + 0.2, 0.525),
                (lean - 0.2, 0.525),
            ],
            cap,
        )
        for dx, dy, r in ((-0.2, 0.68, 0.065), (0.04, 0.79, 0.08), (0.24, 0.63, 0.055), (0.0, 0.6, 0.04)):
            one.oval(lean + dx, dy, r, r * 0.86, _CREAM)


def tree(pen: Pen, dice: Random) -> None:
    """An old tree under which a story can happen."""
    leaf = ink(dice.choice(["5fa05a", "4a9474", "8fae4f", "e0963f"]))
    pen.blob(
        [
            (-0.2, -0.02),
            (-0.09, 0.1),
            (-0.08, 0.34),
            (-0.14, 0.56),
            (0.14, 0.56),
            (0.09, 0.34),
            (0.1, 0.1),
            (0.22, -0.02),
            (0.08, 0.02),
            (-0.06, 0.02),
        ],
        _BARK,
    )
    pen.line([(0.04, 0.34), (0.2, 0.48), (0.28, 0.6)], 0.06, _BARK, end=0.04)
    pen.line([(-0.03, 0.06), (-0.02, 0.28)], 0.014, darker(_BARK, 0.25))
    pen.blob([(0.0, 0.28), (0.04, 0.25), (0.03, 0.17), (0.0, 0.16), (-0.02, 0.22)], darker(_BARK, 0.4))
    for x, y, size, shade in (
        (-0.34, 0.6, 0.2, 0.2),
        (0.34, 0.6, 0.21, 0.16),
        (-0.22, 0.82, 0.23, 0.1),
        (0.24, 0.84, 0.23, 0.06),
        (0, 0.68, 0.28, 0.08),
        (0.0, 0.97, 0.24, 0.0),
    ):
        pen.oval(x, y, size * 1.08, size, darker(leaf, shade))
    pen.oval(-0.07, 1.03, 0.13, 0.1, lighter(leaf, 0.16))
    pen.oval(-0.28, 0.88, 0.1, 0.08, lighter(leaf, 0.12))
    for _ in range(9):
        x, y = dice.uniform(-0.4, 0.4), dice.uniform(0.58, 1.05)
        pen.oval(x, y, 0.03, 0.03, ink("e8503f"))
        pen.oval(x - 0.008, y + 0.01, 0.009, 0.009, _CREAM)


def frond(pen: Pen, dice: Random, colour: Colour) -> None:
    """A fern or a broad-leaved sprig for the corner of the picture, leaning to the right."""
    if dice.random() < 0.5:  # one or the other
        pen.line([(0, 0), (0.12, 0.5), (0.42, 0.95)], 0.03, colour, end=0.01)
        for step in range(7):
            share = 0.22 + step * 0.11
            x, y, size = 0.36 * share * share + 0.05 * share, share * 0.93, 0.3 * (1.05 - share)
            pen.blob(
                [
                    (x, y),
                    (x + size * 0.5, y + size * 0.1),
                    (x + size, y + size * 0.55),
                    (x + size * 0.4, y + size * 0.42),
                ],
                colour,
            )
            pen.blob(
                [
                    (x, y),
                    (x - size * 0.3, y + size * 0.35),
                    (x - size * 0.5, y + size * 0.95),
                    (x - size * 0.02, y + size * 0.5),
                ],
                lighter(colour, 0.08),
            )
    else:
        for x, y, width in ((0.5, 0.5, 0.1), (-0.18, 0.72, 0.1), (0.24, 0.95, 0.13)):
            pen.blob(
                [(0, 0), (x * 0.3 - width, y * 0.5), (x, y), (x * 0.45 + width, y * 0.45)],
                lighter(colour, 0.1 - width * 0.5),
            )
            pen.line([(0, 0), (x * 0.35, y * 0.48), (x * 0.85, y * 0.86)], 0.014, lighter(colour, 0.25), end=0.006)


def tuft(pen: Pen, dice: Random, colour: Colour) -> None:
    """A few blades of grass, one unit high."""
    for _ in range(dice.randrange(3, 6)):
        x, tip = dice.uniform(-0.3, 0.3), dice.uniform(-0.35, 0.35)
        tall = dice.uniform(0.55, 1.0)
        pen.shape(
            [
                (x - 0.055, 0),
                (x + tip * 0.4 - 0.03, tall * 0.6),
                (x + tip, tall),
                (x + tip * 0.4 + 0.045, tall * 0.55),
                (x + 0.055, 0),
            ],
            colour,
        )
