"""What a room must be: sound geometry, nothing afloat or inside another thing, furniture as people place it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from gapdata.geometry.boxes import Box
from gapdata.labels import NYU40, NYU40_ID, STRUCTURE_LABELS
from gapdata.renderers.mesh_caster import MeshCaster
from gapdata.scene import AXIS_ALIGNED, AreaLight, Instance, Light, Scene
from gapdata.sources.synthetic import SyntheticSource
from gapdata.synthetic.furnishing import ROOMS
from gapdata.synthetic.materials import NAMED_COLORS
from gapdata.synthetic.models import LABEL_NYU40
from tests.synthetic.oracle import penetrations, shells_of, signed_volume, unsupported

STRUCTURE = STRUCTURE_LABELS | {"door", "window", "curtain", "ceiling light"}


def _front(box: Box) -> np.ndarray:
    """Horizontal direction of a box's front (its -y axis)."""
    return -box.rotation[:2, 1]


def _named(scene: Scene, *labels: str) -> list[Instance]:
    return [i for i in scene.instances if i.label in labels]


def _distance_to_walls(scene: Scene, point: np.ndarray) -> float:
    def gap(box: Box) -> float:
        return float(np.linalg.norm(np.maximum(np.abs(point - box.center) - box.size / 2, 0)[:2]))

    return min(gap(w.aabb) for w in _named(scene, "wall"))


def test_mesh_is_sound(rooms: list[Scene]) -> None:
    for scene in rooms:
        mesh = scene.mesh
        assert mesh is not None
        assert mesh.uv is not None
        assert mesh.face_texture is not None
        assert np.isfinite(mesh.vertices).all()
        assert np.isfinite(mesh.uv).all()
        assert mesh.faces.min() >= 0
        assert mesh.faces.max() < len(mesh.vertices)
        assert len(np.unique(mesh.faces)) > 0.9 * len(mesh.vertices)
        assert mesh.face_texture.min() >= -1
        assert mesh.face_texture.max() < len(mesh.textures)
        assert set(np.unique(mesh.face_texture[mesh.face_texture >= 0])) == set(
            range(len(mesh.textures))
        )
        corner = mesh.vertices.astype(np.float64)[mesh.faces]
        area = np.linalg.norm(
            np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1
        )
        assert area.min() > 1e-11
        assert sorted(np.unique(mesh.face_instance)) == [i.id for i in scene.instances]
        assert [i.id for i in scene.instances] == list(range(1, len(scene.instances) + 1))


def test_every_closed_part_faces_outwards(rooms: list[Scene]) -> None:
    for scene in rooms[:4]:
        assert scene.mesh is not None
        triangles = scene.mesh.vertices.astype(np.float64)[scene.mesh.faces]
        for instance in scene.instances:
            for shell in shells_of(triangles[scene.mesh.face_instance == instance.id]):
                middle = shell.triangles.mean(axis=(0, 1))
                assert signed_volume(shell.triangles - middle) > 0, instance.label


def test_boxes_bound_the_mesh_exactly(rooms: list[Scene]) -> None:
    for scene in rooms:
        assert scene.mesh is not None
        for instance in scene.instances:
            faces = scene.mesh.faces[scene.mesh.face_instance == instance.id]
            points = scene.mesh.vertices[np.unique(faces)].astype(np.float64)
            for box in (instance.box, instance.aabb):
                assert box.rotation[2] == pytest.approx([0, 0, 1])
                local = (points - box.center) @ box.rotation
                assert local.max(axis=0) == pytest.approx(box.size / 2, abs=1e-6)
                assert local.min(axis=0) == pytest.approx(-box.size / 2, abs=1e-6)
            assert np.array_equal(instance.aabb.rotation, np.eye(3))


def test_world_frame_and_room_size(rooms: list[Scene]) -> None:
    for scene in rooms:
        assert scene.world_frame == AXIS_ALIGNED
        (floor,), (ceiling,) = _named(scene, "floor"), _named(scene, "ceiling")
        assert floor.aabb.corners[:, 2].max() == pytest.approx(0.0, abs=1e-6)
        height = ceiling.aabb.corners[:, 2].min()
        assert 2.3 <= height <= 3.6
        least = 2.0 if scene.provenance["room"] == "corridor" else 2.5
        assert (floor.aabb.size[:2] > least).all()
        assert (floor.aabb.size[:2] < 14.0).all()
        assert len(_named(scene, "door")) == len(_named(scene, "doorframe")) == 1
        assert len(_named(scene, "window")) >= 1
        assert len(_named(scene, "wall")) in (4, 6)
    assert any(len(_named(scene, "wall")) == 6 for scene in rooms)


def test_labels_map_to_nyu40_and_attributes_are_known(rooms: list[Scene]) -> None:
    assert set(LABEL_NYU40.values()) <= set(NYU40)
    colors = {name for name, _ in NAMED_COLORS}
    for scene in rooms:
        for instance in scene.instances:
            assert instance.nyu40 == NYU40_ID[LABEL_NYU40[instance.label]]
            assert instance.nyu40 > 0
            assert instance.attributes.color in colors
            assert instance.attributes.material


def test_difficulty_goes_from_sparse_to_cluttered() -> None:
    counts = {}
    for difficulty in (0.0, 1.0):
        source = SyntheticSource(num_scenes=4, seed=3, difficulty=difficulty)
        ids = source.splits()["train"]
        counts[difficulty] = sum(len(source.load(scene_id).instances) for scene_id in ids)
    assert 1.4 * counts[0.0] < counts[1.0]


