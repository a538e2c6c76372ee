"""A plan's walls, floor, ceiling, doors and windows as models, given directly in the world."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gapdata.synthetic.description import Placed, yaw_facing
from gapdata.synthetic.doors import CASING, door_frame, door_leaf, hinge_offset
from gapdata.synthetic.layout import WALL_THICKNESS, Opening, Plan
from gapdata.synthetic.materials import Finish
from gapdata.synthetic.models import Model, Part, parts_of
from gapdata.synthetic.shapes import Solid, block, prism
from gapdata.synthetic.textures import draw_outdoors

Array = np.ndarray

SLAB = 0.15
BOARD_HEIGHT, BOARD_THICKNESS = 0.08, 0.012  # skirting board
WINDOW_BAR, WINDOW_SILL, WINDOW_INSET = 0.055, 0.025, 0.05  # of frames, boards, and behind the wall

ORIGIN = np.zeros(3)


def build_shell(rng: np.random.Generator, plan: Plan, *, doors: bool = True) -> list[Placed]:
    """Floor, ceiling, one model a wall, then a window, or when asked a closed door, an opening. Floor is index 0."""
    shell = [_at_origin(_floor(plan)), _at_origin(_ceiling(plan))]
    first_wall = len(shell)
    feature = int(rng.integers(len(plan.corners)))
    for wall in range(len(plan.corners)):
        finish = plan.palette.feature_wall if wall == feature else plan.palette.wall
        shell.append(_at_origin(_wall(plan, wall, finish)))
    for opening in plan.openings:
        middle = 0.5 * (opening.start + opening.end)
        spot = np.append(plan.point(opening.wall, middle), opening.sill)
        yaw = yaw_facing(plan.inward[opening.wall])
        if opening.kind == "door":
            if doors:
                shell += closed_door(rng, plan, opening)
        else:
            window = _window(rng, plan, opening)
            shell.append(
                Placed(model=window, position=spot, yaw=yaw, support=first_wall + opening.wall)
            )
    return [replace(part, room=plan.name) for part in shell]


def _at_origin(model: Model) -> Placed:
    return Placed(model=model, position=ORIGIN, yaw=0.0)


def _slab(plan: Plan, low: float, high: float) -> list[Solid]:
    slabs = []
    for near, far in plan.rectangles(plan.thicknesses):
        outline = np.array([near, [far[0], near[1]], far, [near[0], far[1]]])
        slabs.append(prism(outline, low, high))
    return slabs


def _floor(plan: Plan) -> Model:
    finish = plan.palette.floor
    return Model(label="floor", parts=parts_of(finish, *_slab(plan, -SLAB, 0.0)), finish=finish)


def _ceiling(plan: Plan) -> Model:
    finish = Finish(rgb=(246, 245, 242), material="paint", texture="plaster")
    parts = parts_of(finish, *_slab(plan, plan.height, plan.height + SLAB))
    return Model(label="ceiling", parts=parts, finish=finish)


def _wall(plan: Plan, wall: int, finish: Finish) -> Model:
    length = float(plan.lengths[wall])
    outer = plan.outer_corners
    ends = outer[wall], outer[(wall + 1) % len(outer)]
    holes = sorted((o for o in plan.openings if o.wall == wall), key=lambda o: o.start)
    solids: list[Solid] = []
    edge = 0.0
    for hole in [*holes, None]:
        stop = length if hole is None else hole.start
        solids.append(_wall_piece(plan, wall, (edge, stop), (0.0, plan.height), ends))
        if hole is not None:
            solids.append(
                _wall_piece(plan, wall, (hole.start, hole.end), (hole.top, plan.height), ends)
            )
            if hole.sill > 0:
                solids.append(
                    _wall_piece(plan, wall, (hole.start, hole.end), (0.0, hole.sill), ends)
                )
            edge = hole.end
    inner = plan.offset_corners(-BOARD_THICKNESS)
    board_ends = inner[wall], inner[(wall + 1) % len(inner)]
    doors = [hole for hole in holes if hole.kind == "door"]
    starts = [0.0, *(door.end + CASING for door in doors)]
    stops = [*(door.start - CASING for door in doors), length]
    boards = [
        _wall_piece(plan, wall, span, (0.0, BOARD_HEIGHT), board_ends, BOARD_THICKNESS)
        for span in zip(starts, stops, strict=True)
    ]
    return Model(
        label="wall", parts=parts_of(finish, *solids) + parts_of(plan.palette.trim, *boards),
        finish=finish, shape="flat",
    )  # fmt: skip


def _wall_piece(
    plan: Plan, wall: int, span: tuple[float, float], heights: tuple[float, float],
    ends: tuple[Array, Array], inside: float = 0.0,
) -> Solid:  # fmt: skip
    """The part of a wall between two distances along it, mitred where it reaches a corner.

    With `inside` > 0 the piece lies that far in front of the wall's inner face (a skirting board).
    """
    length = float(plan.lengths[wall])
    shift = plan.inward[wall] * (inside if inside else -plan.thicknesses[wall])
    near = [plan.point(wall, s) for s in span]
    far = [p + shift for p in near]
    if span[0] == 0.0:
        far[0] = ends[0]
    if span[1] == length:
        far[1] = ends[1]
    outline = np.array(
        [far[0], far[1], near[1], near[0]] if not inside else [near[0], near[1], far[1], far[0]]
    )
    # The ring starts on the visible face, so that the texture runs on from piece to piece.
    outline = np.roll(outline, 2, axis=0)
    solid = prism(outline, *heights)
    uv = solid.uv + np.array([-span[1], heights[0]])
    return replace(solid, uv=uv)


def closed_door(rng: np.random.Generator, plan: Plan, opening: Opening) -> list[Placed]:
    """The frame and the shut leaf of a door to the outside."""
    width, inward = opening.end - opening.start, plan.inward[opening.wall]
    yaw = yaw_facing(inward)
    spot = np.append(plan.point(opening.wall, 0.5 * (opening.start + opening.end)), 0.0)
    hinge = -1 if rng.random() < 0.5 else 1
    frame = door_frame(plan.palette.trim, width, opening.top, WALL_THICKNESS)
    leaf = door_leaf(rng, plan.palette, width, opening.top, hinge)
    return [
        Placed(model=frame, position=spot, yaw=yaw, support=0),
        Placed(
            model=leaf,
            position=spot + hinge_offset(yaw, width, hinge, inset=0.03),
            yaw=yaw,
            support=0,
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pane:
    """Where light comes in: a rectangle in front of a window's frame, metres."""

    width: float
    height: float
    middle: float  # above the floor
    behind: float  # the wall's inner face


