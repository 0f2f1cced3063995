"""Furry figures that sit and look at the reader: one body, and a table of coats, ears and tails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_talecraft.sandbox.art.pen import Colour, Pen, darker, ink, lighter, mix

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_EYE = ink("33222f")
_BLUSH = ink("f2795f")
_SCARVES = tuple(ink(code) for code in ("d6453d", "2f7f86", "e3a02f", "56619f", "c4567f"))


@dataclass(frozen=True)
class Species:
    """What tells one sitting animal from another. *point* colours socks, ear tips and the like."""

    coat: str
    pale: str
    ears: str
    tail: str
    point: str | None = None
    head: str = "round"
    mask: str | None = None
    nose: str = "3b2730"
    extra: str | None = None


SPECIES = {
    "fox": Species("e8743b", "fff1dc", "pointed", "brush", point="4a2c33", head="foxy", mask="cheeks"),
    "wolf": Species("7f8a9b", "e9ecec", "pointed", "brush", point="4f5869", head="foxy", mask="cheeks"),
    "cat": Species("f0a850", "fff0d8", "cat", "curl", mask="muzzle", nose="d9656b", extra="stripes"),
    "dog": Species("c98a55", "fbe9cf", "floppy", "wag", point="8a5636", mask="blaze"),
    "rabbit": Species("e9d9cc", "fff8ef", "long", "puff", mask="muzzle", nose="d9737a"),
    "bear": Species("9c6644", "e6c39a", "round", "none", mask="muzzle"),
    "panda": Species("fbf5ea", "fbf5ea", "round", "none", point="3a3440", extra="panda"),
    "mouse": Species("a9a5b3", "ece4e6", "dish", "string", mask="muzzle", nose="d9737a"),
    "lion": Species("eeb457", "fdebc8", "round", "tuft", point="b3632e", mask="muzzle", extra="mane"),
    "tiger": Species("f0993d", "fff3de", "round", "curl", point="4a2c33", mask="muzzle", extra="stripes"),
    "pig": Species("f4b0ac", "fbd2cc", "flap", "none", mask="snout", nose="d9787c"),
    "deer": Species("c98752", "f8e3c6", "leaf", "puff", mask="muzzle", extra="antlers"),
    "squirrel": Species("b8653a", "f6dcb8", "tufted", "plume", mask="muzzle"),
}

_HEADS = {
    "round": [(0, 0.88), (0.15, 0.85), (0.255, 0.74), (0.265, 0.61), (0.17, 0.5), (0, 0.465)],
    "foxy": [(0, 0.865), (0.14, 0.84), (0.24, 0.74), (0.33, 0.6), (0.2, 0.545), (0.09, 0.48), (0, 0.465)],
}


def sitting(name: str) -> Callable[[Pen, Random], None]:
    """The painter of one of the SPECIES."""

    def paint(pen: Pen, dice: Random) -> None:
        _animal(pen, SPECIES[name], dice)

    return paint


def _animal(pen: Pen, kind: Species, dice: Random) -> None:
    coat, pale = ink(kind.coat), ink(kind.pale)
    point = ink(kind.point) if kind.point else coat
    _tail(pen, kind.tail, coat, pale, point)
    _body(pen, kind, coat, pale, point)
    scarf = dice.choice(_SCARVES)
    pen.blob([(0.07, 0.47), (0.17, 0.4), (0.24, 0.27), (0.17, 0.24), (0.12, 0.36)], darker(scarf))
    pen.both([(0, 0.53), (0.18, 0.51), (0.2, 0.45), (0.12, 0.405), (0, 0.395)], scarf)
    if kind.extra == "mane":
        for turn in range(12):
            pen.at(0, 0.68).oval(0, 0, 0.34, 0.12, mix(point, ink("d98a3d"), turn % 2 * 0.5), turn=turn * 15)
    if kind.extra == "antlers":
        for side in (False, True):
            horn = pen.at(0, 0, flip=side)
            horn.line([(0.08, 0.84), (0.14, 0.98), (0.25, 1.1), (0.27, 1.22)], 0.036, ink("8a5f3f"), end=0.02)
            horn.line([(0.16, 1.0), (0.13, 1.09), (0.14, 1.17)], 0.028, ink("8a5f3f"), end=0.016)
            horn.line([(0.23, 1.08), (0.32, 1.1), (0.36, 1.16)], 0.026, ink("8a5f3f"), end=0.016)
    _ears(pen, kind.ears, coat, pale, point)
    pen.both(_HEADS[kind.head], coat)
    if kind.extra == "stripes":
        _stripes(pen, point if kind.point else darker(coat, 0.3))
    _face(pen, kind, coat, pale)


def _body(pen: Pen, kind: Species, coat: Colour, pale: Colour, point: Colour) -> None:
    panda = kind.extra == "panda"
    limbs = point if panda else coat
    pen.both([(0, 0.58), (0.13, 0.52), (0.215, 0.36), (0.27, 0.18), (0.24, 0.04), (0.1, 0.0), (0, 0.0)], coat)
    if panda:
        pen.both([(0, 0.56), (0.14, 0.52), (0.215, 0.4), (0.215, 0.3), (0, 0.33)], point)
    else:
        pen.both([(0, 0.46), (0.1, 0.4), (0.125, 0.24), (0.1, 0.06), (0, 0.04)], pale)
    pen.mirrored(
        [(0.15, 0.24), (0.25, 0.25), (0.31, 0.12), (0.27, 0.02), (0.17, 0.01), (0.125, 0.1)], darker(limbs, 0.07)
    )
    pen.pair(0.2, 0.028, 0.095, 0.038, darker(point, 0.05))
    pen.mirrored(
        [(0.03, 0.33), (0.11, 0.35), (0.125, 0.2), (0.115, 0.03), (0.04, 0.03), (0.03, 0.2)], lighter(limbs, 0.06)
    )
    if point != coat and not panda:
        pen.mirrored([(0.035, 0.14), (0.077, 0.165), (0.12, 0.14), (0.115, 0.02), (0.045, 0.02)], point)
    pen.pair(0.08, 0.028, 0.062, 0.034, lighter(point, 0.08))


def _tail(pen: Pen, tail: str, coat: Colour, pale: Colour, point: Colour) -> None:
    if tail == "brush":
        pen.blob(
            [
                (0.12, 0.03),
                (0.3, 0.0),
                (0.46, 0.08),
                (0.53, 0.26),
                (0.5, 0.43),
                (0.44, 0.54),
                (0.38, 0.42),
                (0.34, 0.3),
                (0.24, 0.18),
            ],
            coat,
        )
        pen.blob(
            [(0.445, 0.55), (0.385, 0.43), (0.37, 0.37), (0.43, 0.39), (0.455, 0.345), (0.52, 0.36), (0.495, 0.45)],
            pale,
        )
    elif tail == "plume":
        pen.blob(
            [
                (0.1, 0.03),
                (0.32, 0.0),
                (0.46, 0.16),
                (0.44, 0.42),
                (0.5, 0.6),
                (0.58, 0.66),
                (0.55, 0.82),
                (0.4, 0.88),
                (0.28, 0.76),
                (0.26, 0.5),
                (0.22, 0.25),
            ],
            darker(coat, 0.1),
        )
        pen.blob(
            [
                (0.3, 0.1),
                (0.39, 0.24),
                (0.37, 0.45),
                (0.43, 0.66),
                (0.5, 0.72),
                (0.45, 0.8),
                (0.35, 0.72),
                (0.32, 0.5),
                (0.28, 0.25),
            ],
            lighter(coat, 0.25),
        )
    elif tail == "curl":
        pen.line(
            [(0.15, 0.05), (0.36, 0.04), (0.46, 0.16), (0.42, 0.32), (0.36, 0.42), (0.42, 0.52)],
            0.085,
            darker(coat, 0.06),
            end=0.06,
        )
    elif tail == "wag":
        pen.line([(0.18, 0.08), (0.34, 0.14), (0.42, 0.28), (0.41, 0.4)], 0.1, coat, end=0.035)
    elif tail == "puff":
        pen.oval(0.29, 0.12, 0.085, 0.085, lighter(pale, 0.4))
    elif tail == "string":
        pen.line([(0.15, 0.04), (0.35, 0.03), (0.48, 0.1), (0.5, 0.24), (0.44, 0.34)], 0.035, ink("d99a9a"), end=0.015)
    elif tail == "tuft":
        pen.line([(0.15, 0.05), (0.36, 0.05), (0.45, 0.18), (0.44, 0.34)], 0.05, coat, end=0.04)
        pen.blob([(0.4, 0.32), (0.49, 0.34), (0.49, 0.46), (0.42, 0.52), (0.37, 0.42)], point)


def _ears(pen: Pen, ears: str, coat: Colour, pale: Colour, point: Colour) -> None:
    inside = mix(pale, _BLUSH, 0.35)
    if ears == "pointed":
        pen.mirrored([(0.06, 0.84), (0.16, 0.99), (0.235, 1.08), (0.275, 0.94), (0.26, 0.72)], coat)
        pen.mirrored([(0.16, 0.985), (0.235, 1.08), (0.272, 0.955), (0.22, 0.965)], point)
        pen.mirrored([(0.12, 0.84), (0.19, 0.95), (0.225, 0.975), (0.235, 0.8)], pale)
    elif ears in {"cat", "tufted"}:
        tall = 1.0 if ears == "cat" else 1.05
        pen.mirrored([(0.05, 0.84), (0.15, 0.95), (0.215, tall), (0.25, 0.9), (0.255, 0.72)], coat)
        pen.mirrored([(0.12, 0.86), (0.175, 0.93), (0.205, tall - 0.06), (0.22, 0.8)], inside)
    elif ears == "floppy":
        pen.mirrored(
            [(0.12, 0.86), (0.25, 0.87), (0.33, 0.74), (0.335, 0.56), (0.28, 0.49), (0.225, 0.6), (0.2, 0.75)], point
        )
    elif ears == "long":
        pen.mirrored([(0.03, 0.82), (0.035, 1.05), (0.1, 1.26), (0.17, 1.26), (0.185, 1.06), (0.16, 0.8)], coat)
        pen.mirrored([(0.07, 0.86), (0.075, 1.05), (0.115, 1.19), (0.145, 1.19), (0.15, 1.04), (0.13, 0.86)], inside)
    elif ears == "dish":
        pen.pair(0.225, 0.88, 0.135, 0.135, coat)
        pen.pair(0.23, 0.88, 0.09, 0.09, inside)
    elif ears == "flap":
        pen.mirrored([(0.08, 0.84), (0.17, 0.97), (0.27, 0.93), (0.29, 0.76), (0.2, 0.8)], darker(coat, 0.08))
    elif ears == "leaf":
        pen.mirrored([(0.14, 0.8), (0.22, 0.9), (0.38, 0.93), (0.36, 0.82), (0.22, 0.73)], coat)
        pen.mirrored([(0.2, 0.81), (0.26, 0.87), (0.345, 0.9), (0.33, 0.835), (0.24, 0.78)], inside)
    else:
        pen.pair(0.19, 0.86, 0.088, 0.088, point)
        pen.pair(0.19, 0.855, 0.05, 0.05, mix(point, pale, 0.45))


def _stripes(pen: Pen, colour: Colour) -> None:
    pen.blob([(0, 0.88), (0.018, 0.865), (0, 0.775), (-0.018, 0.865)], colour)
    pen.mirrored([(0.06, 0.87), (0.09, 0.855), (0.06, 0.79)], colour)
    pen.mirrored([(0.265, 0.7), (0.27, 0.665), (0.19, 0.675)], colour)
    pen.mirrored([(0.262, 0.62), (0.25, 0.585), (0.185, 0.615)], colour)


def _face(pen: Pen, kind: Species, coat: Colour, pale: Colour) -> None:
    nose = ink(kind.nose)
    if kind.mask == "cheeks":
        pen.both(
            [
                (0, 0.6),
                (0.055, 0.645),
                (0.13, 0.645),
                (0.22, 0.61),
                (0.322, 0.597),
                (0.2, 0.545),
                (0.09, 0.48),
                (0, 0.465),
            ],
            pale,
        )
    elif kind.mask == "blaze":
        pen.both([(0, 0.87), (0.035, 0.82), (0.04, 0.7), (0.12, 0.63), (0.135, 0.54), (0.06, 0.48), (0, 0.47)], pale)
    elif kind.mask == "muzzle":
        pen.both([(0, 0.635), (0.07, 0.63), (0.135, 0.575), (0.11, 0.505), (0, 0.475)], pale)
    elif kind.mask == "snout":
        pen.oval(0, 0.59, 0.105, 0.075, mix(coat, nose, 0.35))
    if kind.extra == "panda":
        pen.mirrored([(0.06, 0.66), (0.1, 0.73), (0.165, 0.71), (0.18, 0.63), (0.13, 0.59)], ink("3a3440"))
    for side in (-1, 1):
        x, white = side * 0.115, ink("fffaf0")
        if kind.extra == "panda":
            pen.oval(x, 0.665, 0.032, 0.036, white)
        pen.oval(x, 0.665, 0.027, 0.036, _EYE)
        pen.oval(x + 0.009, 0.68, 0.01, 0.011, white)
        pen.oval(side * 0.185, 0.59, 0.044, 0.028, _BLUSH, opacity=0.38)
    if kind.mask == "snout":
        pen.pair(0.035, 0.59, 0.017, 0.026, darker(nose, 0.3))
    else:
        pen.both([(0, 0.596), (0.034, 0.59), (0.03, 0.57), (0, 0.553)], nose)
        pen.line([(0, 0.56), (0, 0.535)], 0.011, nose)
    pen.line([(-0.045, 0.535), (-0.024, 0.521), (0, 0.531), (0.024, 0.521), (0.045, 0.535)], 0.011, darker(nose, 0.2))