def test_categories_are_many(rooms: list[Scene]) -> None:
    seen = Counter(i.label for scene in rooms for i in scene.instances if i.label not in STRUCTURE)
    assert len(seen) >= 45
    median = np.median([sum(i.label not in STRUCTURE for i in scene.instances) for scene in rooms])
    assert median >= 25
    kinds = {scene.provenance["room"] for scene in rooms}
    assert kinds <= set(ROOMS)
    assert len(kinds) >= 5


def test_nothing_reaches_into_anything(rooms: list[Scene]) -> None:
    for scene in rooms[:6]:
        assert penetrations(scene) == []


def test_the_oracle_sees_a_pushed_object(rooms: list[Scene]) -> None:
    scene = next(s for s in rooms if _named(s, "cup", "bowl", "vase"))
    thing = _named(scene, "cup", "bowl", "vase")[0]
    assert scene.mesh is not None
    moved = np.unique(scene.mesh.faces[scene.mesh.face_instance == thing.id])
    for shift, sinks in ((-0.004, True), (0.004, False)):
        vertices = scene.mesh.vertices.copy()
        vertices[moved, 2] += np.float32(shift)
        other = _with_vertices(scene, vertices)
        assert bool(penetrations(other)) == sinks
        assert bool(unsupported(other))


def _with_vertices(scene: Scene, vertices: np.ndarray) -> Scene:
    from dataclasses import replace

    assert scene.mesh is not None
    return replace(scene, mesh=replace(scene.mesh, vertices=vertices))


def test_everything_is_supported(rooms: list[Scene]) -> None:
    for scene in rooms[:12]:
        assert unsupported(scene) == []


def test_things_stand_on_and_under_others(rooms: list[Scene]) -> None:
    on = under = 0
    for scene in rooms:
        hosts = _named(
            scene, "dining table", "table", "desk", "coffee table", "bed", "cabinet", "nightstand"
        )
        for thing in scene.instances:
            if thing.label in STRUCTURE | {"rug"}:
                continue
            low = thing.aabb.center[2] - thing.aabb.size[2] / 2
            high = thing.aabb.center[2] + thing.aabb.size[2] / 2
            for host in hosts:
                local = (thing.aabb.center - host.box.center) @ host.box.rotation
                if host.id == thing.id or (np.abs(local[:2]) > host.box.size[:2] / 2).any():
                    continue
                top = host.aabb.center[2] + host.aabb.size[2] / 2
                on += abs(low - top) < 1e-3
                under += high < top - 0.02 and low < 0.05
    assert on >= 40
    assert under >= 5


def test_chairs_face_a_table_and_office_chairs_a_desk(rooms: list[Scene]) -> None:
    pairs = {"chair": ("table", "dining table"), "office chair": ("desk",)}
    found = 0
    for scene in rooms:
        for label, hosts in pairs.items():
            for chair in _named(scene, label):
                ahead = chair.box.center[:2] + 0.62 * _front(chair.box)
                reached = [
                    h for h in _named(scene, *hosts)
                    if (np.abs((np.append(ahead, 0) - h.box.center * [1, 1, 0]) @ h.box.rotation)[:2] < h.box.size[:2] / 2 + 0.12).all()
                ]  # fmt: skip
                assert reached, f"{scene.id}: {label} {chair.id} faces nothing"
                found += 1
    assert found > 20


def test_beds_have_their_head_at_a_wall_and_pillows_on_it(rooms: list[Scene]) -> None:
    beds = [(scene, bed) for scene in rooms for bed in _named(scene, "bed")]
    assert beds
    for scene, bed in beds:
        head = bed.box.center[:2] - _front(bed.box) * bed.box.size[1] / 2
        assert _distance_to_walls(scene, np.append(head, 0.3)) < 0.05
        near = [p for p in _named(scene, "pillow") if np.linalg.norm(p.box.center[:2] - head) < 1.0]
        assert near


def test_monitors_stand_on_desks_and_look_at_the_chair(rooms: list[Scene]) -> None:
    monitors = [(scene, m) for scene in rooms for m in _named(scene, "monitor")]
    assert monitors
    for scene, monitor in monitors:
        desk = min(
            _named(scene, "desk"), key=lambda d: np.linalg.norm(d.box.center - monitor.box.center)
        )
        foot = monitor.aabb.center[2] - monitor.aabb.size[2] / 2
        assert foot == pytest.approx(desk.aabb.center[2] + desk.aabb.size[2] / 2, abs=1e-3)
        assert _front(monitor.box) @ _front(desk.box) > 0.99


def test_lights_are_sensible(rooms: list[Scene]) -> None:
    for scene in rooms:
        lamps = [light for light in scene.lights if isinstance(light, Light)]
        windows = [light for light in scene.lights if isinstance(light, AreaLight)]
        assert len(lamps) + len(windows) == len(scene.lights) >= 1
        assert len(windows) <= len(_named(scene, "window"))
        caster = MeshCaster(scene.mesh)
        for window in windows:
            # Ahead is clear air for a hand's breadth: neither frame nor wall.
            ahead = np.cross(*window.edges)[None]
            ahead = (ahead / np.linalg.norm(ahead)).astype(np.float32)
            start = window.position.astype(np.float32) + 0.01 * ahead
            assert caster.distances(start, ahead)[0] > 0.1
        if not lamps:
            continue
        key = lamps[0]
        assert scene.lights[0] is key
        assert key.position[2] > 1.75  # lamps hang up to half a metre below a ceiling of 2.35 m
        assert 0.5 < key.color.max() / key.position[2] ** 2 < 1.1, "brighter where it hangs higher"
