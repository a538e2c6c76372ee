"""The indoor world: one furnished room a scene."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.assets.library import Library
from gapdata.synthetic.description import Description
from gapdata.synthetic.furnishing import ROOMS
from gapdata.synthetic.layout import AREA, sample_plan
from gapdata.synthetic.lighting import lit, sample_lighting, shining
from gapdata.synthetic.palettes import palette_for
from gapdata.synthetic.placement import Placer
from gapdata.synthetic.room_views import ceiling_lights, daylight, things_to_see
from gapdata.synthetic.shell import build_shell
from gapdata.synthetic.trajectory import TRAJECTORIES, Sights, WalkConfig


class RoomWorld:
    """Furnished rooms of eight kinds with everyday objects."""

    library: Library | None = None
    trajectories = tuple(TRAJECTORIES)
    trajectory = "walk"

    def describe(self, rng: np.random.Generator, difficulty: float) -> Description:
        """One room: what stands where, its lamps, and frames of it."""
        # The area first, evenly on a logarithmic scale: how large a room is must not be known unseen.
        area = float(np.exp(rng.uniform(*np.log(AREA))))
        kinds = [kind for kind in sorted(ROOMS) if ROOMS[kind][0][0] <= area <= ROOMS[kind][0][1]]
        kind = kinds[int(rng.integers(len(kinds)))]
        furnish = ROOMS[kind][1]
        palette = palette_for(rng, kind)
        plan = sample_plan(rng, kind, area, palette)
        placer = Placer(
            rng, plan, build_shell(rng, plan), difficulty=difficulty, library=self.library
        )
        lamps = ceiling_lights(placer)
        furnish(placer)
        windows = daylight(placer)
        targets, radii = things_to_see(placer)
        frames = TRAJECTORIES[self.trajectory](
            rng.spawn(1)[0], placer.free, Sights(targets=targets, radii=radii), WalkConfig()
        )
        lighting = sample_lighting(rng, difficulty)
        given_up = ", ".join(f"{label} {n}" for label, n in sorted(placer.given_up.items()))
        return Description(
            placed=shining(lighting, placer.placed), lights=lit(lighting, lamps, windows), frames=frames,
            provenance={"room": kind, "not_placed": given_up},
        )  # fmt: skip
