"""Colour names follow the stated rule, textures repeat without a seam and keep the base colour."""

from __future__ import annotations

import numpy as np
import pytest

from gapdata.synthetic.materials import NAMED_COLORS, color_name
from gapdata.synthetic.textures import TEXTURES, texture


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((255, 255, 255), "white"), ((0, 0, 0), "black"), ((128, 128, 128), "gray"), ((200, 30, 30), "red"),
        ((30, 60, 160), "blue"), ((50, 140, 60), "green"), ((240, 210, 50), "yellow"), ((120, 75, 40), "brown"),
        ((230, 125, 30), "orange"), ((100, 50, 140), "purple"), ((235, 160, 180), "pink"),
    ],
)  # fmt: skip
def test_plain_colors_have_their_everyday_name(rgb: tuple[int, int, int], name: str) -> None:
    assert color_name(rgb) == name


def test_every_reference_names_itself() -> None:
    assert [color_name(rgb) for _, rgb in NAMED_COLORS] == [name for name, _ in NAMED_COLORS]


@pytest.mark.parametrize("name", sorted(TEXTURES))
def test_textures_repeat_and_are_light(name: str) -> None:
    image = texture(name).image.astype(np.float64)
    assert texture(name).period_m > 0
    assert 0.78 < image.mean() / 255.0 <= 0.99
    step = np.abs(np.diff(image[..., 0], axis=1)).max(axis=1)
    seam = np.abs(image[:, 0, 0] - image[:, -1, 0])
    assert seam.max() <= 1.2 * step.max() + 1
