"""Plain bodies: volumes by formula, colours that keep their names, scenes in which nothing overlaps or floats."""

from __future__ import annotations

import numpy as np
import pytest

from gapdata.sources.synthetic import SyntheticSource
from gapdata.synthetic import open_world
from gapdata.synthetic.geometric import bodies
from gapdata.synthetic.geometric.finishes import COLORS, MATERIALS, sample_finish
from gapdata.synthetic.materials import Finish, color_name
from tests.synthetic.oracle import penetrations, signed_volume, unsupported

PAINT = Finish(rgb=(196, 32, 38), material="plastic")


def _volume(label: str, size: np.ndarray) -> float:
    """Volume of a body from its extents along its own axes."""
    width, depth, height = sorted(size)[2], sorted(size)[1], size[2]
    if label in ("cube", "box"):
        return float(size.prod())
    if label == "sphere":
        return np.pi / 6 * height**3
    if label == "cone":
        return np.pi / 12 * size[0] ** 2 * height
    if label == "pyramid":
        return float(size.prod()) / 3
    if label == "torus":  # 2 pi^2 R r^2
        thin = 0.5 * height
        return 2 * np.pi**2 * (0.5 * size[0] - thin) * thin**2
    if label == "capsule":
        return np.pi * (0.5 * depth) ** 2 * (width - depth) + np.pi / 6 * depth**3
    round_side, length = (size[0], height) if np.isclose(size[0], size[1]) else (depth, width)
    return np.pi / 4 * round_side**2 * length


@pytest.mark.parametrize("body", bodies.BODIES, ids=lambda body: body.__name__)
def test_volume_and_size(body):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        wanted = float(rng.uniform(0.05, 0.5))
        model = body(rng, wanted, PAINT)
        (part,) = model.parts
        solid = part.solid
        assert model.size.max() == pytest.approx(wanted, rel=0.12)
        assert solid.low == pytest.approx(0.0, abs=1e-12)
        assert signed_volume(solid.vertices[solid.faces]) == pytest.approx(
            _volume(model.label, model.size), rel=0.02
        )
        assert model.shape == model.label


@pytest.mark.parametrize("body", bodies.STEADY, ids=lambda body: body.__name__)
def test_what_is_stacked_stands_on_a_face(body):
    model = body(np.random.default_rng(1), 0.2, PAINT)
    points = model.parts[0].solid.vertices
    assert np.isclose(points[:, 2], 0.0).sum() >= 3
    assert model.low[:2] == pytest.approx(-model.high[:2], abs=0.01)


def test_finishes_bear_their_names():
    rng = np.random.default_rng(2)
    finishes = [sample_finish(rng) for _ in range(300)]
    assert {color_name(finish.rgb) for finish in finishes} == set(COLORS)
    assert {(f.material, f.texture) for f in finishes} == set(MATERIALS.items())


def test_counts_follow_the_difficulty():
    world, counts = open_world("shapes"), {}
    for difficulty in (0.0, 0.5, 1.0):
        drawn = [world.describe(np.random.default_rng(seed), difficulty) for seed in range(12)]
        counts[difficulty] = [sum(t.model.shape == t.model.label for t in d.placed) for d in drawn]
    assert min(counts[0.0]) == 3
    assert max(counts[0.0]) <= 5
    assert 9 <= max(counts[1.0]) <= 12
    assert np.mean(counts[0.0]) < np.mean(counts[0.5]) < np.mean(counts[1.0])


def test_nothing_overlaps_or_floats():
    source = SyntheticSource(world="shapes", difficulty=1.0, num_scenes=3, seed=4)
    carried = 0
    for scene_id in source.splits()["train"]:
        scene = source.load(scene_id)
        shown = [i for i in scene.instances if i.label not in ("wall", "floor", "ceiling")]
        assert not [p for p in penetrations(scene) if "wall" not in p[0] + p[1]]
        assert not unsupported(scene)
        carried += sum(scene.instances[i.support - 1].label != "floor" for i in shown)
        assert all(i.support and i.room == "studio" for i in shown)
        again = source.load(scene_id)
        assert again.mesh is not None
        assert np.array_equal(scene.mesh.vertices, again.mesh.vertices)  # type: ignore[union-attr]
    assert carried > 3
