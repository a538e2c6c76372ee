"""Which size class a thing belongs to among things of its label."""

from __future__ import annotations

# Metres of the longest side of a box: below the first a thing is small, above the second large. They part what
# stands in rooms and houses of difficulty 0.5 into thirds. Labels whose sizes hardly differ (the ninth decile less
# than 1.45 times the first) or that mean different things (a table lamp, a floor lamp) have no classes.
BOUNDS: dict[str, tuple[float, float]] = {
    "backpack": (0.44, 0.50), "ball": (0.16, 0.28), "basket": (0.39, 0.48), "bench": (1.13, 1.44),
    "book": (0.22, 0.28), "bookshelf": (1.24, 1.53), "bottle": (0.22, 0.31), "bowl": (0.18, 0.24),
    "box": (0.42, 0.50), "cabinet": (1.03, 1.38), "candle": (0.14, 0.22), "clock": (0.27, 0.38),
    "coffee table": (0.88, 1.06), "couch": (1.72, 2.36), "cushion": (0.37, 0.44),
    "desk": (1.32, 1.71), "dining table": (1.67, 2.24), "file cabinet": (0.75, 1.03),
    "keyboard": (0.33, 0.43), "kitchen cabinet": (0.81, 1.27), "kitchen counter": (0.90, 1.31),
    "mirror": (0.79, 1.07), "monitor": (0.50, 0.59), "ottoman": (0.52, 0.70),
    "picture": (0.72, 0.92), "pillow": (0.54, 0.61), "plate": (0.20, 0.26),
    "radiator": (0.91, 1.27), "shelf": (0.76, 0.99), "stool": (0.51, 0.62),
    "storage bin": (0.39, 0.49), "table": (0.77, 0.94), "towel": (0.66, 0.78),
    "trash can": (0.38, 0.50), "vase": (0.34, 0.46), "whiteboard": (1.48, 1.71),
}  # fmt: skip


def size_class(label: str, longest: float) -> str:
    """One of "small", "medium" and "large" by the longest side of a thing's box, in metres; "" where there are no classes."""
    if label not in BOUNDS:
        return ""
    small, large = BOUNDS[label]
    return "small" if longest < small else "large" if longest > large else "medium"
