"""The colours of an hour, a season, a place. Which of them a prompt asks for is read in words.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_talecraft.sandbox.art.pen import Colour, ink, mix

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True)
class Palette:
    """Colours that were chosen to be seen together.

    *sky* runs from the zenith to the horizon, *land* from the farthest ridge to the meadow in front, *leaves* are the
    crowns of trees, *blooms* the small bright spots.
    """

    sky: tuple[Colour, ...]
    land: tuple[Colour, ...]
    front: Colour
    leaves: tuple[Colour, ...]
    blooms: tuple[Colour, ...]
    cloud: Colour
    light: Colour
    water: tuple[Colour, Colour]
    night: bool = False
    stars: int = 0
    dim: float = 0.0

    @property
    def veil(self) -> tuple[Colour, float]:
        """The air between the eye and a figure: nearly none by day, blue by night."""
        return mix(self.sky[0], self.sky[1], 0.5), self.dim


def _inks(codes: str) -> tuple[Colour, ...]:
    return tuple(ink(code) for code in codes.split())


def _palette(
    sky: str,
    land: str,
    front: str,
    leaves: str,
    blooms: str,
    *,
    cloud: str = "fffaf0",
    light: str = "ffdc8c",
    water: str = "8fd0d2 3f8fa3",
    night: bool = False,
    stars: int = 0,
    dim: float = 0.0,
) -> Palette:
    shallow, deep = _inks(water)
    return Palette(
        _inks(sky), _inks(land), ink(front), _inks(leaves), _inks(blooms),
        ink(cloud), ink(light), (shallow, deep), night, stars, dim,
    )  # fmt: skip


_WARM_BLOOMS = "f26d5b ffd166 fff3e0 f7a1b5"
_COLD_BLOOMS = "f7e3a1 b9c6ff f2b5d4 fff6e0"

PALETTES: dict[str, tuple[Palette, ...]] = {
    "day": (
        _palette(
            "63b7cf a8dcd9 fbf0cf", "b3d6c3 8cc19b 66a877 4a8f66", "235347", "3f8f6b 5fa868 86bb5c 2f7a66 e9b44c",
            _WARM_BLOOMS,
        ),
        _palette(
            "4fa6d8 9dd6ec fdf2d3", "a5d0c0 86bf84 6aa862 4d8c50", "28593f", "4a9454 74ae4f a3c455 35804f f0c04f",
            _WARM_BLOOMS,
        ),
        _palette(
            "f2b880 f9dca6 fff2d4", "d9c596 b8b678 93a566 6b8a58", "3b5743", "7d9a55 a9a850 d9a441 5d8253 e07a4b",
            _WARM_BLOOMS, water="f3d9ae 7fb0a3",
        ),
        _palette(
            "9fa3dc d6c6ea fde6da", "c0b6e0 9fa7cf 7f9fb4 5d8a94", "34506a", "6f93b5 8fa9c9 b7a3cf 567f9b f0a8a8",
            "ff9eaa ffe08a fff4ea c7f0d8", water="c3cbe8 6a8fb8",
        ),
        _palette(
            "5fbdb7 b5e3cf fff0cc", "bfe0c0 95cfa4 5fb592 3a9483", "1f5a5a", "2f9a84 59b88a 9ccf7d 23807a f4b860",
            _WARM_BLOOMS,
        ),
    ),
    "autumn": (
        _palette(
            "86b7c4 f0dcbc fcebca", "dcbb90 d39c5f bd7a46 96573d", "55303a", "d9763a e8a13c c4502f f0c35a 9c6b3c",
            "ffd166 f26d5b fff3e0 e2953f", water="cfd9c6 6f97a0",
        ),
        _palette(
            "e8b890 f7dcb0 fff0d2", "cfa58c b98360 a06a48 7f5240", "4a2c38", "c9542f e58a35 f0b64a a33d33 8f7a3f",
            "ffd166 f26d5b fff3e0 e2953f", water="f0cfa8 8a8f93",
        ),
    ),
    "dawn": (
        _palette(
            "8f9bd0 f3b3ad ffe3b5", "c9a8c4 a48db5 7f86a3 5c7f8a", "33475f", "6d8f93 8aa694 b798b0 517684 f2a38f",
            "ffb3a7 ffe08a fff4ea d5c7f2", light="ffe9b0", cloud="ffe4d9", water="f4c5b5 7a8db3", dim=0.04,
        ),
        _palette(
            "f0a59a f8cba8 fff1cf", "d8aeb3 b894a6 8f8f9c 668a86", "38505a", "7b9c86 a3ad80 c99a94 5d8480 f4b07c",
            "ffb3a7 ffe08a fff4ea f2c7d5", light="fff0bd", cloud="fff0e2", water="f7cdb3 8497ab", dim=0.03,
        ),
    ),
    "sunset": (
        _palette(
            "4f4a8c d9768c ffc27d", "a9648d 834f80 5f4575 47406c", "251d42", "6b4a7d 8c5580 b5617c 53457a e58a6b",
            "ffb066 ffe08a ff8fa3 ffe9d0", light="ffe2a0", cloud="f7a58f", water="f2a07f 5d4f8c", dim=0.1,
        ),
        _palette(
            "d9605c f49465 ffd58a", "b5617a 8f5272 694a69 4f4a63", "2b2140", "7d5570 a06070 c76f62 5d4c6d efa05f",
            "ffd166 ffb3a7 fff0d0 f26d5b", light="fff0b8", cloud="ffc79a", water="ffb87a 7d5a85", dim=0.07,
        ),
    ),
    "night": (
        _palette(
            "131a45 2a3a7d 7f86c4", "4f5fa3 3d4f92 31437f 293a6d", "0f1838", "38508f 46609c 5a6fa8 2c437e 6a6fb0",
            _COLD_BLOOMS, cloud="6f7dbd", light="fff1c4", water="6672b8 1e2c66", night=True, stars=70, dim=0.16,
        ),
        _palette(
            "0c2540 1a5068 7fb5a8", "3f7f86 2f6c76 265c67 1f4f5b", "0a2230", "2f6f78 3d8380 52968a 245d69 6f9f86",
            _COLD_BLOOMS, cloud="5b9199", light="fff4cf", water="5fa3a3 153f55", night=True, stars=70, dim=0.14,
        ),
        _palette(
            "21184d 4d3788 c78ab8", "6f56a3 5a478f 4a3d7d 3d356c", "1a1238", "57488f 6c559b 8562a5 483f82 a06aa5",
            _COLD_BLOOMS, cloud="8f6cb5", light="fff0c9", water="9a72b3 33276b", night=True, stars=70, dim=0.14,
        ),
    ),
    "winter": (
        _palette(
            "86b5d9 c5dfee fdf0e6", "c5d9e8 d3e3ef e3eef6 f3f8fb", "4f7890", "4f8594 6b9ba3 3f7183 87b0b3 5d8f8f",
            "e4572e f7c8cf ffe08a ffffff", cloud="ffffff", light="ffe9b8", water="b8dbe8 5f97b8",
        ),
        _palette(
            "b9b5de e6d0e2 fff0e2", "d3d0e8 dcdcf0 e8eaf6 f6f6fb", "5a6f96", "6684a3 7f9bb3 56769a 9ab0c4 7f8fb5",
            "e4572e f7c8cf ffe08a ffffff", cloud="fffaff", light="ffe3b0", water="c5d0ea 7391bd",
        ),
    ),
    "winter night": (
        _palette(
            "16234f 38558f a3bddd", "7e9ac6 97b0d6 b3c8e5 cfdef1", "1d3157", "355f87 467396 2b5279 5d88a8 3f6f8a",
            "f7e3a1 ffb3a7 ffffff d5e6ff", cloud="8fa9d3", light="fff3cf", water="86a5d1 28477f", night=True,
            stars=60, dim=0.12,
        ),
    ),
    "rain": (
        _palette(
            "6a8ba3 a5bcc4 dfe3d9", "9fb8b5 7fa39c 638c82 4a746b", "23464a", "4f8278 6b9a82 3f6f6c 86a886 5d8f93",
            "f26d5b ffd166 fff3e0 f7a1b5", cloud="c9d4d6", light="f7efd2", water="a9c4c8 4f7f92", dim=0.05,
        ),
    ),
    "rainy night": (
        _palette(
            "1d2b4a 3f5674 8299a8", "54707f 456070 385162 2e4556", "12222f", "3a5c69 4a6f78 2e4d5d 5d808a 456a70",
            "ffd98a b9c6ff f2b5d4 fff6e0", cloud="6f8494", light="f2ead0", water="6f8b9c 243b56", night=True,
            dim=0.16,
        ),
    ),
    "desert": (
        _palette(
            "5fb3c9 f0dfb8 fdeccb", "f0cb98 e8b277 dc9a5d c98149", "7a4038", "6f9a6b 8fae6b 55856a a8b86f 4f7d66",
            "f2545b ffd166 fff3e0 f7a1b5", light="ffe29a",
        ),
    ),
    "desert night": (
        _palette(
            "1b1f52 5a3f86 e39a86", "8f6390 7c5485 6a4a7a 5a416f", "21173d", "46507f 566393 3a4573 6a74a0 4f5a8c",
            _COLD_BLOOMS, cloud="8a6aa0", light="fff1c4", water="b07a9a 3a2f6b", night=True, stars=80, dim=0.13,
        ),
    ),
    "space": (
        _palette(
            "0f0d30 2c1f63 7a4796", "5d5699 736cae 8f89c4 aca7da", "2a2357", "6a5fb0 8577c4 56509f a08fd3 7d8fd0",
            "7ee0d0 ffd166 ff9eaa fff6e0", cloud="5b3f8f", light="fff1c4", water="6a5fb0 2c2563", night=True,
            stars=150, dim=0.05,
        ),
    ),
    "forest": (
        _palette(
            "8ec5a4 cfe5ae fdf3c8", "a9cd9f 7fb286 56936d 3f7c5c", "163f37", "2f7a5a 4a9462 74ab58 236a58 a3bf5a",
            _WARM_BLOOMS, water="a8d6bb 4a8f8c",
        ),
        _palette(
            "6fb0a8 b9dcba f7f0c9", "9cc7ae 6fa98c 4c8d76 367464", "123a3b", "28705f 3f8a68 6aa568 1d5f58 d9b44c",
            _WARM_BLOOMS, water="9bd0c0 3f8590",
        ),
    ),
}  # fmt: skip


def choose(name: str, dice: Random) -> Palette:
    """One of the palettes of that *name*."""
    return dice.choice(PALETTES[name])
