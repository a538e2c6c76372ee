"""Object categories: NYU40 names and which labels are structure rather than objects."""

from __future__ import annotations

# Gupta et al., "Perceptual organization and recognition of indoor scenes from RGB-D images", CVPR 2013.
NYU40: tuple[str, ...] = (
    "unlabeled", "wall", "floor", "cabinet", "bed", "chair", "sofa", "table", "door", "window",
    "bookshelf", "picture", "counter", "blinds", "desk", "shelves", "curtain", "dresser", "pillow",
    "mirror", "floor mat", "clothes", "ceiling", "books", "refrigerator", "television", "paper",
    "towel", "shower curtain", "box", "whiteboard", "person", "night stand", "toilet", "sink", "lamp",
    "bathtub", "bag", "otherstructure", "otherfurniture", "otherprop",
)  # fmt: skip

NYU40_ID = {name: number for number, name in enumerate(NYU40)}

# NYU40 classes that bound a room: never asked about as objects.
STRUCTURE_NYU40 = frozenset(NYU40_ID[name] for name in ("wall", "floor", "ceiling"))
# What lies outdoors where rooms have floors.
GROUND_LABELS = frozenset({"crosswalk", "ground", "lane marking", "road", "sidewalk"})
STRUCTURE_LABELS = (
    frozenset(
        {
            "wall",
            "floor",
            "ceiling",
            "doorframe",
            "door frame",
            "window frame",
            "object",
            "unknown",
            "remove",
        }
    )
    | GROUND_LABELS
)


def is_structure(label: str, nyu40: int) -> bool:
    """Whether an instance is part of the room's shell or the ground outdoors, or has no usable name, and so is not asked about."""
    return nyu40 in STRUCTURE_NYU40 or label in STRUCTURE_LABELS


# Spellings of scan annotators for names that label tables write otherwise.
LABEL_ALIASES = {
    "dishrack": "dish rack",
    "refridgerator": "refrigerator",
    "trashcan": "trash can",
}


def canonical_label(label: str) -> str:
    """The label in lower case, single-spaced, and in its usual spelling, so that equal things have equal names."""
    cleaned = " ".join(label.lower().split())
    return LABEL_ALIASES.get(cleaned, cleaned)
