"""Things a story is about that are neither alive nor lived in: what sails, flies, rolls, shines or is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_talecraft.sandbox.art.pen import Pen, darker, ink, lighter, mix, ring

if TYPE_CHECKING:
    from random import Random

_CREAM = ink("fff3dc")
_GOLD = ink("f4bd45")
_WOOD = ink("8a5540")
_DARK = ink("3f2f3a")


def boat(pen: Pen, dice: Random) -> None:
    hull = ink(dice.choice(["c9503f", "3f6f96", "8a5540"]))
    sail = ink(dice.choice(["fff3dc", "f6d9a8", "f2b5a0"]))
    pen.line([(0, 0.16), (0, 1.06)], 0.028, _WOOD)
    pen.blob([(0, 1.07), (-0.1, 1.07), (-0.17, 1.03), (-0.09, 1.0), (0, 1.0)], ink("e4685a"))
    pen.blob([(0.03, 0.98), (0.05, 0.26), (0.26, 0.25), (0.47, 0.29), (0.36, 0.55), (0.18, 0.82)], sail)
    pen.blob(
        [(-0.03, 0.92), (-0.03, 0.28), (-0.2, 0.27), (-0.36, 0.31), (-0.26, 0.5), (-0.14, 0.74)], darker(sail, 0.1)
    )
    for y, right in ((0.72, 0.22), (0.52, 0.33), (0.38, 0.4)):
        pen.line([(0.055, y), (right * 0.6, y - 0.015), (right, y)], 0.016, mix(sail, hull, 0.55))
    pen.blob(
        [
            (-0.52, 0.22),
            (-0.42, 0.02),
            (-0.26, -0.06),
            (0.26, -0.06),
            (0.44, 0.03),
            (0.58, 0.25),
            (0.3, 0.18),
            (-0.2, 0.17),
        ],
        hull,
    )
    pen.line([(-0.5, 0.205), (-0.2, 0.165), (0.3, 0.175), (0.56, 0.235)], 0.034, lighter(hull, 0.6))
    pen.line([(-0.4, 0.06), (0, 0.04), (0.45, 0.07)], 0.02, darker(hull, 0.25))
    for x in (-0.2, 0, 0.2):
        pen.oval(x, 0.105, 0.03, 0.03, _CREAM)


def balloon(pen: Pen, dice: Random) -> None:
    one, two = (
        ink(code)
        for code in dice.choice(
            [("e4605a", "fbe3b4"), ("3f8f96", "f9d98f"), ("7f6fc0", "f7c6c0"), ("f0963f", "fff0d2")]
        )
    )
    for x in (-0.13, 0.13):
        pen.line([(x * 1.15, 0.36), (x * 0.62, 0.15)], 0.01, _WOOD)
    envelope = [(0, 1.12), (0.2, 1.08), (0.36, 0.92), (0.385, 0.72), (0.28, 0.52), (0.13, 0.36), (0, 0.345)]
    pen.both(envelope, one)
    for squeeze, tone in ((0.72, two), (0.4, one), (0.13, two)):
        pen.both([(x * squeeze, y) for x, y in envelope], tone)
    pen.blob(
        [(0.1, 1.1), (0.26, 1.04), (0.38, 0.88), (0.38, 0.68), (0.22, 0.45), (0.3, 0.7), (0.26, 0.92)],
        darker(one, 0.4),
        0.18,
    )
    pen.blob([(-0.2, 1.0), (-0.28, 0.9), (-0.3, 0.76), (-0.25, 0.76), (-0.23, 0.88)], _CREAM, 0.5)
    pen.both([(0, 0.385), (0.14, 0.385), (0.13, 0.345), (0, 0.335)], darker(one, 0.22))
    pen.both([(0, 0.16), (0.1, 0.16), (0.085, 0.02), (0.05, 0.0), (0, 0.0)], ink("b07a4a"))
    pen.line([(-0.1, 0.155), (0.1, 0.155)], 0.034, ink("8a5a3a"))
    for y in (0.05, 0.1):
        pen.line([(-0.08, y), (0.08, y)], 0.009, ink("8a5a3a"))


def rocket(pen: Pen, dice: Random) -> None:
    trim = ink(dice.choice(["e4605a", "f0963f", "3f8f96", "7f6fc0"]))
    body = ink("f7f1ea")
    for width, low, code in ((0.13, -0.3, "f2703f"), (0.09, -0.2, "fbb13f"), (0.05, -0.1, "fff0b0")):
        pen.both([(0, 0.16), (width, 0.1), (width * 0.8, low * 0.4), (0, low)], ink(code))
    pen.mirrored([(0.12, 0.46), (0.26, 0.3), (0.3, 0.06), (0.25, 0.06), (0.12, 0.18)], trim)
    pen.both([(0, 1.12), (0.1, 1.0), (0.18, 0.78), (0.19, 0.5), (0.14, 0.18), (0, 0.15)], body)
    pen.blob(
        [(0.02, 1.1), (0.1, 1.0), (0.18, 0.78), (0.19, 0.5), (0.14, 0.18), (0.07, 0.16), (0.12, 0.5), (0.1, 0.82)],
        darker(body, 0.14),
    )
    pen.both([(0, 1.13), (0.06, 1.07), (0.125, 0.95), (0.13, 0.92), (0, 0.9)], trim)
    pen.both([(0, 0.3), (0.162, 0.3), (0.15, 0.22), (0, 0.2)], trim)
    pen.oval(0, 0.68, 0.105, 0.105, trim)
    pen.oval(0, 0.68, 0.078, 0.078, ink("3f5f8f"))
    pen.blob([(-0.05, 0.68), (-0.03, 0.73), (0.03, 0.745), (0, 0.7)], ink("a9d3e6"))
    pen.oval(0, 0.46, 0.038, 0.038, darker(body, 0.25))
    pen.blob([(-0.02, 0.36), (0.02, 0.36), (0.025, 0.06), (0, 0.03), (-0.025, 0.06)], darker(trim, 0.15))


def train(pen: Pen, dice: Random) -> None:
    paint = ink(dice.choice(["c9503f", "3f7f70", "3f66a0"]))
    coach = ink(dice.choice(["e3a03f", "7f6fb0", "5fa090"]))
    for x, y, size in ((0.52, 0.88, 0.065), (0.42, 1.0, 0.09), (0.24, 1.1, 0.11)):
        pen.oval(x, y, size, size * 0.82, _CREAM, opacity=0.82)
    pen.line([(-1.05, -0.0), (0.85, -0.0)], 0.03, ink("6b5560"))
    pen.line([(-0.2, 0.2), (-0.34, 0.2)], 0.05, _DARK)
    pen.blob(
        [(-1.0, 0.18), (-0.98, 0.56), (-0.9, 0.62), (-0.4, 0.62), (-0.32, 0.56), (-0.3, 0.18), (-0.64, 0.16)], coach
    )
    pen.blob([(-1.05, 0.6), (-0.95, 0.67), (-0.35, 0.67), (-0.25, 0.6), (-0.64, 0.585)], darker(coach, 0.3))
    for x in (-0.84, -0.65, -0.46):
        pen.blob([(x - 0.065, 0.52), (x + 0.065, 0.52), (x + 0.065, 0.36), (x - 0.065, 0.36)], ink("ffe9a8"))
    pen.line([(-0.96, 0.27), (-0.34, 0.27)], 0.03, lighter(coach, 0.5))
    pen.shape([(-0.18, 0.18), (0.14, 0.18), (0.14, 0.72), (-0.18, 0.72)], darker(paint, 0.12))
    pen.blob([(-0.25, 0.72), (-0.18, 0.79), (0.15, 0.79), (0.22, 0.72), (0, 0.71)], darker(paint, 0.35))
    pen.blob([(-0.11, 0.64), (0.07, 0.64), (0.07, 0.45), (-0.11, 0.45)], ink("ffe9a8"))
    pen.blob([(0.08, 0.18), (0.08, 0.52), (0.3, 0.54), (0.58, 0.53), (0.68, 0.46), (0.7, 0.3), (0.66, 0.18)], paint)
    pen.blob([(0.08, 0.18), (0.08, 0.28), (0.4, 0.28), (0.69, 0.28), (0.66, 0.18)], darker(paint, 0.2))
    for x in (0.24, 0.42):
        pen.line([(x, 0.2), (x, 0.53)], 0.024, _GOLD)
    pen.blob([(0.46, 0.5), (0.44, 0.7), (0.4, 0.78), (0.64, 0.78), (0.6, 0.7), (0.58, 0.5)], _DARK)
    pen.line([(0.4, 0.77), (0.64, 0.77)], 0.04, _GOLD)
    pen.oval(0.3, 0.56, 0.07, 0.06, _GOLD)
    pen.oval(0.7, 0.42, 0.05, 0.05, ink("fff0b0"))
    pen.shape([(0.6, 0.16), (0.72, 0.18), (0.86, 0.02), (0.6, 0.02)], _DARK)
    for x, size in ((-0.86, 0.1), (-0.46, 0.1), (-0.04, 0.15), (0.28, 0.1), (0.5, 0.1)):
        pen.oval(x, size + 0.01, size, size, _DARK)
        pen.oval(x, size + 0.01, size * 0.62, size * 0.62, mix(paint, _CREAM, 0.35))
        pen.oval(x, size + 0.01, size * 0.22, size * 0.22, _DARK)


def lantern(pen: Pen, dice: Random) -> None:
    paper = ink(dice.choice(["f0623f", "f79a3f", "e8504f"]))
    pen.line([(0, 0.96), (0, 1.12)], 0.018, _DARK)
    for x in (-0.035, 0, 0.035):
        pen.line([(x, 0.2), (x * 1.5, 0.0)], 0.018, darker(paper, 0.1))
    pen.both([(0, 0.89), (0.18, 0.86), (0.34, 0.7), (0.37, 0.54), (0.32, 0.38), (0.18, 0.24), (0, 0.21)], paper)
    pen.both(
        [(0, 0.88), (0.12, 0.84), (0.2, 0.68), (0.21, 0.5), (0.12, 0.28), (0, 0.22)], mix(paper, ink("ffd36a"), 0.45)
    )
    pen.both([(0, 0.86), (0.05, 0.8), (0.08, 0.6), (0.075, 0.44), (0, 0.26)], mix(paper, ink("ffe9a8"), 0.8))
    for y, half in ((0.74, 0.3), (0.55, 0.365), (0.37, 0.31)):
        pen.line([(-half, y), (0, y - 0.025), (half, y)], 0.012, darker(paper, 0.12))
    pen.both([(0, 0.95), (0.14, 0.95), (0.15, 0.87), (0, 0.855)], _GOLD)
    pen.both([(0, 0.25), (0.14, 0.24), (0.13, 0.17), (0, 0.16)], _GOLD)


def book(pen: Pen, dice: Random) -> None:
    cover = ink(dice.choice(["3f6f96", "c9503f", "6b5fa0", "3f8f70"]))
    for side in (False, True):
        half = pen.at(0, 0, flip=side)
        half.blob([(0, 0.0), (0.3, 0.04), (0.66, 0.1), (0.68, 0.42), (0.3, 0.38), (0, 0.3)], cover)
        for lift in (0.0, 0.025, 0.05):
            page = mix(_CREAM, ink("d9c2a0"), 0.5 - lift * 10)
            half.blob(
                [
                    (0, 0.05 + lift),
                    (0.2, 0.12 + lift),
                    (0.42, 0.12 + lift),
                    (0.62, 0.13 + lift),
                    (0.62, 0.43 + lift),
                    (0.42, 0.45 + lift),
                    (0.2, 0.44 + lift),
                    (0, 0.33 + lift),
                ],
                page,
            )
        for y in (0.26, 0.32, 0.38):
            half.line([(0.1, y), (0.3, y + 0.045), (0.53, y + 0.035)], 0.014, ink("b59f8a"))
    pen.line([(0, 0.07), (0, 0.37)], 0.014, ink("b59f8a"))
    for x, y, size in ((-0.3, 0.74, 0.07), (0.02, 0.9, 0.1), (0.3, 0.7, 0.06), (-0.1, 0.62, 0.045), (0.16, 1.1, 0.05)):
        star(pen.at(x, y - size, size * 2), dice)


def kite(pen: Pen, dice: Random) -> None:
    one, two = (ink(code) for code in dice.choice([("e4605a", "f9cf6a"), ("3f8fb0", "fbe3b4"), ("7f6fc0", "f7a8a0")]))
    pen.line([(0, 0.3), (-0.1, 0.14), (0.02, 0.0), (-0.12, -0.16), (-0.02, -0.34)], 0.014, _WOOD)
    for x, y in ((-0.09, 0.12), (0.0, -0.02), (-0.11, -0.17)):
        pen.blob([(x, y), (x - 0.1, y + 0.05), (x - 0.1, y - 0.05)], two)
        pen.blob([(x, y), (x + 0.1, y + 0.05), (x + 0.1, y - 0.05)], one)
    pen.shape([(0, 1.08), (0.34, 0.76), (0, 0.28), (-0.34, 0.76)], one)
    pen.shape([(0, 1.08), (0, 0.76), (-0.34, 0.76)], two)
    pen.shape([(0, 0.28), (0, 0.76), (0.34, 0.76)], two)
    pen.line([(0, 1.08), (0, 0.28)], 0.014, _WOOD)
    pen.line([(-0.34, 0.76), (0.34, 0.76)], 0.014, _WOOD)


def umbrella(pen: Pen, dice: Random) -> None:
    cloth = ink(dice.choice(["d6453d", "e3a02f", "3f8f96", "7f6fc0"]))
    pen.line([(0, 1.0), (0, 0.12), (0.05, 0.03), (0.12, 0.05), (0.13, 0.14)], 0.036, _WOOD)
    dome = [(0, 1.02), (0.26, 0.95), (0.44, 0.76), (0.5, 0.52)]
    scallops = [(0.42, 0.57), (0.33, 0.53), (0.25, 0.59), (0.16, 0.54), (0.08, 0.6), (0, 0.55)]
    pen.both([*dome, *scallops], cloth)
    pen.blob(
        [(0, 1.02), (0.11, 0.82), (0.16, 0.54), (0.08, 0.59), (0, 0.55), (-0.08, 0.59), (-0.16, 0.54), (-0.11, 0.82)],
        lighter(cloth, 0.35),
    )
    pen.blob([(0.26, 0.95), (0.44, 0.76), (0.5, 0.52), (0.42, 0.57), (0.33, 0.53), (0.31, 0.76)], darker(cloth, 0.14))
    pen.line([(0, 1.0), (0, 1.08)], 0.026, _WOOD)


def star(pen: Pen, dice: Random) -> None:
    """A fat five-pointed star with a face, hanging in the air."""
    gold = ink(dice.choice(["ffd766", "ffe08f", "fbc95a"]))
    outer, inner = ring(0, 0.5, 0.5, 0.5, turn=90, steps=5), ring(0, 0.5, 0.28, 0.28, turn=126, steps=5)
    pen.blob([point for spike in zip(outer, inner, strict=True) for point in spike], gold)
    for side in (-1, 1):
        pen.oval(side * 0.1, 0.52, 0.028, 0.038, _DARK)
        pen.oval(side * 0.16, 0.43, 0.045, 0.03, ink("f2795f"), opacity=0.5)
    pen.line([(-0.05, 0.43), (0, 0.41), (0.05, 0.43)], 0.018, _DARK)
