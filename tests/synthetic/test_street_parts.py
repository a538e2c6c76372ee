"""Solids, people and plumb lines that streets rely on, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from gapdata.build_config import BuildConfig
from gapdata.pipeline import draw_sample
from gapdata.renderers import open_renderer
from gapdata.synthetic.shapes import Solid
from gapdata.synthetic.street.people import joint, limb, pedestrian
from gapdata.synthetic.street.solids import boxes, cabin, hull, lump, merged, ring, wheel
from gapdata.tasks import plumb
from tests.fixtures.scenes import plane_scene
from tests.synthetic.oracle import signed_volume


def volume(solid: Solid) -> float:
    return signed_volume(solid.vertices[solid.faces])


def is_closed(solid: Solid) -> bool:
    """Every edge is walked once in each direction, corners at one place counting as one."""
    _, same = np.unique(np.round(solid.vertices, 7), axis=0, return_inverse=True)
    faces = same.reshape(-1)[solid.faces]
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = edges[edges[:, 0] != edges[:, 1]]
    return bool(np.array_equal(np.unique(edges, axis=0), np.unique(edges[:, ::-1], axis=0)))


def test_boxes_have_their_volume_and_bounds() -> None:
    sizes, at = np.array([[1.0, 2.0, 3.0], [0.5, 0.5, 0.5]]), np.array([[0.0, 0, 0], [4, 1, -2]])
    solid = boxes(sizes, at)
    assert volume(solid) == pytest.approx(6.125)
    assert is_closed(solid)
    assert (solid.low, solid.high) == (-2.0, 3.0)
    assert solid.outline.min(axis=0).tolist() == [-0.5, -1.0]
    assert solid.outline.max(axis=0).tolist() == [4.25, 1.25]


def test_texture_coordinates_of_boxes_are_metres() -> None:
    solid = boxes(np.array([[1.0, 2.0, 3.0]]), np.array([[5.0, 6.0, 7.0]]))
    a, b, c = (solid.vertices[solid.faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    (u, v), (s, t) = (
        np.moveaxis(solid.uv[solid.faces[:, k]] - solid.uv[solid.faces[:, 0]], -1, 0)
        for k in (1, 2)
    )
    assert np.abs(u * t - v * s) == pytest.approx(area)


@pytest.mark.parametrize(
    ("solid", "expected"),
    [
        (wheel(0.3, 0.2, (1, 2, 3), 64), np.pi * 0.09 * 0.2),
        (ring(0.35, 0.05, (0, 0, 0.35), 64), 2 * np.pi**2 * 0.325 * 0.025**2),
        (hull([(0.0, 1.0, 0.0, 1.0), (2.0, 1.0, 0.0, 1.0)], 0.01), 2.0),
        (cabin((1.0, 0.0, 2.0), (1.0, 0.0, 2.0), (0.0, 1.5), 0.01), 3.0),
        # Octagons of 2 sqrt(2) r^2, and a frustum at each end.
        (
            limb(np.zeros(3), np.array([0.0, 0, 1]), 0.1, 0.1),
            8**0.5 * 0.01 * (1.0 + 0.1 * 1.96 / 3),
        ),
        (
            lump(np.random.default_rng(0), (2, 2, 2), (0, 0, 0), rough=0.0, segments=48),
            4 / 3 * np.pi,
        ),
    ],
    ids=["wheel", "ring", "hull", "cabin", "limb", "lump"],
)
def test_solids_are_closed_and_have_their_volume(solid: Solid, expected: float) -> None:
    assert volume(solid) == pytest.approx(expected, rel=0.12)
    assert is_closed(solid)


def test_merged_solids_keep_their_volumes() -> None:
    one, two = wheel(0.3, 0.2, (0, 0, 0.3)), ring(0.35, 0.05, (2, 0, 0.35))
    both = merged([one, two])
    assert volume(both) == pytest.approx(volume(one) + volume(two))
    assert both.low == min(one.low, two.low)


def test_joints_keep_the_lengths_of_bones() -> None:
    start, end = np.array([0.1, 0.0, 0.9]), np.array([0.1, -0.3, 0.1])
    knee = joint(start, end, (0.45, 0.46), np.array([0.0, -1.0, 0.0]))
    assert np.linalg.norm(knee - start) == pytest.approx(0.45)
    assert np.linalg.norm(end - knee) == pytest.approx(0.46)
    assert knee[1] < 0.5 * (start[1] + end[1]), "knees bend forward"


@pytest.mark.parametrize("walking", [True, False])
def test_people_stand_on_both_feet_and_look_ahead(walking: bool) -> None:
    for seed in range(6):
        model = pedestrian(np.random.default_rng(seed), walking=walking)
        assert model.low[2] == pytest.approx(0.0, abs=1e-9)
        assert 1.05 < model.high[2] < 2.0
        shoes = model.parts[4].solid
        flat = shoes.vertices[np.abs(shoes.vertices[:, 2]) < 1e-6]
        assert (flat[:, 0] < 0).any()
        assert (flat[:, 0] > 0).any()
        reach = shoes.vertices[:, 1]
        assert -reach.min() > reach.max() - 0.02 * model.high[2], "toes point to the front, -y"


def test_coarse_cells_find_the_same_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    corners = rng.uniform(0, 4, (60, 1, 3)) + rng.uniform(-0.6, 0.6, (60, 3, 3))
    owner = np.arange(60, dtype=np.int32)
    points = rng.uniform(0, 4, (500, 3))

    def met() -> set[tuple[int, int, float]]:
        hits = plumb.PlumbLines(corners, owner).hits(points)
        return set(
            zip(hits.point.tolist(), hits.owner.tolist(), hits.gap.round(9).tolist(), strict=True)
        )

    fine = met()
    monkeypatch.setattr(plumb, "MAX_COVERED", 200)
    assert met() == fine
    assert len(fine) > 100


def test_depth_that_cannot_be_stored_is_invalid_before_tasks_ask() -> None:
    config = BuildConfig(source="synthetic", out="x", points=64).sample_config("raycast")
    assert config.max_depth == pytest.approx(65.535)
    for distance, expected in ((65.0, 65.0), (66.0, 0.0)):
        scene = plane_scene(distance, half=60.0)
        views, _ = draw_sample(scene, open_renderer("raycast", scene), scene.frames[:1], config, 0)
        assert views[0].depth is not None
        assert views[0].depth[views[0].depth.shape[0] // 2, 5] == pytest.approx(expected)
        assert (views[0].instance == 1).any()
