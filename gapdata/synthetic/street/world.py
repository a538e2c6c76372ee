"""The driving world: one street a scene, still as at one moment, and a camera that drives through it."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.description import Description
from gapdata.synthetic.street import roadside, traffic
from gapdata.synthetic.street.daylight import daylight
from gapdata.synthetic.street.drive import (
    EGO_FRONT,
    EGO_HALF_WIDTH,
    EGO_HEIGHT,
    EGO_REAR,
    Course,
    drive,
)
from gapdata.synthetic.street.plan import sample_plan
from gapdata.synthetic.street.site import Site


class StreetWorld:
    """Streets in a city or a suburb with right-hand traffic.

    Nothing moves but the camera: the frames of a drive show one moment. Views reach some 100 m; depth
    beyond what a shard can store (65.535 m at the default scale) is invalid there.
    """

    trajectories = ("drive",)
    trajectory = "drive"

    def describe(self, rng: np.random.Generator, difficulty: float) -> Description:
        """One street: its plan, what stands and drives there, daylight, and a drive."""
        plan = sample_plan(rng, difficulty)
        site = Site(rng, plan, difficulty)
        course = drive(rng, plan, difficulty)
        _keep_course_free(site, course)
        roadside.build_up(site)
        roadside.control(site)
        roadside.line_kerbs(site)
        traffic.park(site)
        roadside.roadworks(site)
        traffic.drive_along(site, course.lane)
        traffic.cross_traffic(site)
        roadside.furnish(site)
        traffic.walkers(site)
        lights, day = daylight(rng)
        given_up = ", ".join(f"{label} {n}" for label, n in sorted(site.given_up.items()))
        return Description(
            placed=tuple(site.placed), lights=lights, frames=course.frames,
            provenance={
                "district": plan.district, "junction": plan.junction, "signals": plan.signals,
                "daylight": day, "not_placed": given_up,
            },
        )  # fmt: skip


def _keep_course_free(site: Site, course: Course) -> None:
    """Nothing stands where the camera's vehicle drives, nor right behind or before it."""
    half = EGO_HALF_WIDTH + 0.35
    site.reserve(
        (course.start - EGO_REAR - 3.0, course.y - half, 0.05), (course.end + EGO_FRONT + 3.0, course.y + half, EGO_HEIGHT)
    )  # fmt: skip
