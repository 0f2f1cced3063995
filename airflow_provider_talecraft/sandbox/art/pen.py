"""Curves and the pen that fills them. What is drawn with them is said in the modules of figures and scenery."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Sequence

Colour = tuple[int, int, int]
Point = tuple[float, float]


def ink(code: str) -> Colour:
    """``"#f2a65a"`` or ``"f2a65a"`` as red, green, blue."""
    code = code.lstrip("#")
    return int(code[0:2], 16), int(code[2:4], 16), int(code[4:6], 16)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """*one* with a *share* (0 to 1) of *other* stirred in."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def darker(colour: Colour, share: float = 0.18) -> Colour:
    """Towards a warm plum, because shadows of pure black look like dirt."""
    return mix(colour, (52, 30, 62), share)


def lighter(colour: Colour, share: float = 0.25) -> Colour:
    """Towards the cream of the paper, for the same reason."""
    return mix(colour, (255, 248, 228), share)


@lru_cache(maxsize=4)
def _weights(steps: int) -> list[tuple[float, float, float, float]]:
    """How much of each of four neighbours is in a point of a Catmull-Rom curve, from the second to the third."""
    weights = []
    for step in range(steps):
        t = step / steps
        tt, ttt = t * t, t * t * t
        first, second = 0.5 * (-ttt + 2 * tt - t), 0.5 * (3 * ttt - 5 * tt + 2)
        weights.append((first, second, 0.5 * (-3 * ttt + 4 * tt + t), 0.5 * (ttt - tt)))
    return weights


def smooth(points: Sequence[Point], *, closed: bool = True, steps: int = 8) -> list[Point]:
    """A Catmull-Rom curve through *points*, as short straight pieces."""
    around = [points[-1], *points, points[0], points[1]] if closed else [points[0], *points, points[-1]]
    curve: list[Point] = []
    for i in range(len(around) - 3):
        (px, py), (qx, qy), (rx, ry), (sx, sy) = around[i : i + 4]
        curve += [
            (a * px + b * qx + c * rx + d * sx, a * py + b * qy + c * ry + d * sy) for a, b, c, d in _weights(steps)
        ]
    if not closed:
        curve.append(points[-1])
    return curve


@lru_cache(maxsize=16)
def _circle(steps: int) -> list[Point]:
    return [(math.cos(math.tau * step / steps), math.sin(math.tau * step / steps)) for step in range(steps)]


def ring(x: float, y: float, rx: float, ry: float, *, turn: float = 0, steps: int = 40) -> list[Point]:
    """An ellipse around (*x*, *y*), turned by *turn* degrees."""
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return [(x + rx * a * cos - ry * b * sin, y + rx * a * sin + ry * b * cos) for a, b in _circle(steps)]


def tint(picture: Image.Image, colour: Colour, at: tuple[int, int], mask: Image.Image) -> None:
    """Lay *colour* over *picture* at *at*, as thick as *mask* says."""
    # Pasting a sheet of the colour takes a third of the time of pasting the colour itself.
    picture.paste(Image.new("RGB", mask.size, colour), at, mask)


