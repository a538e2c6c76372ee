"""Sizes of furniture and rooms as others publish them, to hold generated ones against.

CATALOGUE is drawn from the five furniture libraries of Debian's sweethome3d-furniture 1.8-1 (253 models that the
names of gapdata.synthetic.assets.names know, sizes as their catalogues state them): per label of which there
are three or more, the least and largest longer horizontal side and height, in metres. Left out are box, desk, plant and stove,
under which the catalogues also have crates, desks with shelves, trees, and camping stoves.
STANDARD are usual sizes in the same form, each with its source.
"""

from __future__ import annotations

Range = tuple[float, float]

CATALOGUE: dict[str, tuple[Range, Range]] = {
    "armchair": ((0.63, 1.12), (0.70, 1.00)), "bed": ((2.08, 2.28), (0.70, 1.16)),
    "bench": ((0.62, 1.70), (0.45, 0.80)), "bookshelf": ((0.44, 3.00), (0.79, 2.21)),
    "bottle": ((0.05, 0.12), (0.12, 0.30)), "cabinet": ((0.61, 1.00), (0.88, 1.50)),
    "chair": ((0.43, 1.00), (0.73, 1.18)), "coffee table": ((0.90, 1.44), (0.45, 0.51)),
    "couch": ((1.28, 2.79), (0.75, 1.00)), "cup": ((0.08, 0.12), (0.04, 0.13)),
    "dining table": ((0.66, 2.35), (0.40, 0.91)), "lamp": ((0.20, 0.58), (0.40, 1.43)),
    "office chair": ((0.53, 0.98), (0.88, 1.05)), "radiator": ((0.48, 2.16), (0.46, 1.54)),
    "refrigerator": ((0.60, 0.96), (1.26, 1.84)), "shoes": ((0.28, 0.36), (0.06, 0.16)),
    "stool": ((0.33, 0.59), (0.46, 1.10)), "table": ((0.62, 1.10), (0.70, 0.76)),
    "toilet": ((0.54, 0.85), (0.77, 0.77)), "towel": ((0.50, 0.60), (0.11, 0.48)),
    "vase": ((0.11, 0.33), (0.09, 0.87)), "wardrobe": ((0.92, 2.17), (2.00, 2.36)),
}  # fmt: skip

SPRUCE = "thespruce.com/standard-furniture-measurements-1391374"
METRIC_8 = "firstinarchitecture.co.uk/metric-data-08-standard-furniture-sizes"
METRIC_9 = "firstinarchitecture.co.uk/metric-data-09-kitchen-standard-sizes"
STANDARD: dict[str, tuple[Range, Range | None, str]] = {
    "armchair": ((0.89, 0.95), None, f"{SPRUCE}, {METRIC_8}"),
    "bookshelf": ((1.14, 1.14), (1.37, 1.37), SPRUCE),
    "cabinet": ((1.0, 2.0), None, METRIC_8),
    "coffee table": ((0.75, 1.22), None, f"{SPRUCE}, {METRIC_8}"),
    "couch": ((1.5, 2.29), None, f"{SPRUCE}, {METRIC_8}"),
    "desk": ((1.5, 1.5), None, METRIC_8),
    "dining table": ((0.75, 2.6), None, METRIC_8),
    "end table": ((0.61, 0.71), None, SPRUCE),
    "kitchen cabinet": ((0.3, 1.2), (0.4, 0.7), METRIC_9),
    "kitchen counter": ((0.6, 1.2), (0.9, 0.9), METRIC_9),
    "refrigerator": ((0.6, 0.91), (0.85, 1.76), METRIC_9),
    "stove": ((0.6, 1.1), (0.9, 0.9), METRIC_9),
}
TOLERANCE = 0.15  # of a size: beyond published ones by less is still usual

# Square metres of floor, and metres of height under the ceiling.
# Least: a habitable room of the International Residential Code, R304 (70 square feet); a bathroom or corridor has none.
# Largest: a general classroom for 30 of the UK's Building Bulletin 103 (62 square metres).
HABITABLE_AREA: Range = (6.5, 62.0)
# Least: 7 feet, International Residential Code, R305.
LEAST_CEILING = 2.13


def published(label: str) -> tuple[Range, Range | None] | None:
    """(longer horizontal side, height) that are published for a label, TOLERANCE added; None where nothing is."""
    rows = [row for row in (CATALOGUE.get(label), STANDARD.get(label)) if row]
    if not rows:
        return None
    wide = _around([row[0] for row in rows])
    heights = [row[1] for row in rows if row[1] is not None]
    return wide, _around(heights) if heights else None


def _around(ranges: list[Range]) -> Range:
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    return low * (1 - TOLERANCE), high * (1 + TOLERANCE)
