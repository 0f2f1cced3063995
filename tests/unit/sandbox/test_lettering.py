"""The caption: what is lettered, what is left out, where the lines break. With the bundled font, never a stand-in."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFont

from airflow_provider_talecraft.sandbox import lettering

LONG = "很久很久以前，在一片安静的森林里，住着一只喜欢读书的小狐狸。《月光》是它最爱的故事，“晚安！”它说。" * 3


def glyph(text: str) -> tuple[tuple[int, int], bytes]:
    # Another size than the module under test looks at, so that the two cannot be fooled by one bitmap.
    font = ImageFont.truetype(str(lettering._FONT), 61, layout_engine=ImageFont.Layout.BASIC)
    mask = font.getmask(text)
    return mask.size, bytes(mask)


BOXES = {glyph(missing) for missing in ("\uffff", "\ue000", "\U0001f98a", "\u0e01")}


def test_the_font_has_one_box_for_everything_it_lacks():
    assert len(BOXES) == 1


def test_every_character_of_gb2312_is_covered_and_drawn():
    encodable = [chr(code) for code in range(0x4E00, 0xA000) if chr(code).encode("gb2312", "ignore")]
    assert len(encodable) == 6763
    assert all(lettering.covered(each) for each in encodable)
    assert not BOXES & {glyph(each) for each in encodable[::40]}


@pytest.mark.parametrize(
    "text",
    ["Hello, World!", "déjà vu — Łódź, Čeština", "“晚安”，他说：《月亮》……", "ひらがなカタカナ", "ＡＢＣ１２３！"],
)
def test_what_the_font_has_is_kept(text):
    assert lettering.legible(text) == text


@pytest.mark.parametrize(
    ("prompt", "kept"),
    [
        ("fox 🦊 and moon 🌙", "fox and moon"),
        ("a\x00b\x07c", "abc"),
        ("a\u202eb\u200fc\u200bd\ufeff", "abcd"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("e\u0301te\u0301", "été"),
        ("z\u0351\u036b\u0343ed", "zed"),
        ("two\nlines\t and \u3000space", "two lines and space"),
        ("private \ue000 use", "private use"),
        ("龘狐狸", "狐狸"),
        ("👩‍👩‍👧 家", "家"),
    ],
)
def test_what_the_font_lacks_is_left_out(prompt, kept):
    assert lettering.legible(prompt) == kept


@pytest.mark.parametrize("prompt", ["", "  \n ", "🦊🌙", "\x00\x01", "...!!!", "\ud800\udfff", "الثعلب", "\u0301" * 50])
def test_without_a_letter_or_digit_there_is_no_caption(prompt):
    assert lettering.fit(prompt, width=900, size=36) is None


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(codec=None), max_size=40))
def test_no_box_is_ever_lettered(prompt):
    caption = lettering.fit(prompt, width=700, size=30)
    for character in "".join(caption.lines if caption else ()):
        assert character == " " or glyph(character) not in BOXES
        assert unicodedata.category(character)[0] != "C"


@pytest.mark.parametrize("width", [260, 420, 900])
def test_full_width_punctuation_never_starts_a_line_and_an_opening_quote_never_ends_one(width):
    for size in (20, 30, 40):
        caption = lettering.fit(LONG, width=width, size=size)
        assert not any(line[0] in "，。、；：！？》”…" for line in caption.lines)
        assert not any(line[-1] in "《“（" for line in caption.lines)


@pytest.mark.parametrize("prompt", [LONG, "word " * 300, "x" * 100_000, "狐" * 100_000, "a，" * 5_000, "short"])
def test_no_line_is_wider_than_the_page_and_there_are_three_at_most(prompt):
    caption = lettering.fit(prompt, width=500, size=32)
    font = lettering._font(caption.size)
    assert len(caption.lines) <= 3
    assert all(font.getlength(line) <= 500 for line in caption.lines)


@pytest.mark.parametrize("prompt", [LONG, "word " * 300, "x" * 100_000])
def test_what_does_not_fit_ends_in_an_ellipsis(prompt):
    assert lettering.fit(prompt, width=500, size=32).lines[-1].endswith(("…", "..."))


def test_a_word_is_broken_only_when_no_line_could_hold_it():
    words = "the quick brown fox jumps over the lazy dog and the sleeping bear"
    assert " ".join(lettering.fit(words, width=600, size=32).lines) == words


def test_lines_are_of_even_length():
    caption = lettering.fit("A knight and a dragon in front of a castle", width=600, size=32)
    lengths = [lettering._font(caption.size).getlength(line) for line in caption.lines]
    assert len(lengths) == 2
    assert min(lengths) > 0.6 * max(lengths)


def test_the_caption_is_dark_on_the_paper():
    page = Image.new("RGB", (400, 80), (252, 244, 228))
    lettering.draw(page, lettering.fit("狐狸 fox", width=380, size=30), top=10)
    darkest = min(page.convert("L").tobytes())
    assert darkest < 90
