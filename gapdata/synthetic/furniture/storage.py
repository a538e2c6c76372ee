"""Things that hold things: shelves, cabinets, wardrobes, dressers, boxes."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Finish, Palette, shaded
from gapdata.synthetic.models import Model, Part, four, parts_of, tabletop
from gapdata.synthetic.shapes import Vector, block, tapered


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
    size = (rng.uniform(0.34, 0.64), rng.uniform(0.3, 0.48), rng.uniform(0.4, 0.7))
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
    size = (rng.uniform(0.74, 1.75), rng.uniform(0.4, 0.56), rng.uniform(0.64, 1.2))
    return _chest(palette, "dresser", size, (2, int(rng.integers(2, 5))), "bar", 0.08)


def cabinet(rng: np.random.Generator, palette: Palette) -> Model:
    """A sideboard with doors."""
    size = (rng.uniform(0.6, 2.0), rng.uniform(0.34, 0.5), rng.uniform(0.6, 1.25))
    return _chest(
        palette,
        "cabinet",
        size,
        (max(1, round(size[0] / 0.5)), 1),
        "upright",
        rng.uniform(0.06, 0.14),
    )


def tv_stand(rng: np.random.Generator, palette: Palette) -> Model:
    """A long low cabinet for a television."""
    size = (rng.uniform(1.0, 2.1), rng.uniform(0.34, 0.48), rng.uniform(0.34, 0.64))
    return _chest(
        palette,
        "tv stand",
        size,
        (round(size[0] / 0.5), 1),
        "upright",
        rng.uniform(0.06, 0.12),
        0.3,
    )


def wardrobe(rng: np.random.Generator, palette: Palette) -> Model:
    """A tall cabinet with two to four doors."""
    size = (rng.uniform(0.8, 2.2), rng.uniform(0.52, 0.66), rng.uniform(1.75, 2.28))
    return _chest(palette, "wardrobe", size, (round(size[0] / 0.5), 1), "upright", 0.05, 0.6)


def file_cabinet(rng: np.random.Generator, palette: Palette) -> Model:
    """A metal cabinet with two to four drawers."""
    rows = int(rng.integers(2, 5))
    width, depth, height = (
        rng.uniform(0.36, 0.52),
        rng.uniform(0.42, 0.66),
        0.06 + rows * rng.uniform(0.25, 0.36),
    )
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
    """An open case with a back and two to five shelves."""
    width, depth = rng.uniform(0.5, 1.5), rng.uniform(0.26, 0.38)
    levels = int(rng.integers(2, 6))
    height, board = 0.08 + levels * rng.uniform(0.3, 0.42), 0.022
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
    width, depth, thick = rng.uniform(0.45, 1.4), rng.uniform(0.16, 0.3), 0.025
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
