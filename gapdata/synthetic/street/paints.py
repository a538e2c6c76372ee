"""Finishes of what stands in streets."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Finish, Rgb, pick

CAR_PAINTS: tuple[Rgb, ...] = (
    (236, 237, 236), (24, 25, 27), (92, 96, 100), (176, 179, 182), (34, 58, 104), (150, 28, 32),
    (52, 84, 128), (44, 66, 54), (190, 178, 150), (206, 92, 34), (60, 62, 66), (214, 190, 60),
)  # fmt: skip
BUS_PAINTS: tuple[Rgb, ...] = (
    (196, 42, 40),
    (242, 242, 238),
    (230, 188, 44),
    (40, 92, 152),
    (58, 128, 84),
)
CLOTHES: tuple[Rgb, ...] = (
    (40, 48, 70), (66, 66, 70), (150, 40, 44), (70, 110, 150), (206, 200, 188), (50, 88, 62),
    (190, 150, 60), (110, 74, 52), (28, 28, 32), (160, 170, 176), (120, 70, 110), (228, 228, 224),
)  # fmt: skip
TROUSERS: tuple[Rgb, ...] = (
    (38, 48, 74), (48, 50, 54), (80, 92, 112), (120, 104, 82), (26, 27, 30), (96, 82, 66),
)  # fmt: skip
SKINS: tuple[Rgb, ...] = (
    (232, 190, 164),
    (206, 160, 126),
    (164, 116, 84),
    (112, 76, 54),
    (82, 56, 42),
)
HAIRS: tuple[Rgb, ...] = (
    (34, 26, 22),
    (72, 48, 32),
    (128, 92, 56),
    (190, 158, 104),
    (120, 118, 114),
)
LEAVES: tuple[Rgb, ...] = (
    (74, 112, 52),
    (92, 128, 58),
    (58, 96, 50),
    (112, 138, 66),
    (66, 104, 66),
)
AUTUMN: tuple[Rgb, ...] = ((188, 128, 50), (172, 92, 44), (150, 140, 60))
BRICKS: tuple[Rgb, ...] = (
    (158, 86, 66),
    (142, 74, 58),
    (176, 122, 90),
    (120, 78, 64),
    (190, 160, 128),
)
RENDERS: tuple[Rgb, ...] = (
    (232, 226, 212), (214, 202, 178), (206, 186, 150), (196, 200, 200), (222, 200, 178),
    (180, 190, 196), (204, 168, 140), (238, 236, 230), (168, 178, 160),
)  # fmt: skip
CONCRETES: tuple[Rgb, ...] = ((168, 166, 160), (142, 142, 140), (190, 186, 178))
ROOFS: tuple[Rgb, ...] = ((128, 62, 48), (92, 58, 50), (74, 76, 82), (110, 86, 70))
DOORS: tuple[Rgb, ...] = (
    (96, 44, 36),
    (40, 66, 58),
    (38, 50, 84),
    (70, 52, 40),
    (180, 172, 160),
    (52, 54, 58),
)

RUBBER = Finish(rgb=(28, 28, 30), material="rubber")
BLACK = Finish(rgb=(30, 31, 33), material="plastic")
GLASS = Finish(rgb=(46, 56, 64), material="glass")
CHROME = Finish(rgb=(176, 179, 184), material="metal")
STEEL = Finish(rgb=(120, 124, 128), material="metal")
DARK_STEEL = Finish(rgb=(62, 66, 70), material="metal")
ZINC = Finish(rgb=(164, 168, 170), material="metal")
WHITE = Finish(rgb=(244, 244, 240), material="plastic")
LAMP_WHITE = Finish(rgb=(252, 250, 240), material="glass")
LAMP_RED = Finish(rgb=(186, 22, 24), material="glass")
LAMP_AMBER = Finish(rgb=(244, 150, 24), material="glass")
WOOD = Finish(rgb=(138, 98, 62), material="wood", texture="wood")
BARK = Finish(rgb=(92, 76, 62), material="wood", texture="bark")
SOIL = Finish(rgb=(74, 56, 42), material="soil")


def painted(rng: np.random.Generator, colors: tuple[Rgb, ...], material: str = "metal") -> Finish:
    """One of the colours as a plain finish."""
    return Finish(rgb=pick(rng, colors, 6), material=material)


def foliage(rng: np.random.Generator) -> Finish:
    """The green of one plant; now and then an autumn colour."""
    colors = AUTUMN if rng.random() < 0.08 else LEAVES
    return Finish(rgb=pick(rng, colors, 10), material="leaf", texture="leaves")
