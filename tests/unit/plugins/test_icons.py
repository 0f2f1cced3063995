"""The icon in Airflow's menu, which is a light and a darker one in each theme."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import airflow_provider_talecraft

WWW = Path(airflow_provider_talecraft.__file__).parent / "plugins" / "www"
#: The menu, and the place in it that is selected; as measured on Airflow 3.3.2.
MENUS = {"icon.svg": ["#dce7f5", "#3c5b89"], "icon-dark.svg": ["#1d3358", "#3c5b89"]}
#: Of signs, by WCAG 2.2, 1.4.11.
CONTRAST = 3


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(("icon", "background"), [(icon, one) for icon, menus in MENUS.items() for one in menus])
def test_the_icon_is_seen_in_the_menu_selected_or_not(icon, background):
    colours = re.findall(r'"(#[0-9a-f]+)"', (WWW / icon).read_text())
    behind = luminance(background)
    seen = [sorted((luminance(colour) + 0.05, behind + 0.05)) for colour in colours]
    assert max(high / low for low, high in seen) >= CONTRAST
