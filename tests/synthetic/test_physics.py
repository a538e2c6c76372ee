"""Every world is solid and held, as fcl sees its drawn triangles; and what is wrong is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from physics import CARRIERS, Bodies

from gapdata.scene import Scene
from gapdata.sources.synthetic import SyntheticSource
from gapdata.synthetic import WORLDS

# Not too many things a scene, so that all worlds take some seconds.
DIFFICULTY = {"house": 0.2, "room": 0.5, "street": 0.0}


def _scene(world: str, number: int = 0) -> Scene:
    source = SyntheticSource(num_scenes=8, world=world, difficulty=DIFFICULTY.get(world, 0.5))
    return source.load(f"{world}_{number:06d}")


def _afloat(bodies: Bodies) -> list[str]:
    return [
        bodies.name(i.id)
        for i in bodies.instances.values()
        if i.label not in CARRIERS and not bodies.held(i)
    ]


@pytest.mark.parametrize("world", sorted(WORLDS))
def test_worlds_are_solid_and_held(world: str) -> None:
    for number in range(1 if world in DIFFICULTY else 4):
        bodies = Bodies(_scene(world, number))
        assert list(bodies.penetrations()) == []
        assert _afloat(bodies) == []


@pytest.fixture(scope="module")
def room() -> Scene:
    return _scene("room")


def _moved(scene: Scene, label: str, shift: tuple[float, float, float]) -> tuple[Bodies, str]:
    """The scene with the first thing of a label moved by `shift` metres in its own axes, and its name."""
    thing = next(i for i in scene.instances if i.label == label)
    assert scene.mesh is not None
    vertices = scene.mesh.vertices.copy()
    mine = np.unique(scene.mesh.faces[scene.mesh.face_instance == thing.id])
    vertices[mine] += (thing.box.rotation @ shift).astype(np.float32)
    return Bodies(
        replace(scene, mesh=replace(scene.mesh, vertices=vertices))
    ), f"{label} {thing.id}"


@pytest.mark.parametrize(("millimetres", "sinks"), [(0.5, False), (1.5, True), (4.0, True)])
def test_a_sunken_thing_is_seen_and_its_depth_measured(
    room: Scene, millimetres: float, sinks: bool
) -> None:
    bodies, name = _moved(room, "bed", (0.0, 0.0, -1e-3 * millimetres))
    found = [p for p in bodies.penetrations() if name in (p.first, p.second)]
    assert bool(found) == sinks
    for penetration in found:
        # The search for the depth goes in steps of a tenth.
        assert 1e-3 * millimetres <= penetration.depth <= 1.15e-3 * millimetres


def test_what_lies_wholly_inside_something_is_seen(room: Scene) -> None:
    thing = next(i for i in room.instances if i.label == "pillow")
    bed = next(i for i in room.instances if i.label == "bed")
    assert room.mesh is not None
    # A small copy of the pillow's triangles takes its place, in the middle of a leg or the mattress.
    bodies = Bodies(room)
    block = max(bodies.parts(bed.id), key=lambda part: float(np.prod(part.high - part.low)))
    middle = 0.5 * (block.low + block.high)
    vertices = room.mesh.vertices.copy()
    mine = np.unique(room.mesh.faces[room.mesh.face_instance == thing.id])
    vertices[mine] = (middle + 0.05 * (vertices[mine] - vertices[mine].mean(axis=0))).astype(
        np.float32
    )
    hidden = Bodies(replace(room, mesh=replace(room.mesh, vertices=vertices)))
    pairs = [{p.first, p.second} for p in hidden.penetrations()]
    assert {f"bed {bed.id}", f"pillow {thing.id}"} in pairs


@pytest.mark.parametrize(
    ("label", "way"), [("bed", (0, 0, 1)), ("picture", (0, -1, 0)), ("ceiling light", (0, 0, -1))]
)
@pytest.mark.parametrize(("millimetres", "floats"), [(0.7, False), (1.5, True)])
def test_what_floats_is_seen(
    room: Scene, label: str, way: tuple[int, int, int], millimetres: float, floats: bool
) -> None:
    shift = 1e-3 * millimetres * np.array(way, np.float64)
    bodies, name = _moved(room, label, tuple(shift))
    assert (name in _afloat(bodies)) == floats
