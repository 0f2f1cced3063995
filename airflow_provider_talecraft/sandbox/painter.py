"""A picture-book page for a prompt: a JPEG made of nothing but the prompt, a ratio and a seed.

Here is the page: its size, its margin, its paper, its bytes. The scene is composed in
art/, the caption in lettering.py.
"""

from __future__ import annotations

import hashlib
import io
import math
from functools import lru_cache
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from airflow_provider_talecraft.sandbox import lettering
from airflow_provider_talecraft.sandbox.art import scene, words

# Ratios are exact; the long edge is the multiple nearest to 1024 px.
SIZES: dict[str, tuple[int, int]] = {
    "1:1": (1024, 1024),
    "2:3": (682, 1023),
    "3:2": (1023, 682),
    "3:4": (768, 1024),
    "4:3": (1024, 768),
    "9:16": (576, 1024),
    "16:9": (1024, 576),
}

_PAPER = (252, 244, 228)
_QUALITY = 88
# Drawn at twice the size and reduced: PIL's polygons have no smooth edges of their own.
_FINER = 2


def paint(prompt: str, aspect_ratio: str, *, seed: int = 0) -> bytes:
    """The JPEG for *prompt*: the same bytes for the same arguments and the same Pillow.

    :param aspect_ratio: one of the keys of SIZES.
    :param seed: another seed is another picture of the same prompt.
    :raises ValueError: the ratio is not in SIZES.
    """
    if aspect_ratio not in SIZES:
        raise ValueError(f"no such aspect_ratio: {aspect_ratio!r}. Use one of {', '.join(SIZES)}.")
    width, height = SIZES[aspect_ratio]
    unit = math.sqrt(width * height)
    margin = round(unit * 0.026)
    page = Image.new("RGB", (width, height), _PAPER)
    caption = lettering.fit(prompt, width=width - 5 * margin, size=round(unit * 0.035))
    band = caption.height + margin if caption else 0
    size = (width - 2 * margin, height - 2 * margin - band)
    picture = scene.compose(words.read(prompt), _dice(prompt, seed), (size[0] * _FINER, size[1] * _FINER))
    page.paste(picture.reduce(_FINER), (margin, margin), _rounded(size, round(unit * 0.03)))
    if caption:
        lettering.draw(page, caption, top=margin + size[1] + round(margin * 0.75))
    return _encoded(ImageChops.add(page, _grain(page.size), scale=1.0, offset=-_GRAIN // 2))


def _dice(prompt: str, seed: int) -> Random:
    """Not hash(): it is salted, and tomorrow's picture would be another."""
    told = f"{seed}:{prompt}".encode("utf-8", "surrogatepass")
    return Random(int.from_bytes(hashlib.sha256(told).digest(), "big"))


def _rounded(size: tuple[int, int], radius: int) -> Image.Image:
    mask = Image.new("L", (size[0] * _FINER, size[1] * _FINER))
    corner = (mask.width - 1, mask.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *corner), radius * _FINER, fill=255)
    return mask.reduce(_FINER)


_GRAIN = 12


@lru_cache(maxsize=len(SIZES))
def _grain(size: tuple[int, int]) -> Image.Image:
    """The tooth of the paper: noise of up to _GRAIN levels, the same on every page of one size."""
    noise = Image.frombytes("L", (256, 256), Random(1).randbytes(256 * 256)).filter(ImageFilter.GaussianBlur(0.7))
    sheet = Image.new("L", size)
    for x in range(0, size[0], 256):
        for y in range(0, size[1], 256):
            sheet.paste(noise, (x, y))
    flat = sheet.point([min(_GRAIN, max(0, round((v - 128) * 0.08 + _GRAIN / 2))) for v in range(256)])
    return Image.merge("RGB", (flat, flat, flat))


def _encoded(page: Image.Image) -> bytes:
    out = io.BytesIO()
    page.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
