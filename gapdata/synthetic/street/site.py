"""A street while it fills up: what stands where, what it stands on, and what found no place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from gapdata.geometry.transforms import rotation_about_z
from gapdata.synthetic.collision import Obstacles, Prism, prisms_of
from gapdata.synthetic.description import NOT_SUPPORTED, Placed
from gapdata.synthetic.models import Model
from gapdata.synthetic.street.ground import Terrain, crosswalk, lands, markings, pavements, road
from gapdata.synthetic.street.plan import KERB, SKIN, StreetPlan

Array = np.ndarray

ROAD = 0  # index of the road among what is placed


class Site:
    """Things placed one after the other, each only where it overlaps nothing; `given_up` counts the others."""

    def __init__(self, rng: np.random.Generator, plan: StreetPlan, difficulty: float) -> None:
        self.rng, self.plan, self.difficulty = rng, plan, difficulty
        self.placed: list[Placed] = []
        self.given_up: Counter[str] = Counter()
        self._solid, self._reserved = Obstacles(), Obstacles()
        self._lay(road(rng, plan), NOT_SUPPORTED)
        self._walks = [
            (terrain, self._lay(terrain.model, NOT_SUPPORTED)) for terrain in pavements(rng, plan)
        ]
        self._lands = [
            (terrain, self._lay(terrain.model, NOT_SUPPORTED)) for terrain in lands(rng, plan)
        ]
        for thing in self.placed:
            self._solid.add(prisms_of(thing.model, thing.position, np.eye(2)))
        # Paint is thinner than any contact depth: wheels and feet stand on it as on the road.
        for model in [markings(plan), *(crosswalk(plan, x) for x in plan.crossings)]:
            self._lay(model, ROAD)

    def _lay(self, model: Model, support: int) -> int:
        self.placed.append(Placed(model=model, position=np.zeros(3), yaw=0.0, support=support))
        return len(self.placed) - 1

    def reserve(self, low: Sequence[float], high: Sequence[float]) -> None:
        """Keeps an axis-aligned box (x, y, z) free of everything that is placed later."""
        outline = np.array(
            [[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]]
        )
        self._reserved.add([Prism(outline=outline, low=low[2], high=high[2])])

    def on_road(self, model: Model, spot: tuple[float, float], yaw: float) -> int | None:
        """Stands a model on the road."""
        return self._put(model, np.array([*spot, 0.0]), yaw, ROAD)

    def on_walk(self, model: Model, spot: tuple[float, float], yaw: float) -> int | None:
        """Stands a model on a pavement that holds its whole base, inside the kerb; None when none does."""
        base = model.base @ rotation_about_z(yaw)[:2, :2].T + np.asarray(spot)
        for terrain, index in self._walks:
            if _holds(terrain, base, 0.16):
                return self._put(model, np.array([*spot, KERB + SKIN]), yaw, index)
        return None

    def on_land(self, model: Model, spot: tuple[float, float], yaw: float) -> int | None:
        """Stands a model on the land behind the pavements."""
        base = model.base @ rotation_about_z(yaw)[:2, :2].T + np.asarray(spot)
        for terrain, index in self._lands:
            if _holds(terrain, base, -1e-6):
                return self._put(model, np.array([*spot, KERB]), yaw, index)
        return None

    def _put(
        self, model: Model, position: Float[Array, "3"], yaw: float, support: int
    ) -> int | None:
        prisms = prisms_of(model, position, rotation_about_z(yaw)[:2, :2])
        if self._solid.hit(prisms) or self._reserved.hit(prisms):
            return None
        self._solid.add(prisms)
        self.placed.append(Placed(model=model, position=position, yaw=yaw, support=support))
        return len(self.placed) - 1

    def give_up(self, label: str) -> None:
        """Counts a thing that found no place."""
        self.given_up[label] += 1


def _holds(terrain: Terrain, points: Float[Array, "n 2"], inset: float) -> bool:
    return bool((points >= terrain.low + inset).all() and (points <= terrain.high - inset).all())
