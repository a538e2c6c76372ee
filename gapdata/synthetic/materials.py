"""What surfaces are made of: base colours and their names, finishes, and a room's palette."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

Array = np.ndarray
Rgb = tuple[int, int, int]

# Reference colours of the names (sRGB). Several references may share one name.
NAMED_COLORS: tuple[tuple[str, Rgb], ...] = (
    ("white", (250, 250, 248)), ("white", (232, 230, 226)), ("gray", (150, 150, 150)),
    ("gray", (95, 97, 100)), ("gray", (196, 197, 198)), ("black", (22, 22, 24)), ("black", (48, 48, 50)),
    ("red", (190, 35, 40)), ("red", (128, 26, 32)), ("orange", (226, 120, 40)), ("yellow", (236, 200, 60)),
    ("green", (60, 130, 70)), ("green", (122, 152, 112)), ("green", (40, 70, 48)), ("green", (165, 205, 150)),
    ("blue", (45, 90, 160)), ("blue", (30, 45, 85)), ("blue", (110, 150, 190)), ("blue", (170, 200, 225)),
    ("purple", (110, 70, 140)), ("purple", (170, 140, 195)), ("pink", (225, 150, 165)), ("pink", (214, 90, 130)),
    ("brown", (110, 70, 42)), ("brown", (150, 98, 58)), ("brown", (66, 44, 32)), ("brown", (176, 128, 84)),
    ("beige", (222, 205, 175)), ("beige", (200, 178, 146)),
    ("turquoise", (60, 160, 165)), ("turquoise", (120, 190, 190)),
)  # fmt: skip


def _lab(colors: Sequence[Rgb]) -> Array:
    return np.asarray(
        cv2.cvtColor(np.array([colors], np.float32) / np.float32(255.0), cv2.COLOR_RGB2LAB)[0]
    )


_NAMED_LAB = _lab([rgb for _, rgb in NAMED_COLORS])


def color_name(rgb: Rgb) -> str:
    """Name of the reference colour nearest in CIELAB (Euclidean distance, D65) to an sRGB colour."""
    distance = np.linalg.norm(_NAMED_LAB - _lab([rgb]), axis=1)
    return NAMED_COLORS[int(np.argmin(distance))][0]


# Of materials that shine a little; what is not here is matt.
ROUGHNESS = {
    "glass": 0.15, "mirror": 0.1, "ceramic": 0.25, "enamel": 0.25, "tile": 0.35, "stone": 0.4, "metal": 0.35,
    "plastic": 0.45, "fruit": 0.45, "leather": 0.5, "wood": 0.5, "wax": 0.55, "leaf": 0.6, "rubber": 0.7,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Finish:
    """The look of a surface: sRGB base colour, the material's name, and a texture ("" = plain).

    `texture` names an entry of gapdata.synthetic.textures.
    """

    rgb: Rgb
    material: str
    texture: str = ""

    @property
    def roughness(self) -> float:
        """GGX roughness of the material: 0 a mirror, 1 matt."""
        return ROUGHNESS.get(self.material, 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Palette:
    """The finishes that belong together in one room."""

    wall: Finish
    feature_wall: Finish
    floor: Finish
    trim: Finish
    wood: Finish
    wood_second: Finish
    fabric: Finish
    accent: Finish
    accent_second: Finish
    metal: Finish


WOODS: tuple[Rgb, ...] = (
    (205, 164, 116), (176, 126, 80), (140, 92, 58), (98, 64, 44), (222, 190, 148), (122, 72, 48),
)  # fmt: skip
PAINTED_WOODS: tuple[Rgb, ...] = (
    (242, 240, 235), (62, 64, 68), (214, 216, 214), (134, 152, 150), (96, 116, 134),
)  # fmt: skip
WALLS: tuple[Rgb, ...] = (
    (240, 237, 230), (232, 224, 208), (216, 222, 222), (205, 216, 204), (206, 218, 230),
    (234, 218, 208), (224, 214, 196), (226, 226, 222), (238, 228, 200),
)  # fmt: skip
FEATURE_WALLS: tuple[Rgb, ...] = (
    (120, 142, 150), (150, 164, 140), (196, 142, 118), (92, 112, 138), (206, 178, 130), (170, 150, 164),
)  # fmt: skip
FABRICS: tuple[Rgb, ...] = (
    (142, 146, 150), (196, 184, 164), (82, 98, 122), (122, 140, 116), (150, 92, 74), (72, 74, 80),
    (176, 158, 134), (64, 104, 108), (222, 214, 200), (112, 84, 66),
)  # fmt: skip
ACCENTS: tuple[Rgb, ...] = (
    (198, 68, 56), (226, 156, 62), (58, 118, 168), (80, 140, 96), (214, 128, 140), (126, 88, 148),
    (52, 150, 154), (228, 200, 84), (176, 54, 76), (40, 72, 122), (232, 228, 218), (60, 62, 66),
    (196, 110, 62), (140, 180, 200),
)  # fmt: skip
FLOORS: tuple[tuple[Rgb, str, str], ...] = (
    ((196, 154, 108), "wood", "planks"), ((150, 104, 68), "wood", "planks"), ((104, 72, 52), "wood", "planks"),
    ((214, 186, 148), "wood", "planks"), ((206, 204, 198), "tile", "tiles"), ((168, 164, 156), "tile", "tiles"),
    ((182, 140, 116), "tile", "tiles"), ((226, 222, 214), "stone", "marble"), ((176, 132, 92), "wood", "herringbone"),
    ((190, 188, 182), "tile", "mosaic"), ((172, 170, 166), "concrete", "concrete"), ((214, 210, 204), "stone", "terrazzo"),
    ((186, 176, 158), "carpet", "carpet"), ((140, 146, 152), "carpet", "carpet"),
)  # fmt: skip
METALS: tuple[Rgb, ...] = ((176, 178, 182), (54, 55, 58), (196, 164, 108), (132, 134, 138))


def pick(rng: np.random.Generator, choices: Sequence[Rgb], spread: int = 8) -> Rgb:
    """One of the colours, each channel moved by up to `spread`, so that no two rooms are quite alike."""
    base = np.array(choices[int(rng.integers(len(choices)))]) + rng.integers(-spread, spread + 1, 3)
    red, green, blue = (int(c) for c in np.clip(base, 0, 255))
    return red, green, blue


def accent(rng: np.random.Generator, material: str = "ceramic", texture: str = "") -> Finish:
    """A lively finish for a small object."""
    return Finish(rgb=pick(rng, ACCENTS), material=material, texture=texture)


def sample_palette(rng: np.random.Generator, *, wet: bool = False) -> Palette:
    """A room's finishes; `wet` rooms (kitchens) get no carpet."""
    floors = [floor for floor in FLOORS if not (wet and floor[1] == "carpet")]
    floor_rgb, floor_material, floor_texture = floors[int(rng.integers(len(floors)))]
    wall = pick(rng, WALLS, 4)
    feature = pick(rng, FEATURE_WALLS, 6) if rng.random() < 0.45 else wall
    feature_texture = "bricks" if feature != wall and rng.random() < 0.25 else "plaster"
    painted = rng.random() < 0.3
    return Palette(
        wall=Finish(rgb=wall, material="paint", texture="plaster"),
        feature_wall=Finish(
            rgb=feature,
            material="brick" if feature_texture == "bricks" else "paint",
            texture=feature_texture,
        ),
        floor=Finish(rgb=pick(rng, [floor_rgb], 6), material=floor_material, texture=floor_texture),
        trim=Finish(rgb=(240, 238, 234), material="wood"),
        wood=Finish(rgb=pick(rng, WOODS), material="wood", texture="wood"),
        wood_second=Finish(
            rgb=pick(rng, PAINTED_WOODS if painted else WOODS, 5),
            material="wood",
            texture="" if painted else "wood",
        ),
        fabric=Finish(rgb=pick(rng, FABRICS), material="fabric", texture="fabric"),
        accent=Finish(rgb=pick(rng, ACCENTS), material="fabric", texture="fabric"),
        accent_second=Finish(rgb=pick(rng, ACCENTS), material="fabric", texture="fabric"),
        metal=Finish(rgb=pick(rng, METALS, 4), material="metal"),
    )


def shaded(finish: Finish, factor: float) -> Finish:
    """The finish with its base colour scaled, for handles, grooves and second parts."""
    red, green, blue = (int(min(255.0, c * factor)) for c in finish.rgb)
    return Finish(rgb=(red, green, blue), material=finish.material, texture=finish.texture)


def rgb_array(finish: Finish) -> UInt8[Array, "3"]:
    """The base colour as uint8."""
    return np.array(finish.rgb, np.uint8)
