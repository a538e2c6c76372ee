"""The plan of a street: lanes, kerbs, pavements and the junction, before anything stands there.

The main road runs along x. The camera drives towards +x on the right-hand half, y < 0. Side -1 is its right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RIGHT, LEFT = -1, 1  # sides of the main road, as signs of y
KERB = 0.13  # metres from the road up to the pavement
SKIN = 4e-4  # metres by which paint and paving lie on what is below: less than any contact depth
PARKING = 2.35  # metres, width of a parking lane
CROSSING = 3.2  # metres, width of a zebra crossing
CORNER = 2.6  # metres, radius of kerbs at corners
BEHIND, AHEAD = -52.0, 78.0  # x where the main road ends at transverse roads
END_ROAD = 7.0  # metres, width of these
SIDE_REACH = 46.0  # metres from the main road's axis to where a crossing road ends
CITY, SUBURB = "city", "suburb"
NO_JUNCTION, CROSS, T_RIGHT, T_LEFT = "none", "cross", "t_right", "t_left"


@dataclass(frozen=True, kw_only=True, slots=True)
class StreetPlan:
    """Choices that everything else follows. Lengths in metres."""

    district: str
    junction: str  # at x = 0
    signals: str  # state of the lights for the main road: "red" or "green"; "" = no lights
    lanes: int  # in each direction
    lane: float  # width of a lane
    parking: tuple[bool, bool]  # on the right, on the left
    walk: float  # width of the pavements
    setback: float  # from pavement to facades
    cross_half: float  # half the width of the crossing road
    mid_crossing: float | None  # x of a zebra crossing away from a junction

    def half(self, side: int) -> float:
        """Metres from the main road's axis to the kerb of a side."""
        parked = self.parking[0 if side == RIGHT else 1]
        return self.lanes * self.lane + (PARKING if parked else 0.3)

    def reach(self, side: int) -> float:
        """Metres from the main road's axis to where the land of a side ends: far along a crossing road."""
        if self.opens(side):
            return SIDE_REACH
        return (
            self.half(side) + self.walk + self.setback + (14.0 if self.district == CITY else 26.0)
        )

    def lane_y(self, side: int, number: int) -> float:
        """Y of the middle of a lane; number 0 is next to the road's axis."""
        return side * (number + 0.5) * self.lane

    def parking_y(self, side: int) -> float:
        """Y of the middle of a side's parking lane."""
        return side * (self.half(side) - 0.5 * PARKING)

    def opens(self, side: int) -> bool:
        """Whether the crossing road leaves towards this side."""
        return self.junction == CROSS or self.junction == (T_RIGHT if side == RIGHT else T_LEFT)

    def blocks(self, side: int) -> list[tuple[float, float]]:
        """X ranges of kerbed land on a side, between transverse roads."""
        if self.opens(side):
            return [(BEHIND, -self.cross_half), (self.cross_half, AHEAD)]
        return [(BEHIND, AHEAD)]

    @property
    def crossings(self) -> list[float]:
        """X of the middles of the zebra crossings over the main road."""
        if self.junction != NO_JUNCTION:
            away = self.cross_half + CORNER + 0.4 + 0.5 * CROSSING
            return [-away, away]
        return [] if self.mid_crossing is None else [self.mid_crossing]

    @property
    def stop_x(self) -> float:
        """X where the camera's vehicle would have to stop at the first crossing; inf without one."""
        return min(self.crossings, default=np.inf) - 0.5 * CROSSING - 1.0

    def is_roadway(self, x: float, margin: float = 0.0) -> bool:
        """Whether x lies in the mouth of the crossing road (or within `margin` of it)."""
        return self.junction != NO_JUNCTION and abs(x) < self.cross_half + margin


def sample_plan(rng: np.random.Generator, difficulty: float) -> StreetPlan:
    """A street; junctions, traffic lights and second lanes come more often with difficulty."""
    district = CITY if rng.random() < 0.6 else SUBURB
    city = district == CITY
    junction = NO_JUNCTION
    if rng.random() < 0.3 + 0.6 * difficulty:
        junction = (CROSS, T_RIGHT, T_LEFT)[int(rng.choice(3, p=[0.5, 0.25, 0.25]))]
    signals = ""
    if junction != NO_JUNCTION and rng.random() < (0.65 if city else 0.25):
        signals = "red" if rng.random() < 0.4 else "green"
    lanes = 2 if city and rng.random() < 0.15 + 0.2 * difficulty else 1
    parking = rng.random(2) < (0.7 if city else 0.5)
    mid = float(rng.uniform(-6.0, 22.0)) if rng.random() < 0.45 else None
    return StreetPlan(
        district=district, junction=junction, signals=signals, lanes=lanes,
        lane=float(rng.uniform(3.0, 3.5)), parking=(bool(parking[0]), bool(parking[1])),
        walk=float(rng.uniform(2.6, 4.6) if city else rng.uniform(2.0, 2.8)),
        setback=0.0 if city else float(rng.uniform(3.0, 6.5)), cross_half=float(rng.uniform(3.0, 3.6)),
        mid_crossing=None if junction != NO_JUNCTION else mid,
    )  # fmt: skip