def pane_of(opening: Opening) -> Pane:
    """The rectangle through which a window's light comes."""
    width, height = opening.end - opening.start, opening.top - opening.sill
    inner = height - WINDOW_SILL - 2 * WINDOW_BAR
    return Pane(
        width=width - 2 * WINDOW_BAR, height=inner,
        middle=opening.sill + WINDOW_SILL + WINDOW_BAR + 0.5 * inner, behind=WINDOW_INSET - 0.005,
    )  # fmt: skip


def _window(rng: np.random.Generator, plan: Plan, opening: Opening) -> Model:
    """A window with two casements, its board reaching into the room; z = 0 is the sill of the wall."""
    width, height = opening.end - opening.start, opening.top - opening.sill
    trim, bar, sill, depth = plan.palette.trim, WINDOW_BAR, WINDOW_SILL, 0.06
    y = WINDOW_INSET + depth / 2
    solids = [block((width, WALL_THICKNESS + 0.08, sill), (0, (WALL_THICKNESS - 0.08) / 2, 0))]
    inner_h = height - sill
    solids += [block((bar, depth, inner_h), (s * (width - bar) / 2, y, sill)) for s in (-1, 1)]
    solids += [block((width - 2 * bar, depth, bar), (0, y, z)) for z in (sill, height - bar)]
    solids.append(block((bar, depth, inner_h - 2 * bar), (0, y, sill + bar)))
    pane_h = inner_h - 2 * bar
    lying = block((width - 2 * bar, pane_h, 0.01)).tilted(0, np.pi / 2)
    pane = Part(
        solid=lying.moved((0, y + 0.04, sill + bar + pane_h / 2)),
        finish=Finish(rgb=(255, 255, 255), material="glass"),
        image=draw_outdoors(rng),
    )
    return Model(
        label="window", parts=(*parts_of(trim, *solids), pane), finish=trim, shape="rectangular"
    )
