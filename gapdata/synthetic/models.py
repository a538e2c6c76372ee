"""What an object is before it is placed: parts with finishes, and the surfaces that can carry others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, UInt8

from gapdata.labels import NYU40, NYU40_ID
from gapdata.synthetic.materials import Finish
from gapdata.synthetic.shapes import Solid, hull_2d, rectangle

Array = np.ndarray

CONTACT = 5e-4  # metres: a part this near z = 0 stands on what is below

# Labels are ScanNet's; each maps to its NYU40 name.
LABEL_NYU40: dict[str, str] = {
    "wall": "wall", "floor": "floor", "ceiling": "ceiling", "door": "door", "doorframe": "door",
    "window": "window", "curtain": "curtain", "chair": "chair", "office chair": "chair",
    "armchair": "chair", "stool": "otherfurniture", "bench": "otherfurniture",
    "ottoman": "otherfurniture", "couch": "sofa", "table": "table", "dining table": "table",
    "coffee table": "table", "end table": "table", "desk": "desk", "bed": "bed", "pillow": "pillow",
    "cushion": "pillow", "nightstand": "night stand", "dresser": "dresser",
    "wardrobe": "otherfurniture", "bookshelf": "bookshelf", "cabinet": "cabinet",
    "kitchen cabinet": "cabinet", "file cabinet": "cabinet", "tv stand": "otherfurniture",
    "tv": "television", "monitor": "otherprop", "laptop": "otherprop", "keyboard": "otherprop",
    "mouse": "otherprop", "printer": "otherprop", "computer tower": "otherprop", "lamp": "lamp",
    "ceiling light": "lamp", "kitchen counter": "counter", "sink": "sink", "stove": "otherfurniture",
    "refrigerator": "refrigerator", "microwave": "otherprop", "kettle": "otherprop",
    "toaster": "otherprop", "pot": "otherprop", "rug": "floor mat", "plant": "otherprop",
    "trash can": "otherprop", "box": "box", "storage bin": "otherprop", "basket": "otherprop",
    "suitcase": "bag", "backpack": "bag", "bottle": "otherprop", "cup": "otherprop",
    "bowl": "otherprop", "plate": "otherprop", "book": "books", "books": "books",
    "vase": "otherprop", "candle": "otherprop", "ball": "otherprop", "apple": "otherprop",
    "orange": "otherprop", "picture": "picture", "mirror": "mirror", "clock": "otherprop",
    "whiteboard": "whiteboard", "shelf": "shelves", "radiator": "otherstructure",
    "toilet": "toilet", "bathtub": "bathtub", "shower": "otherstructure", "towel": "towel",
    "toilet paper": "otherprop", "coat rack": "otherfurniture", "jacket": "clothes", "shoes": "clothes",
    "shoe rack": "shelves",
    "range hood": "otherprop", "pedestrian": "person",
}  # fmt: skip
# NYU40 has rooms only: of what stands in streets it knows people.
OUTDOOR_LABELS = (
    "advertising column", "bicycle", "bollard", "building", "bus", "bus stop", "bush", "car", "crosswalk",
    "crosswalk sign", "cyclist", "dumpster", "fence", "fire hydrant", "ground", "hedge", "house",
    "lane marking", "mailbox", "motorcycle", "no entry sign", "one way sign", "parking meter",
    "parking sign", "planter", "road", "sidewalk", "speed limit sign", "stop sign", "street lamp",
    "traffic cone", "traffic light", "tree", "truck", "utility box", "van", "yield sign",
)  # fmt: skip
LABEL_NYU40 |= dict.fromkeys(OUTDOOR_LABELS, NYU40[0])
# Plain bodies, and what lies on tables besides.
TABLE_LABELS = (
    "block", "can", "capsule", "cone", "cube", "cylinder", "fork", "knife", "pencil", "pyramid",
    "robot arm", "sphere", "spoon", "torus", "tray",
)  # fmt: skip
LABEL_NYU40 |= dict.fromkeys(TABLE_LABELS, "otherprop")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Part:
    """One closed solid with one finish.

    `image`, when given, is stretched once over the caps instead, or, where `wrapped`, laid over it as the
    solid's uv say: (0, 0) = first texel of the top row, repeating. `glow` is how much brighter it is seen than
    its surroundings' light makes it, times the scene's mean irradiance (`gapdata.scene.Mesh.face_glow`).
    """

    solid: Solid
    finish: Finish
    image: UInt8[Array, "H W 3"] | None = None
    wrapped: bool = False
    glow: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Surface:
    """A level convex area that can carry objects up to `headroom` metres high."""

    outline: Float[Array, "K 2"]  # counter-clockwise
    z: float
    headroom: float = 10.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """An object in its own axes: x its width, its front towards -y, its lowest point at z = 0.

    Wall-hung models have their back at y = 0; the others are centred on the z axis.
    `clearance` metres in front of it stay free of other furniture.
    """

    label: str
    parts: tuple[Part, ...]
    finish: Finish  # the one that names its colour and material
    shape: str = ""
    surfaces: tuple[Surface, ...] = ()
    clearance: float = 0.0
    hull: tuple[Solid, ...] = ()  # what is solid, where the prisms of the parts do not say so well
    one_color: bool = True  # False: no one colour names it
    credit: str = ""  # whom it is owed to, one line; "" = made here

    @property
    def nyu40(self) -> int:
        """NYU40 class id of the label."""
        return NYU40_ID[LABEL_NYU40[self.label]]

    @cached_property
    def low(self) -> Float[Array, "3"]:
        """Smallest x, y, z over all parts."""
        return np.min([part.solid.vertices.min(axis=0) for part in self.parts], axis=0)

    @cached_property
    def high(self) -> Float[Array, "3"]:
        """Largest x, y, z over all parts."""
        return np.max([part.solid.vertices.max(axis=0) for part in self.parts], axis=0)

    @cached_property
    def size(self) -> Float[Array, "3"]:
        """Extents along x, y, z, metres."""
        return np.asarray(self.high - self.low)

    @cached_property
    def solids(self) -> tuple[Solid, ...]:
        """Solids whose prisms hold the whole model."""
        return self.hull or tuple(part.solid for part in self.parts)

    @cached_property
    def outline(self) -> Float[Array, "K 2"]:
        """Convex hull of the whole footprint."""
        return hull_2d(np.concatenate([solid.outline for solid in self.solids]))

    @cached_property
    def base(self) -> Float[Array, "K 2"]:
        """Convex hull of what touches the surface it stands on."""
        standing = [solid.outline for solid in self.solids if solid.low < CONTACT]
        return hull_2d(np.concatenate(standing))


def parts_of(finish: Finish, *solids: Solid) -> tuple[Part, ...]:
    """Parts that share one finish."""
    return tuple(Part(solid=solid, finish=finish) for solid in solids)


def tabletop(
    width: float,
    depth: float,
    z: float,
    *,
    inset: float = 0.02,
    headroom: float = 10.0,
    y: float = 0.0,
) -> Surface:
    """A rectangular surface about (0, y), drawn in by `inset` on every side."""
    outline = rectangle(width - 2 * inset, depth - 2 * inset) + np.array([0.0, y])
    return Surface(outline=outline, z=z, headroom=headroom)


def four(width: float, depth: float) -> Sequence[tuple[float, float]]:
    """The four (x, y) points at plus and minus half of width and depth."""
    return [(sx * width / 2, sy * depth / 2) for sx in (-1, 1) for sy in (-1, 1)]
