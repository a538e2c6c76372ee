"""Colours and textures at points of faces, against arithmetic by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapdata.mesh_surface import (
    LINEAR_OF_BYTE,
    SurfaceColor,
    face_areas,
    face_planes,
    linear_to_srgb,
    smooth_groups,
    srgb_to_linear,
)
from tests.fixtures.scenes import MeshBuilder, box_room


@given(st.floats(0, 1))
def test_srgb_round_trip(value):
    assert linear_to_srgb(srgb_to_linear(np.array([value])))[0] == pytest.approx(value, abs=1e-6)


def test_srgb_known_values():
    # IEC 61966-2-1: code 128 is 21.6 % linear light.
    assert srgb_to_linear(np.array([128 / 255]))[0] == pytest.approx(0.2159, abs=1e-4)
    np.testing.assert_allclose(srgb_to_linear(np.array([0.0, 1.0])), [0, 1])


def quad(textures=(), uv_scale=1.0):
    """A unit square whose corners have uv (0,0), (1,0), (1,1), (0,1) times `uv_scale`."""
    corners = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]
    mesh = MeshBuilder().quad(corners, "picture", (255, 255, 255)).mesh()
    if not textures:
        return mesh
    uv = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32) * np.float32(uv_scale)
    return replace(mesh, uv=uv, face_texture=np.zeros(2, np.int16), textures=tuple(textures))


def sample(mesh, x, y, footprint=1e-4):
    """Linear colour at position (x, y) of the square, y <= x: inside the first triangle."""
    # x, y = u (1, 0) + v (1, 1)
    uv = np.array([[x - y, y]], np.float32)
    return SurfaceColor(mesh).at(np.zeros(1, np.int64), uv, np.array([footprint], np.float32))[0]


def test_vertex_colours_are_interpolated_in_linear_light():
    mesh = quad()
    color = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)], np.uint8)
    mesh = replace(mesh, vertex_color=color)
    np.testing.assert_allclose(sample(mesh, 0.75, 0.25), [0.25, 0.5, 0.25], atol=1e-6)


def test_texel_centres_are_exact_and_the_first_row_is_at_v_zero():
    texture = np.random.default_rng(0).integers(0, 256, (4, 8, 3), np.uint8)
    mesh = quad([texture])
    for row, column in [(0, 2), (1, 5), (2, 7)]:
        x, y = (column + 0.5) / 8, (row + 0.5) / 4
        if y <= x:
            expected = LINEAR_OF_BYTE[texture[row, column]]
            np.testing.assert_allclose(sample(mesh, x, y), expected, atol=1e-5)


def test_textures_repeat():
    texture = np.random.default_rng(1).integers(0, 256, (4, 4, 3), np.uint8)
    once, thrice = quad([texture]), quad([texture], uv_scale=3.0)
    x, y = 0.8125, 0.3125
    np.testing.assert_allclose(
        sample(thrice, (1 + x) / 3, (0 + y) / 3), sample(once, x, y), atol=1e-4
    )


def test_between_texels_is_bilinear_also_across_the_seam():
    texture = np.zeros((1, 2, 3), np.uint8)
    texture[0, 1] = 255
    mesh = quad([texture])
    assert sample(mesh, 0.5, 0.1)[0] == pytest.approx(0.5, abs=1e-5)
    assert sample(mesh, 0.999999, 0.1)[0] == pytest.approx(0.5, abs=1e-4)
    assert sample(mesh, 0.375, 0.1)[0] == pytest.approx(0.25, abs=1e-5)


def test_a_large_footprint_sees_the_mean():
    texture = np.random.default_rng(2).integers(0, 256, (64, 64, 3), np.uint8)
    mean = LINEAR_OF_BYTE[texture].mean(axis=(0, 1))
    np.testing.assert_allclose(sample(quad([texture]), 0.6, 0.2, footprint=1.0), mean, atol=1e-4)


def test_texture_multiplies_vertex_colour_and_other_faces_keep_theirs():
    texture = np.full((2, 2, 3), 128, np.uint8)
    mesh = quad([texture])
    mesh = replace(
        mesh,
        vertex_color=np.full((4, 3), 200, np.uint8),
        face_texture=np.array([0, -1], np.int16),
    )
    half = np.full((2, 2), 0.25, np.float32)
    color = SurfaceColor(mesh).at(np.array([0, 1]), half, np.full(2, 1e-4, np.float32))
    np.testing.assert_allclose(color[0], LINEAR_OF_BYTE[200] * LINEAR_OF_BYTE[128], rtol=1e-5)
    np.testing.assert_allclose(color[1], LINEAR_OF_BYTE[200], rtol=1e-6)


def test_no_face_is_black():
    color = SurfaceColor(quad()).at(
        np.array([-1]), np.zeros((1, 2), np.float32), np.ones(1, np.float32)
    )
    np.testing.assert_array_equal(color, 0)


def test_face_planes_hold_all_three_vertices():
    mesh = box_room().mesh
    normal, offset = face_planes(mesh)
    for corner in range(3):
        on_plane = np.einsum("ij,ij->i", normal[:-1], mesh.vertices[mesh.faces[:, corner]])
        np.testing.assert_allclose(on_plane, offset[:-1], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(normal[:-1], axis=1), 1, atol=1e-6)
    assert not normal[-1].any()


def test_many_points_over_many_textures_equal_looking_each_up_by_hand():
    """Full resolution everywhere: plain bilinear interpolation in the repeated texture, and white without."""
    rng = np.random.default_rng(4)
    textures = tuple(rng.integers(0, 256, (h, w, 3), np.uint8) for h, w in [(8, 8), (5, 9), (1, 3)])
    builder = MeshBuilder()
    for number in range(4):
        corners = [(number, 0, 0), (number + 1, 0, 0), (number + 1, 1, 0), (number, 1, 0)]
        builder.quad(corners, "picture", (255, 255, 255))
    mesh = builder.mesh()
    face_texture = np.repeat(np.array([0, 1, 2, -1], np.int16), 2)
    uv = rng.uniform(-2, 3, (len(mesh.vertices), 2)).astype(np.float32)
    mesh = replace(mesh, uv=uv, face_texture=face_texture, textures=textures)
    count = 5000
    face = rng.integers(0, 8, count)
    weight = rng.dirichlet([1, 1, 1], count)[:, 1:].astype(np.float32)
    found = SurfaceColor(mesh).at(face, weight, np.full(count, 1e-6, np.float32))
    corner = uv[mesh.faces[face]].astype(np.float64)
    at = (
        corner[:, 0]
        + weight[:, :1] * (corner[:, 1] - corner[:, 0])
        + weight[:, 1:] * (corner[:, 2] - corner[:, 0])
    )
    for (u, v), number, color in zip(at[::8], face_texture[face[::8]], found[::8], strict=True):
        if number < 0:
            np.testing.assert_array_equal(color, 1)
            continue
        image = LINEAR_OF_BYTE[textures[number]]
        height, width = image.shape[:2]
        x, y = u * width - 0.5, v * height - 0.5
        left, top = int(np.floor(x)), int(np.floor(y))
        p, q = x - left, y - top
        expected = sum(
            wx * wy * image[(top + dy) % height, (left + dx) % width]
            for dx, wx in ((0, 1 - p), (1, p))
            for dy, wy in ((0, 1 - q), (1, q))
        )
        np.testing.assert_allclose(color, expected, atol=2e-4)


def test_smooth_surfaces_end_at_edges_and_at_instances():
    """A box has six, the flat ends and the round side of a many-sided prism three; two alike boxes share none."""
    builder = MeshBuilder().box((0, 0, 0), (1, 1, 1), "box").box((0, 0, 0), (1, 1, 1), "box")
    turn = 2 * np.pi * np.arange(24) / 24
    ring = np.stack([np.cos(turn), np.sin(turn), np.zeros(24)], axis=-1)
    vertices = np.concatenate([ring, ring + [0, 0, 1], [[0, 0, 0], [0, 0, 1]]])
    i, j = np.arange(24), (np.arange(24) + 1) % 24
    low, high = np.full(24, 48), np.full(24, 49)
    side = np.concatenate([np.stack([i, j, j + 24], -1), np.stack([i, j + 24, i + 24], -1)])
    caps = np.concatenate([np.stack([j, i, low], -1), np.stack([i + 24, j + 24, high], -1)])
    mesh = builder.add(vertices, np.concatenate([side, caps]), "can").mesh()
    group = smooth_groups(mesh, face_planes(mesh)[0])
    assert group[-1] == -1
    of = [set(group[:-1][mesh.face_instance == number].tolist()) for number in (1, 2, 3)]
    assert [len(numbers) for numbers in of] == [6, 6, 3]
    assert len(set.union(*of)) == 15
    can = group[:-1][mesh.face_instance == 3]
    assert [len(set(can[part].tolist())) for part in (np.s_[:48], np.s_[48:72], np.s_[72:])] == [
        1,
        1,
        1,
    ]


def test_faces_know_their_area_and_their_mean_colour():
    texture = np.zeros((2, 2, 3), np.uint8)
    texture[0] = 255
    mesh = quad([texture])
    assert face_areas(mesh) == pytest.approx([0.5, 0.5])
    np.testing.assert_allclose(SurfaceColor(mesh).of_faces(), 0.5, atol=1e-6)
    color = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)], np.uint8)
    mean = SurfaceColor(replace(quad(), vertex_color=color)).of_faces()[0]
    np.testing.assert_allclose(mean, 1 / 3, atol=1e-6)