class Pen:
    """Fills shapes on one picture, in units of its own: x to the right, y up, from *foot*, one unit *scale* px.

    :param foot: where the unit space begins, in pixels of the picture.
    :param flip: looks to the left what was drawn looking to the right.
    :param veil: the colour of the air, and how much of it (0 to 1) lies over everything this pen draws.
    :param stencil: a mask of the picture's size, in which everything opaque is repeated in white.
    """

    def __init__(
        self,
        picture: Image.Image,
        foot: Point = (0, 0),
        scale: float = 1.0,
        *,
        flip: bool = False,
        veil: tuple[Colour, float] = ((0, 0, 0), 0.0),
        stencil: Image.Image | None = None,
    ) -> None:
        self.picture = picture
        self.foot = foot
        self.scale = scale
        self.flip = flip
        self.veil = veil
        self.stencil = stencil
        # On an RGB picture, mode RGBA blends; plain RGB overwrites, in half the time.
        self._solid = ImageDraw.Draw(picture)
        self._glaze = ImageDraw.Draw(picture, "RGBA")
        self._trace = ImageDraw.Draw(stencil) if stencil else None

    def at(self, x: float, y: float, scale: float = 1.0, *, flip: bool = False) -> Pen:
        """A pen whose unit space begins at (*x*, *y*) of this one, for a detail drawn in units of its own."""
        (foot,) = self._pixels([(x, y)])
        turned = self.flip != flip
        return Pen(self.picture, foot, self.scale * scale, flip=turned, veil=self.veil, stencil=self.stencil)

    def shape(self, points: Sequence[Point], colour: Colour, opacity: float = 1.0) -> None:
        """Straight edges between *points*."""
        outline = self._pixels(points)
        colour = mix(colour, *self.veil) if self.veil[1] else colour
        if opacity < 1.0:
            self._glaze.polygon(outline, fill=(*colour, round(255 * opacity)))
            return
        self._solid.polygon(outline, fill=colour)
        if self._trace:
            self._trace.polygon(outline, fill=255)

    def blob(self, points: Sequence[Point], colour: Colour, opacity: float = 1.0) -> None:
        """A closed curve through *points*."""
        self.shape(smooth(points), colour, opacity)

    def oval(  # six numbers say an ellipse, and a tuple would only hide them
        self, x: float, y: float, rx: float, ry: float, colour: Colour, *, turn: float = 0, opacity: float = 1.0
    ) -> None:
        """An ellipse around (*x*, *y*)."""
        steps = 40 if max(rx, ry) * self.scale > 16 else 16  # below 16 px corners do not show
        self.shape(ring(x, y, rx, ry, turn=turn, steps=steps), colour, opacity)

    def mirrored(self, points: Sequence[Point], colour: Colour, opacity: float = 1.0) -> None:
        """One closed curve on the right, and its mirror image on the left: ears, eyes, wings, boots."""
        self.blob(points, colour, opacity)
        self.blob([(-x, y) for x, y in points], colour, opacity)

    def both(self, points: Sequence[Point], colour: Colour, opacity: float = 1.0) -> None:
        """The right half of a symmetrical shape, top to bottom, completed on the left."""
        self.blob([*points, *((-x, y) for x, y in reversed(points) if x > 0)], colour, opacity)

    def pair(self, x: float, y: float, rx: float, ry: float, colour: Colour, *, turn: float = 0) -> None:
        """An ellipse on the right, and its mirror image on the left."""
        self.oval(x, y, rx, ry, colour, turn=turn)
        self.oval(-x, y, rx, ry, colour, turn=-turn)

    def line(
        self, points: Sequence[Point], width: float, colour: Colour, *, end: float | None = None, opacity: float = 1.0
    ) -> None:
        """A brush stroke through *points* with round ends, *width* thick, thinning to *end*."""
        path = smooth(points, closed=False) if len(points) > 2 else list(points)
        end = width if end is None else end
        left: list[Point] = []
        right: list[Point] = []
        for i, (x, y) in enumerate(path):
            before, after = path[max(i - 1, 0)], path[min(i + 1, len(path) - 1)]
            dx, dy = after[0] - before[0], after[1] - before[1]
            length = math.hypot(dx, dy) or 1.0
            half = (width + (end - width) * i / (len(path) - 1)) / 2
            left.append((x - dy / length * half, y + dx / length * half))
            right.append((x + dy / length * half, y - dx / length * half))
        self.shape(left + right[::-1], colour, opacity)
        if opacity == 1.0:
            self.oval(*path[0], width / 2, width / 2, colour)
            self.oval(*path[-1], end / 2, end / 2, colour)

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        across = -self.scale if self.flip else self.scale
        x0, y0 = self.foot
        return [(x0 + x * across, y0 - y * self.scale) for x, y in points]
