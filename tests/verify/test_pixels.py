"""Pixel facts against a room whose surfaces are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from gapdata.geometry.boxes import Box
from gapdata.geometry.transforms import rotation_about_z
from gapdata.shards.codec import decode_sample, encode_sample
from gapdata.verify.boxes import upright_distance
from gapdata.verify.camera import rotation_zxy
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.relations import bearing, side_of
from tests.fixtures.samples import room_sample, room_view

TABLE, CABINET, FLOOR = 4, 7, 1
SAMPLE = decode_sample(encode_sample(room_sample(height=120, width=160)))
FACTS = PixelFacts(SAMPLE)
# The first camera with a third of the focal length: the table stands free in the middle of what it sees.
NEAR = SAMPLE.views[0].camera
WIDE_K = NEAR.K * np.array([[0.35, 1, 1], [1, 0.35, 1], [1, 1, 1]])
WIDE = replace(SAMPLE, views=(room_view(replace(NEAR, K=WIDE_K), "wide", 0.0),))
ANGLES = st.floats(-3.0, 3.0)
PLACES = st.tuples(st.floats(-2, 2), st.floats(-2, 2), st.floats(-2, 2))
SIZES = st.tuples(st.floats(0.1, 2), st.floats(0.1, 2), st.floats(0.1, 2))


def test_points_lie_on_the_surface_they_were_seen_on() -> None:
    assert FACTS.exact
    for view in range(3):
        floor = FACTS.points(view, FLOOR)
        assert len(floor) > 50
        assert np.abs(floor[:, 2]).max() < 0.002
        assert FACTS.outside_box(FACTS.instance(TABLE).box, FACTS.points(view, TABLE)).max() < 0.002
        u, v = FACTS.uv(view, TABLE)[7].tolist()
        assert FACTS.id_at(view, u, v) == TABLE
        (pixel,), (z,) = FACTS.project(view, FACTS.point_at(view, u, v)[None])
        np.testing.assert_allclose(pixel, (u, v), atol=1e-6)
        assert z == pytest.approx(FACTS.depth_at(view, u, v))


def test_projection_is_the_cameras() -> None:
    points = np.random.default_rng(0).uniform(-3, 3, (50, 3))
    for view in range(3):
        pixel, z = FACTS.project(view, points)
        expected, depth = SAMPLE.views[view].camera.project(points)
        np.testing.assert_allclose(z, depth, atol=1e-9)
        np.testing.assert_allclose(pixel[depth > 0.01], expected[depth > 0.01], atol=1e-6)


def test_pixels_are_counted_and_framed() -> None:
    image = SAMPLE.views[0].instance
    rows, columns = np.nonzero(image == TABLE)
    assert FACTS.pixels(0, TABLE) == len(rows)
    assert FACTS.extent(0, TABLE) == (columns.min(), rows.min(), columns.max(), rows.max())
    assert FACTS.pixels(0, 999) == 0
    assert FACTS.extent(0, 999) is None
    assert FACTS.ids([0, 1, 2]) == sorted(set(np.unique(image)) | {FLOOR, 3, TABLE, CABINET})


def test_the_gap_of_visible_surfaces_is_never_below_that_of_the_boxes() -> None:
    least, seen = FACTS.box_distance(TABLE, CABINET), FACTS.surface_distance(TABLE, CABINET)
    assert least == pytest.approx(np.hypot(1.0, 0.2))  # corners (0.3, 0.4) and (1.3, 0.6)
    assert least - 0.01 <= seen <= least + 0.15
    a, b = FACTS.cloud(TABLE), FACTS.cloud(CABINET)
    assert seen == pytest.approx(np.linalg.norm(a[:, None] - b, axis=-1).min())
    assert FACTS.surface_distance(TABLE, 999) == np.inf


@given(PLACES, SIZES, ANGLES, PLACES, SIZES, ANGLES)
def test_distance_of_upright_boxes_against_dense_samples(p, s, a, q, t, b) -> None:  # type: ignore[no-untyped-def]
    one, other = (
        Box(center=np.array(place), size=np.array(size), rotation=rotation_about_z(angle))
        for place, size, angle in ((p, s, a), (q, t, b))
    )
    # Alternating projection between two convex bodies reaches their distance.
    x = one.center
    for _ in range(500):
        y = nearest_in_box(other, x)
        x = nearest_in_box(one, y)
    expected = float(np.linalg.norm(x - y))
    assert upright_distance(one, other) == pytest.approx(expected, abs=0.02)


def nearest_in_box(box: Box, point: np.ndarray) -> np.ndarray:
    local = np.clip((point - box.center) @ box.rotation, -0.5 * box.size, 0.5 * box.size)
    return box.center + box.rotation @ local


def test_what_is_cut_or_hidden_is_not_whole() -> None:
    view = WIDE.views[0]
    left, top, right, bottom = (round(edge) for edge in PixelFacts(WIDE).extent(0, TABLE))

    def changed(**layers):  # type: ignore[no-untyped-def]
        facts = PixelFacts(replace(SAMPLE, views=(replace(view, **layers),)))
        return facts.is_whole(0, TABLE)

    assert changed()
    depth, ids = view.depth.copy(), view.instance.copy()
    middle = (left + right) // 2
    depth[:, middle - 2 : middle + 2] = 0.3  # a post before the camera
    ids[:, middle - 2 : middle + 2] = CABINET
    assert not changed(depth=depth, instance=ids)
    hole = view.depth.copy()
    hole[top - 3 : bottom + 4, left - 3 : right + 4][
        view.instance[top - 3 : bottom + 4, left - 3 : right + 4] != TABLE
    ] = 0
    assert not changed(depth=hole)
    cut = np.s_[:, middle:]
    camera = view.camera.cropped(0, middle, view.camera.height, view.camera.width - middle)
    layers = {"depth": view.depth[cut], "instance": view.instance[cut]}
    assert not changed(**layers, camera=camera, rgb=None, normal=None)


def test_a_box_fits_what_is_seen_of_it() -> None:
    assert not FACTS.box_fit(TABLE).whole
    fit = PixelFacts(WIDE).box_fit(TABLE)
    assert fit.beyond < 0.01
    assert fit.whole
    assert (fit.filled > 0.9).all()
    assert (fit.filled < 1.01).all()
    assert np.isnan(FACTS_OF_NOTHING.box_fit(TABLE).beyond)


FACTS_OF_NOTHING = PixelFacts(
    replace(
        SAMPLE,
        views=tuple(replace(v, instance=np.zeros_like(v.instance)) for v in SAMPLE.views),
    )
)


@given(st.tuples(ANGLES, ANGLES, ANGLES))
def test_angles_are_extrinsic_zxy(angles: tuple[float, float, float]) -> None:
    expected = Rotation.from_euler("zxy", angles).as_matrix()
    np.testing.assert_allclose(rotation_zxy(np.array(angles)), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("aside", "angle", "easy", "medium", "hard"),
    [
        ((1.0, 1.0), 45.0, "left", "left", "front-left"),
        ((1.0, -1.0), -45.0, "right", "right", "front-right"),
        ((-1.0, 0.4), 158.2, "left", "back", "back-left"),
        ((-1.0, -0.4), -158.2, "right", "back", "back-right"),
        ((-0.4, -1.0), -111.8, "right", "right", "back-right"),
    ],
)
def test_sides_of_someone_who_faces_along_x(aside, angle, easy, medium, hard) -> None:  # type: ignore[no-untyped-def]
    places = np.array([[0.0, 0, 1], [2.0, 0, 0], [*aside, 3.0]])
    assert bearing(places) == pytest.approx(angle, abs=0.1)
    for level, name in (("easy", easy), ("medium", medium), ("hard", hard)):
        assert side_of(bearing(places), level)[0] == name
    turned = places @ rotation_about_z(2.1).T + np.array([3.0, -2.0, 0.5])
    assert bearing(turned) == pytest.approx(angle, abs=0.1)
    assert side_of(158.2, "medium")[1] == pytest.approx(23.2)
    assert side_of(-158.2, "hard")[1] == pytest.approx(21.8)
