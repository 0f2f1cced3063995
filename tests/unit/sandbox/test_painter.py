"""The sandbox's pictures: real JPEGs of the right size, the same for the same prompt, whatever the prompt is."""

from __future__ import annotations

import io
import subprocess
import sys
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from airflow_provider_talecraft.sandbox.art import palettes, words
from airflow_provider_talecraft.sandbox.art.figures import FIGURES, place
from airflow_provider_talecraft.sandbox.painter import SIZES, paint

FOX = "A little fox reading under the moon"


def opened(jpeg: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(jpeg))
    image.load()
    return image


def difference(one: bytes, other: bytes) -> float:
    """Mean difference of two pictures, in levels of 255."""
    histogram = ImageChops.difference(opened(one), opened(other)).convert("L").histogram()
    return sum(level * count for level, count in enumerate(histogram)) / sum(histogram)


@pytest.mark.parametrize("ratio", SIZES)
def test_every_ratio_is_a_jpeg_of_its_size(ratio):
    image = opened(paint(FOX, ratio))
    across, down = map(int, ratio.split(":"))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", SIZES[ratio])
    assert abs(image.width * down - image.height * across) < max(across, down)
    assert max(image.size) in {1023, 1024}
    assert not image.getexif()


def test_a_picture_stays_small_enough_to_look_at():
    assert len(paint("A knight, a dragon and a castle at sunset", "1:1")) < 250_000


def test_an_unknown_ratio_is_refused_by_its_name():
    with pytest.raises(ValueError, match="'5:4'"):
        paint(FOX, "5:4")


def test_the_same_prompt_and_seed_are_the_same_bytes_in_another_process_too():
    here = paint(FOX, "16:9", seed=7)
    code = "import sys; from airflow_provider_talecraft.sandbox.painter import paint;"
    code += f"sys.stdout.buffer.write(paint({FOX!r}, '16:9', seed=7))"
    there = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
    assert paint(FOX, "16:9", seed=7) == here == there


def test_another_prompt_is_visibly_another_picture():
    pictures = [paint(prompt, "9:16") for prompt in (FOX, "A whale on the sea", "小熊在雪地里", "quarterly accounts")]
    assert all(difference(pictures[i], pictures[j]) > 8 for i in range(4) for j in range(i))


def test_another_seed_is_visibly_another_picture():
    assert difference(paint(FOX, "9:16"), paint(FOX, "9:16", seed=1)) > 4


@pytest.mark.parametrize("seed", range(3))
def test_a_prompt_that_names_nothing_still_gets_a_scene(seed):
    picture = opened(paint("quarterly accounts", "9:16", seed=seed)).resize((64, 64))
    assert len(picture.getcolors(64 * 64) or ()) > 500


@pytest.mark.parametrize(
    "prompt",
    ["", "   ", "\n\r\t", "\x00", "\ud800", "a\udfff", "\u202e\u200f\u200b", "🦊🌙", "x" * 100_000,
     "狐" * 100_000, "a " * 50_000, "e" + "\u0301" * 100_000, "\u0301" * 100_000, "Z\u0351\u036b\u0343 fox", "الثعلب",
     "((((((((", "\ufdfa" * 9_000],
    ids=lambda prompt: ascii(prompt[:8]),
)  # fmt: skip
def test_a_hostile_prompt_is_painted_like_any_other(prompt):
    assert opened(paint(prompt, "9:16")).size == SIZES["9:16"]


@settings(max_examples=8, deadline=None)
@given(prompt=st.text(), ratio=st.sampled_from(["9:16", "16:9"]), seed=st.integers())
def test_whatever_the_prompt_a_picture_comes_out(prompt, ratio, seed):
    assert opened(paint(prompt, ratio, seed=seed)).size == SIZES[ratio]


@pytest.mark.parametrize(
    ("prompt", "subjects"),
    [
        ("A fox", {"fox"}),
        ("two FOXES, wolves and ponies", {"fox", "wolf"}),
        ("the fox's book", {"fox", "book"}),
        ("butterflies and puppies", {"butterfly", "dog"}),
        ("three children", {"girl"}),
        ("a category of boxes", set()),
        ("dragonfly, doghouse, starboard", set()),
        ("concatenate the birdseed", set()),
        ("小狐狸和猫头鹰", {"fox", "owl"}),
        ("猫头鹰", {"owl"}),
        ("大熊猫", {"panda"}),
        ("松鼠坐热气球", {"squirrel", "balloon"}),
        ("星期一，专家大家", set()),
        ("一条龙和一位骑士在城堡前", {"dragon", "knight", "castle"}),
        ("海边的灯塔和小船", {"lighthouse", "boat"}),
        ("鲸鱼", {"whale"}),
        ("a 狐狸 and a bear", {"fox", "bear"}),
    ],
)
def test_a_subject_is_a_whole_word_in_english_and_the_longest_match_in_chinese(prompt, subjects):
    assert set(words.read(prompt).subjects) == subjects


@pytest.mark.parametrize(
    ("prompt", "moods"),
    [
        ("under the moonlight", {"moon", "night"}),
        ("starry sky", {"star"}),
        ("a snowy evening", {"winter", "night"}),
        ("月光下的大海", {"moon", "sea"}),
        ("星期一早上", {"dawn"}),
        ("沙漠里的日落", {"desert", "sunset"}),
        ("nothing in particular", set()),
    ],
)
def test_the_hour_the_weather_and_the_place_are_read_too(prompt, moods):
    assert words.read(prompt).moods == moods


def test_subjects_come_in_the_order_of_the_prompt_and_once():
    assert words.read("a bear, a fox, a bear").subjects == ("bear", "fox")


@pytest.mark.parametrize("name", sorted(words.SUBJECTS))
def test_every_subject_has_a_figure_that_leaves_a_mark(name):
    assert words.read(words.SUBJECTS[name].split()[0]).subjects == (name,)
    if name != "mountain":  # a landscape, painted by land.py
        empty = Image.new("RGB", (200, 200), "white")
        picture = empty.copy()
        by_day = palettes.PALETTES["day"][0]
        place(picture, Random(0), FIGURES[name], at=(100, 160), size=100, palette=by_day, flip=False)
        left, top, right, bottom = ImageChops.difference(picture, empty).getbbox()
        assert right - left > 40
        assert bottom - top > 40


@pytest.mark.parametrize(
    "prompt",
    ["night in the desert", "a rainy night", "snow at night", "space", "forest", "autumn", "a rainbow at dawn",
     "sunset",
     "whale, boat, lighthouse, fox, bear, owl, balloon, bird, kite, castle, dragon", "lanterns, lanterns", "mountains"],
)  # fmt: skip
def test_every_mood_and_any_crowd_can_be_painted(prompt):
    assert opened(paint(prompt, "16:9")).size == SIZES["16:9"]


def test_every_palette_has_what_the_land_needs():
    for palette in (each for kind in palettes.PALETTES.values() for each in kind):
        assert (len(palette.sky), len(palette.land), len(palette.leaves), len(palette.blooms)) == (3, 4, 5, 4)
