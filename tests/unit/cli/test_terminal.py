"""What is printed moves no terminal."""

from __future__ import annotations

import pytest

from airflow_provider_talecraft.cli.terminal import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A fox\nin the snow", "A fox\nin the snow"),
        ("雪の中の狐 é", "雪の中の狐 é"),
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("back\rwards \u202e", "back\\rwards \\u202e"),
        ("\x9b2J", "\\x9b2J"),
        ("[bold]not markup[/bold]", "[bold]not markup[/bold]"),
    ],
)
def test_what_is_no_character_to_look_at_is_written_as_an_escape(text, shown):
    assert plain(text) == shown
