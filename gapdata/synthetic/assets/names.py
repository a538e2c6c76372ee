"""Names that furniture catalogues use, as the labels of the worlds; and which labels ScanNet200 knows."""

from __future__ import annotations

import re

# Rozenberszki et al., "Language-Grounded Indoor 3D Semantic Segmentation in the Wild", ECCV 2022: its names for
# the labels of the worlds that it spells otherwise. Those in SCANNET200 are spelled as they are.
SCANNET200_NAME = {"books": "book", "shoes": "shoe", "rug": "mat"}
SCANNET200 = frozenset(
    {
        "chair", "table", "door", "couch", "cabinet", "shelf", "desk", "office chair", "bed", "pillow", "sink",
        "picture", "window", "toilet", "bookshelf", "monitor", "curtain", "book", "armchair", "coffee table",
        "box", "refrigerator", "lamp", "kitchen cabinet", "towel", "tv", "nightstand", "counter", "dresser",
        "stool", "cushion", "plant", "ceiling", "bathtub", "end table", "dining table", "keyboard", "bag",
        "backpack", "toilet paper", "printer", "tv stand", "whiteboard", "trash can", "microwave", "stove",
        "shoe", "computer tower", "bottle", "ottoman", "bench", "mirror", "basket", "file cabinet", "laptop",
        "shower", "plate", "suitcase", "radiator", "wardrobe", "clock", "bicycle", "cup", "jacket",
        "storage bin", "mat", "toaster", "kitchen counter", "doorframe", "ball", "tray", "mouse", "candle",
        "bowl", "coat rack", "ceiling light", "wall", "floor", "mailbox",
    }
)  # fmt: skip

# Catalogue names of Sweet Home 3D's English furniture libraries, without numbers, in lower case.
NAME_LABEL: dict[str, str] = {
    "armchair": "armchair", "modern armchair": "armchair", "rattan armchair": "armchair",
    "winchester armchair": "armchair",
    "bed": "bed", "iron bed": "bed", "captain's bed": "bed", "day bed": "bed",
    "bedside table": "nightstand", "nightstand": "nightstand",
    "bench": "bench", "piano bench": "bench", "painted bench": "bench",
    "bookcase": "bookshelf", "full bookcase": "bookshelf",
    "box": "box", "cardboard box": "box", "open cardboard box": "box", "crate": "box",
    "bottle": "bottle", "wine bottle": "bottle", "beer bottle": "bottle", "yogurt bottle": "bottle",
    "spray bottle": "bottle",
    "bowl": "bowl", "book": "book", "backpack": "backpack", "suitcase": "suitcase", "briefcase": "suitcase",
    "candle": "candle", "clothes basket": "basket", "shopping basket": "basket",
    "chair": "chair", "oak chair": "chair", "chair with cushion": "chair", "cafe chair": "chair",
    "osaka chair": "chair", "plastic chair": "chair", "teck chair": "chair",
    "clock": "clock", "cuckoo clock": "clock",
    "coffee cup": "cup", "coffee mug": "cup", "cup": "cup", "plastic cup": "cup",
    "coffee table": "coffee table",
    "couch": "couch", "sofa": "couch", "clear sofa": "couch", "burlap sofa": "couch", "rattan sofa": "couch",
    "winchester sofa": "couch", "sofa 2 seats": "couch", "sofa 3 seats": "couch", "futon couch": "couch",
    "cupboard": "cabinet", "drawers cabinet": "cabinet",
    "basketball": "ball", "soccer ball": "ball",
    "desk": "desk", "wooden desk": "desk", "desk table": "desk",
    "desk lamp": "lamp", "lamp": "lamp", "little lamp": "lamp", "pedestal vase lamp": "lamp",
    "dresser with drawers": "dresser", "chest": "dresser",
    "dustbin": "trash can", "bullet trash can": "trash can",
    "espresso kettle": "kettle", "filing cabinet": "file cabinet",
    "fridge": "refrigerator", "refrigerator": "refrigerator", "large fridge": "refrigerator",
    "frame chambord": "picture", "frame hôi an": "picture",
    "inkjet printer and scanner": "printer", "apple ibook": "laptop", "laptop": "laptop", "screen": "monitor",
    "microwave": "microwave", "puff": "ottoman",
    "plant": "plant", "cactus": "plant", "decorative plant": "plant", "little plant": "plant",
    "orchids": "plant", "indoor plant": "plant", "ficus": "plant", "spathiphyllum": "plant",
    "spider plant": "plant", "succulent plant": "plant", "yucca": "plant", "bonsai tree": "plant",
    "plate": "plate", "large pan": "pot", "radiator": "radiator",
    "oriental rug": "rug", "round carpet": "rug",
    "shoe": "shoes", "slippers": "shoes", "sneakers": "shoes", "woman shoes": "shoes", "mocassin": "shoes",
    "stool": "stool", "bar stool": "stool",
    "stove": "stove", "cooker": "stove", "large stove": "stove", "propane stove": "stove",
    "table": "dining table", "oak table": "dining table", "black table": "dining table",
    "wooden table": "dining table", "wooden alder table": "dining table",
    "wooden teak table": "dining table", "glass table": "dining table", "round table": "table",
    "cafe table": "table", "folding table": "dining table",
    "toaster": "toaster", "toilets unit": "toilet", "bath": "bathtub", "towel rack": "towel", "tray": "tray",
    "tv": "tv", "tv 16:9": "tv", "tv stand": "tv stand", "vase": "vase", "old jar": "vase", "pottery": "vase",
    "vertical shelves": "bookshelf", "shelves": "bookshelf", "wardrobe": "wardrobe",
}  # fmt: skip
# A category that changes what a name means.
CATEGORY_LABEL: dict[tuple[str, str], str] = {
    ("office", "armchair"): "office chair",
    ("office", "chair"): "office chair",
    ("lights", "candle"): "candle",
}


def label_of(name: str, category: str = "") -> str:
    """The worlds' label for a catalogue's name, "" when it stands for none of them."""
    plain = " ".join(re.sub(r"\d+$", "", name.strip().lower()).split())
    return CATEGORY_LABEL.get((category.strip().lower(), plain)) or NAME_LABEL.get(plain, "")


def scannet200_name(label: str) -> str:
    """ScanNet200's name for a label, "" when it has none."""
    name = SCANNET200_NAME.get(label, label)
    return name if name in SCANNET200 else ""
