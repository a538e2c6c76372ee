"""The world `shapes`: plain bodies on the floor or on a table of an empty room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gapdata.synthetic.description import Description
from gapdata.synthetic.furniture import tables
from gapdata.synthetic.geometric.bodies import BODIES, STEADY, Body
from gapdata.synthetic.geometric.finishes import sample_finish
from gapdata.synthetic.models import Model
from gapdata.synthetic.orbit import ORBITS, OrbitConfig, orbit
from gapdata.synthetic.placement import Placer
from gapdata.synthetic.studio import empty_studio, free_air, sphere_around, studio_lights

TABLES = (tables.small_table, tables.coffee_table, tables.end_table)
TABLE_SHARE = 0.4  # of the scenes have a table
FLOOR_SIZE, TABLE_SIZE = (0.16, 0.5), (0.08, 0.22)  # metres, of a body's longest side
SPREAD = (0.45, 1.0)  # metres: radius of the floor on which bodies stand
STACKED = 0.45  # of the bodies at most stand on another one
SMALLER = 0.9  # what stands on another is at most this part of its size
TRIES = 30


class ShapesWorld:
    """3 to 12 cubes, spheres, cones and the like in named colours and materials."""

    trajectories = ORBITS
    trajectory = "orbit"

    def describe(self, rng: np.random.Generator, difficulty: float) -> Description:
        """One studio with bodies: more of them and more of them stacked where it is difficult."""
        placer = empty_studio(Placer, rng, difficulty)
        lights = studio_lights(placer)
        table = _table(placer) if rng.random() < TABLE_SHARE else None
        first = len(placer.placed)
        count = int(rng.integers(3 + round(4 * difficulty), 5 + round(8 * difficulty)))
        spread = float(rng.uniform(*SPREAD))
        for _ in range(count):
            _stand(placer, first, table, spread)
        middle, radius = sphere_around(placer.placed[first:])
        config = OrbitConfig(is_steady=self.trajectory == "orbit")
        frames = orbit(rng.spawn(1)[0], middle, radius, free_air(placer), placer.is_clear, config)
        given_up = ", ".join(f"{label} {n}" for label, n in sorted(placer.given_up.items()))
        return Description(
            placed=tuple(placer.placed), lights=lights, frames=frames,
            provenance={"room": "studio", "not_placed": given_up},
        )  # fmt: skip


def _table(placer: Placer) -> int | None:
    builder = TABLES[int(placer.rng.integers(len(TABLES)))]
    model = builder(placer.rng, placer.plan.palette)
    return placer.on_floor(model, np.zeros(2), float(placer.rng.uniform(-np.pi, np.pi)))


def _body(placer: Placer, limits: tuple[float, float], bodies: Sequence[Body] = BODIES) -> Model:
    rng = placer.rng
    body = bodies[int(rng.integers(len(bodies)))]
    # Evenly on a logarithmic scale: small ones are as frequent as large ones.
    size = float(np.exp(rng.uniform(*np.log(limits))))
    return body(rng, size, sample_finish(rng))


def _stand(placer: Placer, first: int, table: int | None, spread: float) -> None:
    """Puts one more body on another one, on the table or on the floor; counted when there is no place."""
    rng, limits = placer.rng, FLOOR_SIZE if table is None else TABLE_SIZE
    hosts = [n for n in range(first, len(placer.placed)) if placer.placed[n].model.surfaces]
    if hosts and rng.random() < STACKED * placer.difficulty:
        host = hosts[int(rng.integers(len(hosts)))]
        room = SMALLER * float(placer.placed[host].model.size[:2].min())
        small = _body(placer, (0.6 * room, room), STEADY)
        if placer.on(small, host, tries=TRIES) is not None:
            return
    model = _body(placer, limits)
    if table is not None:
        placer.on(model, table, tries=TRIES)
        return
    for _ in range(TRIES):
        angle, away = float(rng.uniform(-np.pi, np.pi)), spread * float(np.sqrt(rng.random()))
        spot = away * np.array([np.cos(angle), np.sin(angle)])
        if placer.on_floor(model, spot, float(rng.uniform(-np.pi, np.pi))) is not None:
            return
    placer.give_up(model)
