"""Feathers, fins and shells: small animals with a body plan of their own, and the eye that all of them share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from airflow_provider_talecraft.sandbox.art.pen import Pen, darker, ink, lighter, mix

if TYPE_CHECKING:
    from random import Random

_DARK = ink("33222f")
_WHITE = ink("fffaf0")
_BEAK = ink("f2a33a")
_BLUSH = ink("f2795f")


def eye(pen: Pen, x: float, y: float, size: float = 0.03) -> None:
    pen.oval(x, y, size, size * 1.2, _DARK)
    pen.oval(x + size * 0.35, y + size * 0.45, size * 0.36, size * 0.36, _WHITE)


def owl(pen: Pen, dice: Random) -> None:
    coat = ink(dice.choice(["8a5f45", "7a6a8f", "5f7f8a"]))
    wing, belly = darker(coat, 0.25), lighter(coat, 0.7)
    # The branch comes in from beyond the edge of the picture.
    pen.line([(-3.0, 0.16), (-1.6, 0.06), (-0.6, 0.05), (0, 0.02), (0.48, 0.06)], 0.13, ink("6e4a37"), end=0.04)
    for x, y in ((-0.95, 0.05), (-0.55, 0.06), (-1.5, 0.08)):
        pen.blob([(x, y), (x + 0.02, y - 0.14), (x + 0.15, y - 0.2), (x + 0.12, y - 0.06)], ink("6f9a5a"))
        pen.blob([(x, y), (x - 0.03, y + 0.13), (x + 0.08, y + 0.2), (x + 0.09, y + 0.07)], ink("86ad62"))
    pen.blob([(0.4, 0.05), (0.44, 0.16), (0.53, 0.17), (0.5, 0.08)], ink("7fa65a"))
    pen.both([(0, 0.9), (0.16, 0.9), (0.27, 1.0), (0.33, 0.82), (0.34, 0.45), (0.24, 0.14), (0, 0.06)], coat)
    pen.both([(0, 0.56), (0.17, 0.55), (0.22, 0.36), (0.15, 0.15), (0, 0.09)], belly)
    for row, count in enumerate((4, 3, 2)):
        for i in range(count):
            x, y = (i - (count - 1) / 2) * 0.095, 0.42 - row * 0.1
            pen.blob([(x - 0.035, y + 0.02), (x, y - 0.035), (x + 0.035, y + 0.02), (x, y)], mix(coat, belly, 0.35))
    pen.mirrored([(0.26, 0.62), (0.37, 0.5), (0.385, 0.3), (0.28, 0.1), (0.22, 0.28), (0.22, 0.5)], wing)
    pen.pair(0.135, 0.73, 0.155, 0.155, belly)
    pen.pair(0.135, 0.73, 0.105, 0.105, ink("ffd678"))
    for side in (-1, 1):
        pen.oval(side * 0.128, 0.73, 0.066, 0.07, _DARK)
        pen.oval(side * 0.128 + 0.024, 0.758, 0.022, 0.022, _WHITE)
    pen.both([(0, 0.71), (0.045, 0.68), (0, 0.58)], _BEAK)
    pen.mirrored([(0.04, 0.1), (0.12, 0.1), (0.15, 0.03), (0.08, -0.005), (0.02, 0.03)], _BEAK)


def penguin(pen: Pen, dice: Random) -> None:
    coat = ink(dice.choice(["34425f", "2f3a52", "455a75"]))
    scarf = ink(dice.choice(["d6453d", "e3a02f", "c4567f"]))
    pen.pair(0.12, 0.025, 0.12, 0.042, _BEAK, turn=4)
    pen.mirrored([(0.24, 0.56), (0.36, 0.42), (0.43, 0.22), (0.37, 0.2), (0.26, 0.34)], darker(coat, 0.2))
    pen.both([(0, 0.98), (0.17, 0.94), (0.25, 0.78), (0.29, 0.45), (0.27, 0.16), (0.16, 0.03), (0, 0.02)], coat)
    pen.both(
        [(0, 0.77), (0.06, 0.83), (0.16, 0.8), (0.18, 0.66), (0.22, 0.42), (0.2, 0.17), (0.1, 0.06), (0, 0.05)], _WHITE
    )
    pen.blob([(-0.14, 0.53), (-0.23, 0.38), (-0.21, 0.25), (-0.12, 0.27), (-0.07, 0.46)], darker(scarf))
    pen.both([(0, 0.56), (0.26, 0.6), (0.27, 0.52), (0, 0.46)], scarf)
    for side in (-1, 1):
        eye(pen, side * 0.095, 0.74, 0.028)
        pen.oval(side * 0.135, 0.665, 0.04, 0.027, _BLUSH, opacity=0.5)
    pen.both([(0, 0.72), (0.05, 0.695), (0, 0.63)], _BEAK)


def bird(pen: Pen, dice: Random) -> None:
    coat = ink(dice.choice(["e4685a", "4f8fc9", "f0a63f", "5aa89a"]))
    pen.blob(
        [(-0.3, 0.42), (-0.62, 0.52), (-0.78, 0.45), (-0.6, 0.36), (-0.74, 0.28), (-0.52, 0.26), (-0.2, 0.3)],
        darker(coat, 0.25),
    )
    pen.blob([(0.05, 0.45), (-0.02, 0.75), (-0.2, 1.0), (-0.32, 0.98), (-0.3, 0.68), (-0.2, 0.42)], darker(coat, 0.32))
    pen.blob(
        [
            (-0.4, 0.36),
            (-0.18, 0.5),
            (0.08, 0.56),
            (0.3, 0.64),
            (0.47, 0.54),
            (0.46, 0.36),
            (0.28, 0.2),
            (0, 0.14),
            (-0.25, 0.22),
        ],
        coat,
    )
    pen.blob([(0.42, 0.36), (0.26, 0.2), (0, 0.14), (-0.2, 0.2), (0, 0.29), (0.24, 0.38)], lighter(coat, 0.68))
    pen.blob(
        [
            (0.16, 0.46),
            (0.08, 0.76),
            (-0.1, 1.02),
            (-0.34, 1.16),
            (-0.36, 1.0),
            (-0.3, 0.9),
            (-0.3, 0.78),
            (-0.22, 0.7),
            (-0.2, 0.56),
            (-0.12, 0.38),
            (0.04, 0.34),
        ],
        darker(coat, 0.12),
    )
    for i in range(3):
        pen.line(
            [(0.06 - i * 0.07, 0.5), (-0.04 - i * 0.07, 0.72 - i * 0.05), (-0.2 - i * 0.04, 0.92 - i * 0.09)],
            0.02,
            lighter(coat, 0.3),
            end=0.008,
        )
    pen.blob([(0.46, 0.54), (0.66, 0.46), (0.47, 0.42)], _BEAK)
    eye(pen, 0.36, 0.52, 0.036)
    pen.oval(0.31, 0.42, 0.05, 0.032, _BLUSH, opacity=0.4)


def butterfly(pen: Pen, dice: Random) -> None:
    wing = ink(dice.choice(["f08a4b", "6f8fe0", "e4739a", "f0bd4a"]))
    for side in (False, True):
        half = pen.at(0, 0.45, flip=side)
        half.blob([(0.02, 0.02), (0.16, 0.42), (0.42, 0.56), (0.6, 0.42), (0.52, 0.14), (0.26, 0)], wing)
        half.blob(
            [(0.02, 0), (0.3, -0.02), (0.47, -0.16), (0.4, -0.38), (0.22, -0.4), (0.08, -0.22)], darker(wing, 0.16)
        )
        half.blob([(0.14, 0.12), (0.24, 0.36), (0.42, 0.45), (0.48, 0.36), (0.4, 0.16)], lighter(wing, 0.5))
        half.oval(0.26, -0.2, 0.09, 0.1, lighter(wing, 0.5), turn=30)
        half.line([(0.01, 0.2), (0.06, 0.36), (0.14, 0.44)], 0.018, _DARK, end=0.012)
        half.oval(0.14, 0.44, 0.022, 0.022, _DARK)
    pen.both([(0, 0.7), (0.035, 0.66), (0.04, 0.45), (0.02, 0.2), (0, 0.16)], _DARK)


def whale(pen: Pen, dice: Random) -> None:
    coat = ink(dice.choice(["4f7fb5", "5a8fa8", "6a78b8"]))
    spout = ink("e6f6f8")
    pen.line([(0.3, 0.6), (0.29, 0.8), (0.18, 0.93), (0.06, 0.86)], 0.04, spout, end=0.025)
    pen.line([(0.31, 0.6), (0.33, 0.82), (0.44, 0.93), (0.55, 0.84)], 0.04, spout, end=0.025)
    pen.oval(0.03, 0.79, 0.02, 0.03, spout)
    pen.oval(0.58, 0.77, 0.02, 0.03, spout)
    pen.blob(
        [
            (-0.62, 0.34),
            (-0.72, 0.58),
            (-0.92, 0.74),
            (-0.74, 0.76),
            (-0.64, 0.69),
            (-0.52, 0.82),
            (-0.36, 0.84),
            (-0.52, 0.62),
            (-0.46, 0.36),
        ],
        darker(coat, 0.14),
    )
    pen.blob(
        [
            (-0.64, 0.42),
            (-0.42, 0.34),
            (-0.18, 0.5),
            (0.2, 0.62),
            (0.56, 0.58),
            (0.74, 0.38),
            (0.72, 0.12),
            (0.5, -0.04),
            (0, -0.08),
            (-0.4, 0.02),
            (-0.62, 0.22),
        ],
        coat,
    )
    pen.blob(
        [(0.75, 0.28), (0.5, 0.2), (0.2, 0.2), (-0.2, 0.08), (-0.36, 0.0), (0, -0.08), (0.5, -0.04), (0.7, 0.08)],
        lighter(coat, 0.72),
    )
    for i in range(4):
        y = 0.14 - i * 0.05
        pen.line([(0.69 - i * 0.03, y), (0.4, y - 0.02), (0.1 + i * 0.02, y - 0.04)], 0.01, mix(coat, _WHITE, 0.45))
    pen.blob([(0.16, 0.14), (0.22, -0.04), (0.1, -0.16), (-0.06, -0.14), (0.0, 0.04)], darker(coat, 0.22))
    eye(pen, 0.52, 0.29, 0.03)
    pen.oval(0.44, 0.21, 0.05, 0.03, _BLUSH, opacity=0.5)


def fish(pen: Pen, dice: Random) -> None:
    coat = ink(dice.choice(["f0863f", "e8645a", "f2b13f"]))
    pen.blob([(-0.32, 0.5), (-0.5, 0.7), (-0.78, 0.8), (-0.66, 0.54), (-0.8, 0.26), (-0.5, 0.34)], darker(coat, 0.14))
    pen.blob([(-0.12, 0.68), (-0.02, 0.88), (0.2, 0.9), (0.3, 0.68)], darker(coat, 0.2))
    pen.blob([(0.02, 0.34), (-0.04, 0.14), (0.12, 0.16), (0.2, 0.34)], darker(coat, 0.2))
    pen.blob(
        [(-0.42, 0.51), (-0.12, 0.73), (0.26, 0.72), (0.52, 0.54), (0.54, 0.46), (0.26, 0.29), (-0.12, 0.29)], coat
    )
    pen.blob([(0.53, 0.46), (0.26, 0.29), (-0.12, 0.29), (-0.3, 0.4), (0, 0.41), (0.3, 0.41)], lighter(coat, 0.6))
    for x in (-0.2, 0.02):
        pen.blob([(x, 0.7), (x + 0.08, 0.71), (x + 0.12, 0.5), (x + 0.06, 0.3), (x, 0.31), (x + 0.06, 0.5)], _WHITE)
    pen.blob([(0.1, 0.48), (0.02, 0.52), (-0.06, 0.44), (0.02, 0.38)], darker(coat, 0.16))
    eye(pen, 0.35, 0.56, 0.036)
    pen.oval(0.32, 0.47, 0.04, 0.024, _BLUSH, opacity=0.55)


def turtle(pen: Pen, dice: Random) -> None:
    skin, shell = ink("9cc26a"), ink(dice.choice(["4f8f6a", "8a6a4a", "4a8490"]))
    pen.blob([(-0.5, 0.14), (-0.66, 0.1), (-0.7, 0.05), (-0.5, 0.06)], skin)
    for x in (-0.34, 0.26):
        pen.blob([(x - 0.1, 0.2), (x + 0.1, 0.2), (x + 0.12, 0.02), (x, -0.01), (x - 0.1, 0.02)], darker(skin, 0.1))
    pen.blob(
        [
            (0.36, 0.18),
            (0.5, 0.32),
            (0.5, 0.5),
            (0.62, 0.62),
            (0.78, 0.6),
            (0.84, 0.48),
            (0.74, 0.38),
            (0.66, 0.26),
            (0.52, 0.1),
        ],
        skin,
    )
    pen.blob([(-0.56, 0.14), (-0.5, 0.42), (-0.24, 0.64), (0.06, 0.66), (0.32, 0.5), (0.46, 0.2), (0.42, 0.12)], shell)
    for x, y, size in ((-0.3, 0.38, 0.1), (-0.06, 0.46, 0.13), (0.2, 0.36, 0.1)):
        pen.shape(
            [(x + size * math.cos(a * math.pi / 3), y + size * math.sin(a * math.pi / 3)) for a in range(6)],
            lighter(shell, 0.28),
        )
    pen.blob([(-0.6, 0.13), (-0.56, 0.2), (0, 0.17), (0.44, 0.2), (0.5, 0.12), (0, 0.08)], lighter(shell, 0.55))
    eye(pen, 0.7, 0.53, 0.028)
    pen.line([(0.8, 0.44), (0.75, 0.41), (0.7, 0.425)], 0.012, darker(skin, 0.6))
    pen.oval(0.64, 0.45, 0.035, 0.024, _BLUSH, opacity=0.45)
