"""Lamps, plants, rugs, things on walls and ceilings, and small things to put on others."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import ACCENTS, Finish, Palette, accent, pick, shaded
from gapdata.synthetic.models import Model, Part, Surface, parts_of, tabletop
from gapdata.synthetic.shapes import (
    Solid,
    ball,
    bar,
    block,
    circle,
    cylinder,
    lathe,
    loft,
    prism,
    rectangle,
)
from gapdata.synthetic.textures import draw_clock_face, draw_painting

SHADE = Finish(rgb=(244, 234, 210), material="fabric", texture="fabric")
WHITE = Finish(rgb=(255, 255, 255), material="paper")
SOIL = Finish(rgb=(70, 50, 38), material="soil")


def _shade(low_r: float, high_r: float, low: float, high: float) -> Part:
    profile = [(low_r - 0.004, low), (low_r, low), (high_r, high), (high_r - 0.004, high)]
    return Part(solid=lathe(profile, segments=28), finish=SHADE)


def table_lamp(rng: np.random.Generator, palette: Palette) -> Model:
    """A lamp with a turned or ceramic base and a cloth shade."""
    base = accent(rng) if rng.random() < 0.6 else palette.metal
    height, r = rng.uniform(0.38, 0.5), rng.uniform(0.05, 0.075)
    middle = 0.5 * height
    if rng.random() < 0.5:
        profile = [
            (0.8 * r, 0),
            (1.1 * r, 0.3 * middle),
            (0.9 * r, 0.65 * middle),
            (0.3 * r, 0.9 * middle),
            (0.01, 0.93 * middle),
        ]
    else:
        profile = [
            (1.2 * r, 0),
            (1.2 * r, 0.015),
            (0.25 * r, 0.03),
            (0.2 * r, 0.9 * middle),
            (0.01, 0.93 * middle),
        ]
    parts = (
        *parts_of(
            base,
            lathe(profile, segments=20),
            cylinder(0.008, 0.2 * height, (0, 0, 0.9 * middle), 10),
        ),
    )
    return Model(
        label="lamp", parts=(*parts, _shade(1.9 * r, 1.4 * r, 0.52 * height, height)), finish=base
    )


def desk_lamp(rng: np.random.Generator, palette: Palette) -> Model:
    """A reading lamp with a bent arm."""
    paint = accent(rng, "metal") if rng.random() < 0.5 else palette.metal
    joint, head = (0.0, 0.1, 0.32), (0.0, -0.12, 0.46)
    parts = parts_of(
        paint,
        cylinder(0.08, 0.02, segments=24),
        bar((0, 0.06, 0.018), joint, 0.008, 8),
        bar(joint, head, 0.008, 8),
    )
    shade = (
        lathe([(0.07, 0), (0.035, 0.09), (0.015, 0.11)], segments=20)
        .tilted(0, 0.35)
        .moved((0, -0.13, 0.39))
    )
    return Model(label="lamp", parts=parts + parts_of(paint, shade), finish=paint)


def floor_lamp(rng: np.random.Generator, palette: Palette) -> Model:
    """A tall lamp: round foot, thin pole, cloth shade."""
    height, r = rng.uniform(1.45, 1.7), rng.uniform(0.16, 0.22)
    parts = parts_of(
        palette.metal,
        cylinder(0.14, 0.025, segments=28),
        cylinder(0.013, height - 0.2, (0, 0, 0.02), 12),
    )
    return Model(
        label="lamp",
        parts=(*parts, _shade(r, 0.75 * r, height - 0.28, height)),
        finish=palette.metal,
    )


def ceiling_light(rng: np.random.Generator, palette: Palette, drop: float) -> Model:
    """A lamp to hang from the ceiling, `drop` metres high; its lowest point is at z = 0."""
    glow = Finish(rgb=(252, 248, 236), material="glass")
    if drop < 0.2:
        r = rng.uniform(0.17, 0.24)
        dome = lathe([(0.25 * r, 0), (0.75 * r, 0.25 * drop), (r, 0.75 * drop)], segments=28)
        rim = cylinder(r + 0.012, 0.25 * drop, (0, 0, 0.75 * drop), 28)
        return Model(
            label="ceiling light",
            parts=parts_of(glow, dome) + parts_of(palette.metal, rim),
            finish=glow,
            shape="round",
        )
    r, shade = rng.uniform(0.16, 0.24), 0.17
    paint = accent(rng, "metal")
    cone = lathe(
        [(r, 0.0), (0.95 * r, 0.05), (0.3 * r, 0.9 * shade), (0.1 * r, shade)], segments=28
    )
    cord = parts_of(
        Finish(rgb=(40, 40, 42), material="plastic"),
        cylinder(0.006, drop - shade - 0.02, (0, 0, shade), 8),
        cylinder(0.05, 0.02, (0, 0, drop - 0.02), 20),
    )
    return Model(label="ceiling light", parts=parts_of(paint, cone) + cord, finish=paint)


def plant(rng: np.random.Generator, palette: Palette) -> Model:
    """A potted plant for the floor: long leaves around stems."""
    return _potted(
        rng, rng.uniform(0.13, 0.18), rng.uniform(0.24, 0.34), rng.uniform(0.45, 0.9), 16
    )


def small_plant(rng: np.random.Generator, palette: Palette) -> Model:
    """A potted plant for a table."""
    return _potted(
        rng, rng.uniform(0.05, 0.08), rng.uniform(0.09, 0.13), rng.uniform(0.12, 0.24), 12
    )


def _potted(
    rng: np.random.Generator, radius: float, pot: float, foliage: float, leaves: int
) -> Model:
    clay = accent(rng) if rng.random() < 0.6 else Finish(rgb=(178, 96, 66), material="ceramic")
    green = Finish(
        rgb=pick(rng, [(62, 120, 62), (86, 140, 74), (48, 100, 60), (110, 150, 80)]),
        material="leaf",
    )
    profile = [
        (0.7 * radius, 0),
        (radius, 0.9 * pot),
        (1.06 * radius, pot),
        (0.92 * radius, pot),
        (0.9 * radius, 0.86 * pot),
    ]
    parts = [*parts_of(clay, lathe(profile, segments=24))]
    parts += parts_of(SOIL, cylinder(0.89 * radius, 0.02, (0, 0, 0.86 * pot), 20))
    for k in range(leaves):
        heading = 2.4 * k + rng.uniform(-0.2, 0.2)
        reach, rise = foliage * rng.uniform(0.25, 0.55), foliage * rng.uniform(0.55, 1.0)
        parts.append(
            Part(
                solid=_leaf(heading, reach, rise, 0.11 * foliage, 0.86 * pot),
                finish=shaded(green, rng.uniform(0.85, 1.15)),
            )
        )
    return Model(label="plant", parts=tuple(parts), finish=green)


def _leaf(heading: float, reach: float, rise: float, width: float, z: float) -> Solid:
    t = np.linspace(0.0, 1.0, 6)
    forward = reach * t**1.6
    up = z + rise * np.sin(0.62 * np.pi * t) / np.sin(0.5 * np.pi)
    wide = width * (0.12 + np.sin(np.pi * np.clip(t, 0.02, 0.97)) ** 0.8)
    thick = 0.02 * width + 0.0015
    path = np.stack([forward, np.zeros(6), up], axis=-1)
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.array([0.0, 1.0, 0.0])
    lift = np.cross(tangent, side)
    corners = rectangle(1.0, 1.0)
    rings = (
        path[:, None]
        + corners[None, :, :1] * wide[:, None, None] * side
        + corners[None, :, 1:] * thick * lift[:, None]
    )
    return loft(rings).turned(heading)


def rug(
    rng: np.random.Generator, palette: Palette, width: float, depth: float, *, oval: bool
) -> Model:
    """A flat rug with a border."""
    field = Finish(
        rgb=pick(
            rng,
            (palette.accent.rgb, palette.accent_second.rgb, palette.fabric.rgb, (198, 186, 164)),
        ),
        material="wool",
        texture=("carpet", "stripes", "lattice")[int(rng.integers(3))],
    )
    edge = shaded(field, 0.72)
    if oval:
        outer = circle(0.5, 40) * np.array([width, depth])
        parts = parts_of(edge, prism(outer, 0.0, 0.008)) + parts_of(
            field, prism(outer * 0.94, 0.0, 0.01)
        )
    else:
        outer = rectangle(width, depth)
        parts = parts_of(edge, prism(outer, 0.0, 0.008)) + parts_of(
            field, prism(rectangle(width - 0.12, depth - 0.12), 0.0, 0.01)
        )
    inner = outer * (0.92 if oval else 1 - 0.14 / np.array([width, depth]))
    return Model(
        label="rug",
        parts=parts,
        finish=field,
        shape="round" if oval else "rectangular",
        surfaces=(Surface(outline=inner, z=0.01),),
    )


def framed(
    label: str, size: tuple[float, float], frame: Finish, inside: Part, border: float
) -> Model:
    """A frame of four bars around a flat panel, back at y = 0. The panel is given in place."""
    width, height = size
    thick = 0.025
    bars = [block((width, thick, border), (0, -thick / 2, z)) for z in (0.0, height - border)]
    bars += [
        block((border, thick, height - 2 * border), (s * (width - border) / 2, -thick / 2, border))
        for s in (-1, 1)
    ]
    return Model(
        label=label, parts=(*parts_of(frame, *bars), inside), finish=frame, shape="rectangular"
    )


def _panel(width: float, height: float, thick: float, z: float) -> Part:
    lying = block((width, height, thick)).tilted(0, np.pi / 2)
    return Part(solid=lying.moved((0, 0, z + height / 2)), finish=WHITE)


def picture(rng: np.random.Generator, palette: Palette) -> Model:
    """A framed picture."""
    width, height = rng.uniform(0.4, 1.0), rng.uniform(0.4, 0.75)
    frame = (
        palette.wood,
        palette.metal,
        Finish(rgb=(36, 36, 38), material="wood"),
        Finish(rgb=(242, 240, 236), material="wood"),
    )[int(rng.integers(4))]
    border = rng.uniform(0.02, 0.045)
    panel = _panel(width - 2 * border, height - 2 * border, 0.012, border)
    return framed(
        "picture",
        (width, height),
        frame,
        Part(solid=panel.solid, finish=WHITE, image=draw_painting(rng)),
        border,
    )


def mirror(rng: np.random.Generator, palette: Palette) -> Model:
    """A wall mirror: a pale blue-grey pane (nothing is reflected) in a frame."""
    width, height = rng.uniform(0.5, 0.8), rng.uniform(0.7, 1.1)
    pane = _panel(width - 0.06, height - 0.06, 0.012, 0.03)
    silver = Finish(rgb=(196, 208, 214), material="glass")
    return framed(
        "mirror", (width, height), palette.wood, Part(solid=pane.solid, finish=silver), 0.03
    )


def whiteboard(rng: np.random.Generator, palette: Palette) -> Model:
    """A whiteboard with a metal frame."""
    width, height = rng.uniform(1.2, 1.9), rng.uniform(0.85, 1.1)
    pane = _panel(width - 0.04, height - 0.04, 0.014, 0.02)
    return framed(
        "whiteboard",
        (width, height),
        Finish(rgb=(176, 178, 182), material="metal"),
        Part(solid=pane.solid, finish=Finish(rgb=(250, 250, 250), material="enamel")),
        0.02,
    )


def clock(rng: np.random.Generator, palette: Palette) -> Model:
    """A round wall clock, its back at y = 0."""
    r = rng.uniform(0.13, 0.18)
    rim = accent(rng, "plastic")
    case = lathe([(r, 0), (r, 0.025), (r - 0.015, 0.035), (r - 0.018, 0.02)], segments=32).tilted(
        0, np.pi / 2
    )
    dial = cylinder(r - 0.017, 0.006, (0, 0, 0.019), 32).tilted(0, np.pi / 2)
    parts = (
        Part(solid=case.moved((0, 0, r)), finish=rim),
        Part(solid=dial.moved((0, 0, r)), finish=WHITE, image=draw_clock_face()),
    )
    return Model(label="clock", parts=parts, finish=rim, shape="round")


def curtain(rng: np.random.Generator, palette: Palette, width: float, height: float) -> Model:
    """One pleated curtain on a rail that is fixed to the wall at y = 0."""
    cloth = palette.accent_second if rng.random() < 0.5 else palette.fabric
    folds = max(4, round(width / 0.07))
    pleat, depth = width / folds, 0.05
    parts: list[Part] = []
    rail = block((width, 0.03, 0.03), (0, -0.015, height - 0.04))
    parts += parts_of(palette.metal, rail)
    for k in range(folds):
        x = (k + 0.5) * pleat - width / 2
        shape = circle(1.0, 12) * np.array([pleat / 2 / np.cos(np.pi / 12), depth / 2])
        parts += parts_of(
            shaded(cloth, 1.0 if k % 2 else 0.94),
            prism(shape, 0.0, height).moved((x, -depth / 2 - 0.02, 0)),
        )
    return Model(label="curtain", parts=tuple(parts), finish=cloth)


def vase(rng: np.random.Generator, palette: Palette) -> Model:
    """A vase, some with twigs."""
    r, h = rng.uniform(0.045, 0.075), rng.uniform(0.16, 0.3)
    clay = accent(rng)
    profile = [
        (0.6 * r, 0),
        (r, 0.35 * h),
        (0.75 * r, 0.7 * h),
        (0.42 * r, 0.88 * h),
        (0.55 * r, h),
        (0.46 * r, h),
        (0.34 * r, 0.86 * h),
    ]
    parts = [*parts_of(clay, lathe(profile, segments=24))]
    if rng.random() < 0.5:
        flower, stem = accent(rng, "leaf"), Finish(rgb=(80, 116, 66), material="leaf")
        for k in range(5):
            c, s = np.cos(1.257 * k), np.sin(1.257 * k)
            tip = np.array([0.07 * c, 0.07 * s, h + rng.uniform(0.08, 0.18)])
            parts += parts_of(stem, bar((0.2 * r * c, 0.2 * r * s, 0.82 * h), tip, 0.003, 6))
            parts += parts_of(flower, ball(rng.uniform(0.018, 0.028), tip - [0, 0, 0.01], 12))
    return Model(label="vase", parts=tuple(parts), finish=clay)


def candle(rng: np.random.Generator, palette: Palette) -> Model:
    """A candle on a dish."""
    wax = Finish(rgb=pick(rng, [(240, 230, 205), (176, 54, 60), (96, 130, 110)]), material="wax")
    r, h = rng.uniform(0.025, 0.04), rng.uniform(0.08, 0.2)
    dish = parts_of(palette.metal, cylinder(1.6 * r, 0.008, segments=20))
    return Model(
        label="candle",
        parts=dish + parts_of(wax, cylinder(r, h, (0, 0, 0.008), 20)),
        finish=wax,
        shape="cylinder",
    )


def toy_ball(rng: np.random.Generator, palette: Palette) -> Model:
    """A ball."""
    paint = accent(rng, "rubber")
    return Model(
        label="ball",
        parts=parts_of(paint, ball(rng.uniform(0.08, 0.13))),
        finish=paint,
        shape="sphere",
    )


def book(rng: np.random.Generator, palette: Palette) -> Model:
    """A book lying flat: two boards around pages."""
    width, depth, thick = rng.uniform(0.14, 0.2), rng.uniform(0.2, 0.27), rng.uniform(0.018, 0.045)
    cover, pages = accent(rng, "paper"), Finish(rgb=(240, 234, 218), material="paper")
    board = 0.003
    parts = parts_of(
        cover, block((width, depth, board)), block((width, depth, board), (0, 0, thick - board))
    )
    parts += parts_of(
        cover, block((board, depth, thick - 2 * board), (-width / 2 + board / 2, 0, board))
    )
    parts += parts_of(
        pages,
        block(
            (width - 0.01 - board, depth - 0.01, thick - 2 * board), (board / 2 - 0.003, 0, board)
        ),
    )
    return Model(
        label="book",
        parts=parts,
        finish=cover,
        shape="box",
        surfaces=(tabletop(width, depth, thick, inset=0.01, headroom=0.25),),
    )


def book_row(rng: np.random.Generator, palette: Palette, width: float, headroom: float) -> Model:
    """Books standing side by side over `width` metres, spines towards -y."""
    parts: list[Part] = []
    x = -width / 2
    tallest = min(0.3, headroom - 0.02)
    while True:
        thick = rng.uniform(0.018, 0.05)
        if x + thick > width / 2:
            break
        height, depth = tallest * rng.uniform(0.68, 1.0), rng.uniform(0.15, 0.21)
        cover = Finish(rgb=pick(rng, ACCENTS, 16), material="paper")
        center = x + thick / 2
        parts += parts_of(
            cover, block((thick - 0.0015, depth, height), (center, 0.105 - depth / 2, 0))
        )
        x += thick
    return Model(label="books", parts=tuple(parts), finish=parts[0].finish, shape="box")


def radiator(rng: np.random.Generator, palette: Palette) -> Model:
    """A ribbed panel heater to hang below a window, its back at y = 0."""
    enamel = Finish(rgb=(238, 238, 234), material="metal")
    width, height = rng.uniform(0.8, 1.3), 0.55
    ribs = int(width / 0.08)
    pitch = width / ribs
    parts = parts_of(
        enamel,
        block((width, 0.04, height), (0, -0.07, 0)),
        *(block((0.03, 0.05, 0.04), (s * 0.3 * width, -0.025, 0.4)) for s in (-1, 1)),
    )
    parts += parts_of(
        enamel,
        *(
            block((0.6 * pitch, 0.02, height - 0.06), ((k + 0.5) * pitch - width / 2, -0.1, 0.03))
            for k in range(ribs)
        ),
    )
    return Model(label="radiator", parts=parts, finish=enamel)
