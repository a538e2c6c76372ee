"""The world `tabletop`: a table with everyday things in containers, in stacks, leaning and by themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gapdata.errors import GapdataError
from gapdata.synthetic.description import Description
from gapdata.synthetic.furniture import decor, tables
from gapdata.synthetic.materials import Palette
from gapdata.synthetic.models import Model
from gapdata.synthetic.orbit import ORBITS, OrbitConfig, orbit
from gapdata.synthetic.studio import empty_studio, free_air, sphere_around, studio_lights
from gapdata.synthetic.tabletop import things, vessels
from gapdata.synthetic.tabletop.containing import filled_vessel, fruit_bowl, pencil_mug
from gapdata.synthetic.tabletop.groups import Bench, Group, room_taken, standing
from gapdata.synthetic.tabletop.leaning import leaning_book
from gapdata.synthetic.tabletop.robot import robot_arm
from gapdata.synthetic.tabletop.settings import place_setting, raised_board
from gapdata.synthetic.tabletop.stacks import (
    block_tower,
    book_stack,
    plate,
    plate_stack,
    saucer_and_mug,
)

Arrange = Callable[[np.random.Generator, Palette], Group]

TABLES = (tables.dining_table, tables.small_table, tables.desk)
REACH = (0.28, 0.5)  # metres: radius of the part of the table that is in use
ARM_SHARE = 0.35  # of the scenes have a robot arm
TABLE_TRIES = 40
VIEWS = OrbitConfig(reach=(0.65, 1.1), elevation=(np.deg2rad(20.0), np.deg2rad(65.0)))


def _mug(rng: np.random.Generator, palette: Palette) -> Model:
    return vessels.mug(rng, palette).model


def _bowl(rng: np.random.Generator, palette: Palette) -> Model:
    return vessels.bowl(rng, palette).model


def _vase(rng: np.random.Generator, palette: Palette) -> Model:
    """The lowest of a few, behind which not everything is hidden."""
    return min((decor.vase(rng, palette) for _ in range(4)), key=lambda model: float(model.size[2]))


SINGLES: tuple[things.Builder, ...] = (
    _mug, _bowl, plate, things.bottle, things.can, things.carton, things.toy_block, things.fruit, things.tennis_ball,
    things.knife, things.fork, things.spoon, decor.book, decor.candle, decor.small_plant, _vase,
)  # fmt: skip
ARRANGED: tuple[Arrange, ...] = (
    fruit_bowl, pencil_mug, plate_stack, saucer_and_mug, book_stack, block_tower, leaning_book, place_setting,
    raised_board,
)  # fmt: skip


class TabletopWorld:
    """Tables for robots: a few things apart where it is easy, a crowd of piles and full baskets where it is hard."""

    trajectories = ORBITS
    trajectory = "orbit"

    def describe(self, rng: np.random.Generator, difficulty: float) -> Description:
        """One table with what is on it, its lamps, and views from around it."""
        bench = empty_studio(Bench, rng, difficulty)
        lights = studio_lights(bench)
        palette = bench.plan.palette
        table = _table(bench)
        model = bench.placed[table].model
        first = len(bench.placed)
        reach = min(float(rng.uniform(*REACH)), 0.5 * float(model.size[:2].max()))
        about = rng.uniform(-0.15, 0.15, 2) * model.size[:2]
        if rng.random() < ARM_SHARE:
            arm = (standing(robot_arm(rng, palette)),)
            bench.put_somewhere(arm, table, about=about + [0.0, 0.25 * reach], reach=reach)
        for group in _groups(bench):
            bench.put_somewhere(group, table, about=about, reach=reach)
        middle, radius = sphere_around(bench.placed[first:])
        config = replace(VIEWS, is_steady=self.trajectory == "orbit")
        frames = orbit(rng.spawn(1)[0], middle, radius, free_air(bench), bench.is_clear, config)
        given_up = ", ".join(f"{label} {n}" for label, n in sorted(bench.given_up.items()))
        return Description(
            placed=tuple(bench.placed), lights=lights, frames=frames,
            provenance={"room": bench.plan.name, "not_placed": given_up},
        )  # fmt: skip


def _table(bench: Bench) -> int:
    """A table in the middle of the studio, around which there is room to walk."""
    for _ in range(TABLE_TRIES):
        model = TABLES[int(bench.rng.integers(len(TABLES)))](bench.rng, bench.plan.palette)
        index = bench.on_floor(model, np.zeros(2), float(bench.rng.uniform(-np.pi, np.pi)))
        if index is not None:
            return index
    raise GapdataError("expected room for a table in an empty studio, found none")


def _groups(bench: Bench) -> list[Group]:
    """What is to go onto the table, the bulkiest first."""
    rng, palette, hard = bench.rng, bench.plan.palette, bench.difficulty
    most = 2 + round(6 * hard)
    full, arranged, single = (
        int(rng.integers(least, least + 1 + round(extra * hard)))
        for least, extra in ((1, 2), (1, 4), (2, 6))
    )
    groups: list[Group] = [filled_vessel(rng, palette, most) for _ in range(full)]
    groups += [ARRANGED[int(rng.integers(len(ARRANGED)))](rng, palette) for _ in range(arranged)]
    models = [SINGLES[int(rng.integers(len(SINGLES)))](rng, palette) for _ in range(single)]
    groups += [(standing(model),) for model in models]
    return sorted(groups, key=lambda group: -room_taken(group))
