"""What a street must be: sound, on the ground, right-hand traffic, human sizes, and a camera that hits nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gapdata.geometry.transforms import is_rigid
from gapdata.labels import GROUND_LABELS
from gapdata.scene import Instance, Scene, Sky
from gapdata.synthetic.drawing import draw
from gapdata.synthetic.street.drive import drive
from gapdata.synthetic.street.plan import CROSS, CROSSING, KERB, SKIN, T_LEFT, sample_plan
from gapdata.synthetic.street.world import StreetWorld
from tests.synthetic.oracle import (
    DEPTH_LIMIT,
    _feet_carried,
    distance_to,
    shells_of,
    signed_volume,
    surface_samples,
    winding_number,
)

# (least, most) height in metres, and the same of the longer horizontal side.
SIZES = {
    "car": ((1.35, 1.8), (3.5, 5.1)), "van": ((1.8, 2.8), (4.6, 6.3)), "truck": ((2.7, 4.0), (6.5, 9.7)),
    "bus": ((2.8, 3.3), (9.3, 12.5)), "cyclist": ((1.5, 2.1), (1.6, 2.0)), "bicycle": ((0.9, 1.2), (1.6, 2.0)),
    "motorcycle": ((0.9, 1.3), (1.7, 2.2)), "pedestrian": ((1.0, 2.0), (0.3, 1.3)), "tree": ((3.0, 9.0), (1.8, 6.0)),
    "street lamp": ((3.2, 9.0), (0.2, 2.5)), "trash can": ((0.7, 1.2), (0.4, 0.9)), "bench": ((0.7, 1.1), (1.3, 2.1)),
    "bollard": ((0.7, 1.1), (0.1, 0.2)), "traffic light": ((3.0, 6.5), (0.2, 4.5)), "stop sign": ((2.6, 3.2), (0.5, 1.0)),
    "building": ((8.0, 30.0), (8.0, 21.0)), "house": ((4.0, 14.0), (6.0, 16.0)), "traffic cone": ((0.4, 0.8), (0.3, 0.4)),
    "fire hydrant": ((0.6, 0.8), (0.3, 0.5)), "bus stop": ((2.3, 2.6), (3.0, 4.6)), "mailbox": ((1.1, 1.5), (0.3, 0.6)),
}  # fmt: skip
VEHICLES = ("car", "van", "truck", "bus", "cyclist")
SIGNS = ("speed limit sign", "no entry sign", "parking sign", "one way sign", "crosswalk sign")


@pytest.fixture(scope="module")
def streets() -> list[Scene]:
    """Streets of several seeds and difficulties."""
    world = StreetWorld()
    return [
        draw(world.describe(np.random.default_rng(seed), difficulty), f"street_{seed:06d}", "synthetic")
        for seed, difficulty in ((0, 0.5), (1, 1.0), (5, 0.1))
    ]  # fmt: skip


def triangles(scene: Scene, number: int) -> np.ndarray:
    assert scene.mesh is not None
    return scene.mesh.vertices.astype(np.float64)[
        scene.mesh.faces[scene.mesh.face_instance == number]
    ]


def front(instance: Instance) -> np.ndarray:
    return -instance.box.rotation[:2, 1]


def test_categories_are_many_and_known(streets: list[Scene]) -> None:
    labels = {i.label for scene in streets for i in scene.instances}
    assert len(labels - GROUND_LABELS) >= 25
    for scene in streets:
        assert all(i.nyu40 == (31 if i.label == "pedestrian" else 0) or i.label == "bench" for i in scene.instances
                   if i.label != "trash can")  # fmt: skip
        assert all(i.attributes.color and i.attributes.material for i in scene.instances)


def test_what_a_street_has_few_of_comes_once_a_side(streets: list[Scene]) -> None:
    for scene in streets:
        labels = [i.label for i in scene.instances]
        for label in ("advertising column", "mailbox", "fire hydrant"):
            assert labels.count(label) <= 2, label


def test_bollards_stand_in_rows(streets: list[Scene]) -> None:
    spots = [
        [i.box.center[:2] for i in scene.instances if i.label == "bollard"] for scene in streets
    ]
    gaps = [
        min(float(np.linalg.norm(a - b)) for b in there if b is not a) for there in spots if len(there) > 1 for a in there
    ]  # fmt: skip
    assert np.median(gaps) == pytest.approx(1.5, abs=0.01)


def test_things_have_their_real_sizes(streets: list[Scene]) -> None:
    seen = set()
    for scene in streets:
        for instance in scene.instances:
            if instance.label in SIZES:
                seen.add(instance.label)
                (low, high), (short, long) = SIZES[instance.label]
                assert low <= instance.box.size[2] <= high, (instance.label, instance.box.size)
                assert short <= instance.box.size[:2].max() <= long, (
                    instance.label,
                    instance.box.size,
                )
    assert len(seen) >= 15


def test_traffic_keeps_to_the_right(streets: list[Scene]) -> None:
    """Vehicles along the main road drive towards +x on its right half (y < 0) and towards -x on its left."""
    along = 0
    for scene in streets:
        for instance in scene.instances:
            x, y = instance.box.center[:2]
            heading = front(instance)
            if instance.label in VEHICLES and abs(y) < 9.5 and abs(heading[0]) > 0.9:
                along += 1
                assert heading[0] * y < 0, (instance.label, x, y, heading)
    assert along >= 15


def test_signs_and_lamps_face_whom_they_are_for(streets: list[Scene]) -> None:
    signs = lamps = 0
    for scene in streets:
        for instance in scene.instances:
            y, heading = instance.box.center[1], front(instance)
            if instance.label in SIGNS:
                signs += 1
                assert heading[0] * y > 0.9 * abs(y), "towards oncoming traffic of its side"
            if instance.label == "street lamp":
                lamps += 1
                assert heading[1] * y < -0.9 * abs(y), "over the road"
    assert signs >= 4
    assert lamps >= 12


def test_everything_stands_on_the_ground(streets: list[Scene]) -> None:
    import open3d as o3d

    for scene in streets:
        assert scene.mesh is not None
        world = o3d.t.geometry.RaycastingScene(nthreads=1)
        own = {}
        for instance in scene.instances:
            faces = scene.mesh.faces[scene.mesh.face_instance == instance.id]
            used, local = np.unique(faces, return_inverse=True)
            own[instance.id] = scene.mesh.vertices[used]
            world.add_triangles(own[instance.id], local.reshape(-1, 3).astype(np.uint32))
        for number, instance in enumerate(scene.instances):
            if instance.label in GROUND_LABELS:
                continue
            low = float(own[instance.id][:, 2].min())
            assert min(abs(low - z) for z in (0.0, KERB, KERB + SKIN)) < 1e-5, (instance.label, low)
            assert _feet_carried(world, own[instance.id], number), instance.label
            carrier = scene.instances[instance.support - 1]
            assert carrier.label in ("road", "sidewalk", "ground")


def test_nothing_reaches_into_anything(streets: list[Scene]) -> None:
    """Points on surfaces, against the winding number of other meshes: independent of the placing's own prisms."""
    rng = np.random.default_rng(0)
    for scene in streets[1:2]:
        things = [i for i in scene.instances if i.label not in ("lane marking", "crosswalk")]
        low = np.array([i.aabb.center - 0.5 * i.aabb.size for i in things]) + DEPTH_LIMIT
        high = np.array([i.aabb.center + 0.5 * i.aabb.size for i in things]) - DEPTH_LIMIT
        near = ((low[:, None] < high[None]) & (low[None] < high[:, None])).all(axis=-1)
        mesh = {}
        for a, b in np.argwhere(near & ~np.eye(len(things), dtype=bool)).tolist():
            for number in (a, b):
                if number not in mesh:
                    mesh[number] = triangles(scene, things[number].id)
            reach_low, reach_high = np.maximum(low[a], low[b]), np.minimum(high[a], high[b])

            def inside_of(
                part: np.ndarray, lo: np.ndarray = reach_low, hi: np.ndarray = reach_high
            ) -> np.ndarray:
                return ((part.max(axis=1) > lo) & (part.min(axis=1) < hi)).all(axis=1)

            mine = mesh[a][inside_of(mesh[a])]
            if len(mine) == 0:
                continue
            points = surface_samples(mine, rng, 0.25)
            points = points[((points > reach_low) & (points < reach_high)).all(axis=1)][::4][:400]
            if len(points) == 0:
                continue
            wound = np.concatenate(
                [winding_number(p, mesh[b]) for p in np.array_split(points, 1 + len(points) // 60)]
            )
            deep = points[wound > 0.5]
            if len(deep):
                depth = float(distance_to(deep, mesh[b]).max())
                assert depth < DEPTH_LIMIT, (things[a].label, things[b].label, depth)


def test_closed_parts_face_outwards(streets: list[Scene]) -> None:
    scene = streets[1]
    labels = set()
    for instance in scene.instances:
        if instance.label in labels or instance.label in ("building", "house"):
            continue
        labels.add(instance.label)
        for shell in shells_of(triangles(scene, instance.id)):
            middle = shell.triangles.mean(axis=(0, 1))
            assert signed_volume(shell.triangles - middle) > 0, instance.label


def test_the_camera_drives_and_hits_nothing(streets: list[Scene]) -> None:
    for scene in streets:
        assert scene.mesh is not None
        front_view = [f for f in scene.frames if f.id.endswith("_0")]
        poses = np.stack([f.camera.cam2world for f in front_view])
        centers = poses[:, :3, 3]
        assert is_rigid(poses).all()
        assert (np.diff(centers[:, 0]) > 0.2).all(), "forward"
        assert (centers[:, 1] < 0).all(), "on the right half of the road"
        assert ((centers[:, 2] > 1.3) & (centers[:, 2] < 1.75)).all()
        assert (poses[:, 0, 2] > 0.95).all(), "looks along the road"
        assert np.abs(poses[:, 2, 0]).max() < 1e-9, "no roll"
        assert distance_to(centers, scene.mesh.vertices[scene.mesh.faces]).min() > 0.9
        assert [f.id for f in scene.frames] == sorted(f.id for f in scene.frames)


def test_left_in_the_picture_is_left_of_the_road(streets: list[Scene]) -> None:
    """Seen by the front camera, things at y > 0 lie left of the point straight ahead on the road's axis."""
    for scene in streets:
        camera = next(f.camera for f in scene.frames if f.id.endswith("_0"))
        centers = np.array([i.box.center for i in scene.instances if i.label == "street lamp"])
        ahead = np.column_stack([centers[:, 0], np.zeros(len(centers)), centers[:, 2]])
        (u, _), z = np.moveaxis(camera.project(centers)[0], -1, 0), camera.project(centers)[1]
        axis_u = camera.project(ahead)[0][:, 0]
        seen = z > 3.0
        assert seen.any()
        assert ((u < axis_u) == (centers[:, 1] > 0))[seen].all()


@pytest.mark.parametrize("junction", [CROSS, T_LEFT])
def test_red_lights_stop_the_drive(junction: str) -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        plan = replace(sample_plan(rng, 1.0), junction=junction, signals="red")
        nearest_bar = min(plan.crossings) - 0.5 * CROSSING
        course = drive(rng, plan, 1.0)
        assert max(f.camera.center_world[0] for f in course.frames) < nearest_bar - 2.0
        assert course.end - course.start > 8.0


def test_the_same_seed_gives_the_same_street(streets: list[Scene]) -> None:
    description = StreetWorld().describe(np.random.default_rng(5), 0.1)
    again = draw(description, "street_000005", "synthetic")
    assert again.mesh is not None
    assert streets[2].mesh is not None
    assert again.provenance == streets[2].provenance
    assert np.array_equal(again.mesh.vertices, streets[2].mesh.vertices)
    assert np.array_equal(again.mesh.vertex_color, streets[2].mesh.vertex_color)
    pose, same = (s.frames[-1].camera.cam2world for s in (again, streets[2]))
    assert np.array_equal(pose, same)


def test_difficulty_fills_the_street(streets: list[Scene]) -> None:
    assert len(streets[1].instances) > len(streets[2].instances) + 20


def test_daylight_is_lit_from_above(streets: list[Scene]) -> None:
    for scene in streets:
        assert isinstance(scene.lights[-1], Sky)
        for sun in scene.lights[:-1]:
            assert sun.direction[2] > 0.1  # type: ignore[union-attr]
            assert np.linalg.norm(sun.direction) == pytest.approx(1.0)  # type: ignore[union-attr]
