"""Things that hold things: shelves, cabinets, wardrobes, dressers, boxes."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Finish, Palette, accent, shaded
from gapdata.synthetic.models import Model, Part, four, parts_of, tabletop
from gapdata.synthetic.shapes import Vector, block, lathe, loft, rectangle, soft_block, tapered


def fronts(
    size: tuple[float, float],
    at: Vector,
    grid: tuple[int, int],
    finishes: tuple[Finish, Finish],
    handle: str = "bar",
) -> list[Part]:
    """Door or drawer fronts covering (width, height) of a vertical face, with handles.

    `at` is the face's bottom centre; fronts stand out towards -y. `grid` is (columns, rows).
    """  # fmt: skip
    (width, height), (columns, rows) = size, grid
    front, metal = finishes
    cell_w, cell_h, gap, thick = width / columns, height / rows, 0.006, 0.018
    parts: list[Part] = []
    for column in range(columns):
        for row in range(rows):
            x = at[0] + (column + 0.5) * cell_w - width / 2
            z = at[2] + row * cell_h + gap / 2
            face_y = at[1] - thick
            parts += parts_of(
                front, block((cell_w - gap, thick, cell_h - gap), (x, at[1] - thick / 2, z))
            )
            if handle == "bar":
                parts += parts_of(
                    metal,
                    block(
                        (min(0.14, 0.4 * cell_w), 0.02, 0.014),
                        (x, face_y - 0.01, z + 0.62 * cell_h),
                    ),
                )
            else:
                side = 1 if column % 2 == 0 else -1
                knob_x = x + side * (cell_w / 2 - 0.05)
                length = min(0.16, 0.3 * cell_h)
                parts += parts_of(
                    metal, block((0.014, 0.02, length), (knob_x, face_y - 0.01, z + 0.5 * cell_h))
                )
    return parts


def _chest(
    palette: Palette, label: str, size: tuple[float, float, float], grid: tuple[int, int], handle: str, legs: float,
    clearance: float = 0.45,
) -> Model:  # fmt: skip
    width, depth, height = size
    body_d = depth - 0.018
    body, front = palette.wood, palette.wood_second
    parts: list[Part] = []
    if legs > 0.06:
        parts += parts_of(
            body,
            *(
                tapered((0.025, 0.025), (0.04, 0.04), legs, (x, y + 0.009, 0))
                for x, y in four(width - 0.08, body_d - 0.08)
            ),
        )
    else:
        parts += parts_of(
            shaded(body, 0.7), block((width - 0.02, body_d - 0.05, legs), (0, 0.02, 0))
        )
    parts += parts_of(body, block((width, body_d, height - legs - 0.02), (0, 0.009, legs)))
    parts += parts_of(body, block((width + 0.02, body_d + 0.018, 0.02), (0, 0, height - 0.02)))
    parts += fronts(
        (width - 0.02, height - legs - 0.04),
        (0, -body_d / 2 + 0.009, legs + 0.01),
        grid,
        (front, palette.metal),
        handle,
    )
    return Model(
        label=label, parts=tuple(parts), finish=body, shape="box",
        surfaces=(tabletop(width, depth, height, inset=0.03),), clearance=clearance,
    )  # fmt: skip


def nightstand(rng: np.random.Generator, palette: Palette) -> Model:
    """A bedside chest with one or two drawers."""
    size = (rng.uniform(0.4, 0.52), rng.uniform(0.36, 0.42), rng.uniform(0.48, 0.58))
    return _chest(
        palette,
        "nightstand",
        size,
        (1, int(rng.integers(1, 3))),
        "bar",
        rng.uniform(0.08, 0.16),
        0.0,
    )


def dresser(rng: np.random.Generator, palette: Palette) -> Model:
    """A wide chest of drawers."""
    size = (rng.uniform(0.95, 1.4), rng.uniform(0.45, 0.5), rng.uniform(0.76, 0.92))
    return _chest(palette, "dresser", size, (2, 3), "bar", 0.08)


def cabinet(rng: np.random.Generator, palette: Palette) -> Model:
    """A sideboard with doors."""
    size = (rng.uniform(0.8, 1.5), rng.uniform(0.4, 0.46), rng.uniform(0.74, 0.95))
    return _chest(
        palette, "cabinet", size, (2 if size[0] < 1.2 else 3, 1), "upright", rng.uniform(0.06, 0.14)
    )


def tv_stand(rng: np.random.Generator, palette: Palette) -> Model:
    """A long low cabinet for a television."""
    size = (rng.uniform(1.3, 1.7), rng.uniform(0.38, 0.44), rng.uniform(0.42, 0.55))
    return _chest(palette, "tv stand", size, (3, 1), "upright", rng.uniform(0.06, 0.12), 0.3)


def wardrobe(rng: np.random.Generator, palette: Palette) -> Model:
    """A tall cabinet with two or three doors."""
    size = (rng.uniform(1.0, 1.7), rng.uniform(0.56, 0.62), rng.uniform(1.9, 2.15))
    return _chest(palette, "wardrobe", size, (2 if size[0] < 1.3 else 3, 1), "upright", 0.05, 0.6)


def file_cabinet(rng: np.random.Generator, palette: Palette) -> Model:
    """A metal cabinet with two to four drawers."""
    rows = int(rng.integers(2, 5))
    width, depth, height = rng.uniform(0.4, 0.46), rng.uniform(0.5, 0.6), 0.06 + 0.31 * rows
    metal = Finish(
        rgb=((168, 172, 176), (86, 90, 96), (206, 200, 186), (96, 118, 140))[int(rng.integers(4))],
        material="metal",
    )
    parts = [*parts_of(metal, block((width, depth - 0.018, height), (0, 0.009, 0)))]
    parts += fronts(
        (width - 0.02, height - 0.05),
        (0, -depth / 2 + 0.018, 0.03),
        (1, rows),
        (shaded(metal, 1.05), palette.metal),
    )
    return Model(
        label="file cabinet", parts=tuple(parts), finish=metal, shape="box",
        surfaces=(tabletop(width, depth, height, inset=0.04),), clearance=0.4,
    )  # fmt: skip


def bookshelf(rng: np.random.Generator, palette: Palette) -> Model:
    """An open case with a back and three to six shelves."""
    width, depth = rng.uniform(0.7, 1.2), rng.uniform(0.28, 0.34)
    levels = int(rng.integers(3, 6))
    height, board = 0.08 + levels * rng.uniform(0.33, 0.38), 0.022
    wood = palette.wood if rng.random() < 0.6 else palette.wood_second
    inner = width - 2 * board
    parts = [
        *parts_of(
            wood, *(block((board, depth, height), (s * (width - board) / 2, 0, 0)) for s in (-1, 1))
        )
    ]
    parts += parts_of(
        shaded(wood, 0.85), block((inner, 0.01, height - 0.06), (0, depth / 2 - 0.005, 0.06))
    )
    parts += parts_of(wood, block((inner, depth - 0.03, 0.06 - 0.002), (0, 0.0, 0)))
    pitch = (height - board - 0.06) / levels
    surfaces = []
    for k in range(levels + 1):
        z = 0.06 + k * pitch
        parts += parts_of(wood, block((inner, depth - 0.01, board), (0, -0.005, z)))
        if k < levels:
            surfaces.append(
                tabletop(
                    inner - 0.02,
                    depth - 0.03,
                    z + board,
                    headroom=pitch - board - 0.01,
                    inset=0.0,
                    y=-0.005,
                )
            )
    surfaces.append(tabletop(inner, depth - 0.01, height, inset=0.01, y=-0.005))
    parts[-1] = parts_of(wood, block((inner, depth - 0.01, board), (0, -0.005, height - board)))[0]
    return Model(
        label="bookshelf",
        parts=tuple(parts),
        finish=wood,
        shape="box",
        surfaces=tuple(surfaces),
        clearance=0.4,
    )


def wall_shelf(rng: np.random.Generator, palette: Palette) -> Model:
    """A plank on two brackets, to hang on a wall."""
    width, depth, thick = rng.uniform(0.6, 1.1), rng.uniform(0.2, 0.25), 0.025
    parts = [*parts_of(palette.wood, block((width, depth, thick), (0, -depth / 2, 0.1)))]
    for side in (-1, 1):
        x = side * (width / 2 - 0.12)
        parts += parts_of(palette.metal, block((0.025, 0.012, 0.1), (x, -0.006, 0)))
        parts += parts_of(
            palette.metal,
            block((0.025, depth - 0.052, 0.012), (x, -(depth - 0.052) / 2 - 0.012, 0.088)),
        )
    surface = tabletop(width, depth, 0.1 + thick, inset=0.015, y=-depth / 2, headroom=0.45)
    return Model(label="shelf", parts=tuple(parts), finish=palette.wood, surfaces=(surface,))


def cardboard_box(rng: np.random.Generator, palette: Palette) -> Model:
    """A closed carton with tape along its lid."""
    width, depth, height = rng.uniform(0.28, 0.5), rng.uniform(0.22, 0.38), rng.uniform(0.16, 0.34)
    card = Finish(rgb=(178, 138, 96), material="cardboard")
    parts = parts_of(card, block((width, depth, height)))
    tape = parts_of(
        Finish(rgb=(206, 186, 150), material="plastic"), block((width, 0.05, 0.001), (0, 0, height))
    )
    return Model(
        label="box", parts=parts + tape, finish=card, shape="box",
        surfaces=(tabletop(width, depth, height + 0.001),),
    )  # fmt: skip


def _open_bin(
    finish: Finish, size: tuple[float, float, float], flare: float, label: str, shape: str
) -> Model:
    width, depth, height = size
    wall = 0.012
    low, high = np.array([width, depth]) / flare, np.array([width, depth])
    rings = np.zeros((4, 4, 3))
    for k, (extent, z) in enumerate(
        ((low, 0), (high, height), (high - 2 * wall, height), (low - 2 * wall, wall))
    ):
        rings[k, :, :2], rings[k, :, 2] = rectangle(*extent), z
    return Model(label=label, parts=parts_of(finish, loft(rings)), finish=finish, shape=shape)


def storage_bin(rng: np.random.Generator, palette: Palette) -> Model:
    """An open plastic or fabric crate."""
    size = (rng.uniform(0.32, 0.46), rng.uniform(0.26, 0.34), rng.uniform(0.18, 0.26))
    return _open_bin(accent(rng, "plastic"), size, 1.12, "storage bin", "box")


def basket(rng: np.random.Generator, palette: Palette) -> Model:
    """A round woven basket."""
    radius, height = rng.uniform(0.16, 0.24), rng.uniform(0.22, 0.36)
    wicker = Finish(rgb=(186, 146, 98), material="wicker", texture="fabric")
    profile = [
        (0.8 * radius, 0),
        (radius, 0.5 * height),
        (0.92 * radius, height),
        (0.85 * radius, height),
        (0.9 * radius, 0.5 * height),
        (0.72 * radius, 0.02),
    ]
    return Model(
        label="basket",
        parts=parts_of(wicker, lathe(profile, segments=24)),
        finish=wicker,
        shape="cylinder",
    )


def trash_can(rng: np.random.Generator, palette: Palette) -> Model:
    """An open waste bin, round or square."""
    height = rng.uniform(0.28, 0.36)
    finish = Finish(
        rgb=((60, 62, 66), (150, 154, 158), (232, 230, 226), (58, 96, 140), (172, 52, 48))[
            int(rng.integers(5))
        ],
        material="plastic",
    )
    if rng.random() < 0.4:
        side = rng.uniform(0.24, 0.3)
        return _open_bin(finish, (side, side, height), 1.25, "trash can", "box")
    r = rng.uniform(0.12, 0.15)
    profile = [(0.78 * r, 0), (r, height), (r - 0.008, height), (0.78 * r - 0.008, 0.01)]
    return Model(
        label="trash can",
        parts=parts_of(finish, lathe(profile, segments=24)),
        finish=finish,
        shape="cylinder",
    )


def suitcase(rng: np.random.Generator, palette: Palette) -> Model:
    """An upright wheeled case with a handle."""
    width, depth, height = rng.uniform(0.38, 0.46), rng.uniform(0.22, 0.28), rng.uniform(0.52, 0.64)
    shell, dark = accent(rng, "plastic"), Finish(rgb=(42, 43, 46), material="plastic")
    parts = [*parts_of(shell, soft_block((width, depth, height), 0.05, (0, 0, 0.05)))]
    parts += parts_of(
        dark, *(block((0.03, 0.04, 0.06), (x, y, 0)) for x, y in four(width - 0.12, depth - 0.1))
    )
    parts += parts_of(
        dark, *(block((0.014, 0.014, 0.06), (s * 0.08, 0, height + 0.045)) for s in (-1, 1))
    )
    parts += parts_of(dark, block((0.18, 0.022, 0.02), (0, 0, height + 0.1)))
    return Model(label="suitcase", parts=tuple(parts), finish=shell)


def backpack(rng: np.random.Generator, palette: Palette) -> Model:
    """A soft rucksack standing on its base, pocket in front."""
    cloth = accent(rng, "fabric", "fabric")
    width, depth, height = rng.uniform(0.28, 0.33), rng.uniform(0.14, 0.18), rng.uniform(0.4, 0.46)
    parts = [*parts_of(cloth, soft_block((width, depth, height), 0.06))]
    parts += parts_of(
        shaded(cloth, 0.8),
        soft_block((0.75 * width, 0.07, 0.45 * height), 0.03, (0, -depth / 2 - 0.025, 0.03)),
    )
    parts += parts_of(
        shaded(cloth, 0.6),
        *(block((0.04, 0.02, 0.75 * height), (s * 0.07, depth / 2 + 0.008, 0.06)) for s in (-1, 1)),
    )
    return Model(label="backpack", parts=tuple(parts), finish=cloth)
