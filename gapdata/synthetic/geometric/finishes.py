"""Colours that have a name of their own, and materials that can be told apart by their texture."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Finish, Rgb, color_name

# sRGB: the middle of what each name means.
COLORS: dict[str, Rgb] = {
    "red": (196, 32, 38), "orange": (232, 120, 32), "yellow": (240, 206, 50), "green": (52, 138, 66),
    "blue": (40, 84, 172), "purple": (112, 64, 148), "pink": (226, 142, 166), "brown": (112, 70, 42),
    "turquoise": (56, 166, 170), "white": (248, 248, 246), "gray": (140, 140, 141), "black": (26, 26, 28),
}  # fmt: skip
SPREAD = 6  # by which each channel may stray
# Texture of each material; plastic is plain.
MATERIALS: dict[str, str] = {
    "plastic": "", "metal": "brushed", "rubber": "stipple", "wood": "wood", "stone": "marble", "fabric": "fabric",
}  # fmt: skip


def sample_finish(
    rng: np.random.Generator, materials: tuple[str, ...] = tuple(MATERIALS)
) -> Finish:
    """A finish of one of the materials in one of COLORS, moved by less than what would change its name."""
    names = tuple(COLORS)
    name = names[int(rng.integers(len(names)))]
    material = materials[int(rng.integers(len(materials)))]
    base = np.array(COLORS[name])
    for _ in range(8):
        red, green, blue = (
            int(c) for c in np.clip(base + rng.integers(-SPREAD, SPREAD + 1, 3), 0, 255)
        )
        if color_name((red, green, blue)) == name:
            break
    else:
        red, green, blue = COLORS[name]
    return Finish(rgb=(red, green, blue), material=material, texture=MATERIALS[material])
