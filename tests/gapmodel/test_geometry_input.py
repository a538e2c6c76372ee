from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gapmodel.geometry.grids import matching_levels, patch_centres, resample, to_patches
from gapmodel.geometry.inputs import GeometryInput, camera_directions, token_positions
from tests.gapmodel.batches import example_batch

PATCH = 32


def random_input(
    seed: int, *, pictures: int = 3, size: tuple[int, int] = (64, 96)
) -> GeometryInput:
    """Pictures with holes, tilted cameras and one that is not given."""
    generator = torch.Generator().manual_seed(seed)
    height, width = size
    depth = 0.5 + 3 * torch.rand(pictures, height, width, generator=generator)
    depth[torch.rand(depth.shape, generator=generator) < 0.3] = 0
    normal = torch.nn.functional.normalize(
        torch.randn(pictures, height, width, 3, generator=generator), dim=-1
    )
    rotation = torch.linalg.qr(torch.randn(pictures, 3, 3, generator=generator)).Q
    rotation = rotation * torch.linalg.det(rotation)[:, None, None]
    cam2first = torch.eye(4).repeat(pictures, 1, 1)
    cam2first[:, :3, :3] = rotation
    cam2first[:, :3, 3] = torch.randn(pictures, 3, generator=generator)
    K = torch.tensor([[width * 0.8, 0.3, width / 2], [0, width * 0.9, height / 2 - 2], [0, 0, 1]])
    return GeometryInput(
        image_sample=torch.zeros(pictures, dtype=torch.int64),
        size=size,
        given=torch.arange(pictures) != pictures - 1,
        K=K.repeat(pictures, 1, 1),
        cam2first=cam2first,
        depth=depth,
        normal=normal,
    )


def test_points_of_a_wall_lie_on_the_wall_in_the_first_camera() -> None:
    batch = example_batch(pictures=3)  # its wall: z = 2 + 0.3 x in the first camera
    pictures = GeometryInput.from_batch(batch)
    positions = token_positions(pictures, PATCH, in_first_camera=True)
    assert positions.point_known.all()
    x, _, z = positions.point.unbind(-1)
    # Depth is constant down a column and monotonic along a row, so the median is half a pixel from the centre.
    assert torch.allclose(z, 2 + 0.3 * x, atol=0.3 * 0.5 / 96 * 3)
    along = positions.point - batch.cam2first[:, None, None, :3, 3]
    assert torch.allclose(along / along.norm(dim=-1, keepdim=True), positions.ray, atol=1e-5)


@pytest.mark.parametrize("in_first_camera", [True, False])
def test_positions_equal_a_loop_over_patches(in_first_camera: bool) -> None:
    pictures = random_input(0)
    pictures.depth[0, :PATCH, :PATCH] = 0
    positions = token_positions(pictures, PATCH, in_first_camera=in_first_camera)
    for i in range(3):
        pose = pictures.cam2first[i].double().numpy() if in_first_camera else np.eye(4)
        for row in range(2):
            for column in range(3):
                v0, u0 = row * PATCH, column * PATCH
                found = positions.point[i, row, column].numpy()
                if i == 2:
                    assert not positions.ray_known[i, row, column]
                    assert not positions.ray[i, row, column].any()
                    assert not positions.point_known[i, row, column]
                    continue
                pixel = [u0 + (PATCH - 1) / 2, v0 + (PATCH - 1) / 2, 1]
                direction = np.linalg.inv(pictures.K[i].double().numpy()) @ pixel
                ray = pose[:3, :3] @ direction / np.linalg.norm(direction)
                assert np.allclose(positions.ray[i, row, column], ray, atol=1e-5)
                depths = pictures.depth[i, v0 : v0 + PATCH, u0 : u0 + PATCH].numpy()
                depths = np.sort(depths[depths > 0])
                assert bool(positions.point_known[i, row, column]) == (len(depths) > 0)
                if len(depths) == 0:
                    assert not found.any()
                    continue
                middle = depths[(len(depths) - 1) // 2]
                point = pose[:3, :3] @ (direction * middle) + pose[:3, 3]
                assert np.allclose(found, point, atol=1e-4)


def test_a_token_at_an_edge_stands_on_one_of_its_sides() -> None:
    pictures = random_input(1, pictures=2)
    pictures.depth[0, :, :20], pictures.depth[0, :, 20:] = 1.0, 3.0
    z = token_positions(pictures, PATCH, in_first_camera=False).point[0, 0, 0, 2]
    assert z == 1.0  # 20 of 32 columns are near


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1.0, 0.0])
def test_bad_depth_is_unknown(bad: float) -> None:
    pictures = random_input(2)
    pictures.depth[0] = bad
    pictures.normal[0] = 0
    assert not pictures.depth_known[0].any()
    assert pictures.measured.tolist() == [False, True, False]
    positions = token_positions(pictures, PATCH, in_first_camera=True)
    assert not positions.point_known[0].any()
    assert positions.point.isfinite().all()
    assert positions.ray.isfinite().all()


def test_normals_alone_count_as_measured() -> None:
    pictures = random_input(3)
    bare = replace(pictures, depth=torch.zeros_like(pictures.depth))
    assert bare.measured.tolist() == [True, True, False]


def test_layers_a_batch_lacks_are_unknown() -> None:
    batch = replace(
        example_batch(), input_depth=None, input_normal=None, geometry_given=None, depth=None
    )
    pictures = GeometryInput.from_batch(batch)
    assert pictures.given.all()
    assert not pictures.measured.any()
    assert pictures.images is batch.images


def test_directions_project_back_to_their_pixels() -> None:
    K = torch.tensor([[50.0, 1.5, 30.0], [0.0, 55.0, 20.0], [0.0, 0.0, 1.0]])[None]
    v, u = torch.tensor([0.0, 7.0, 39.0]), torch.tensor([0.0, 11.0, 59.0])
    pixels = torch.einsum("ab,hwb->hwa", K[0], camera_directions(K, v, u)[0])
    assert torch.allclose(pixels[..., 0], u.expand(3, 3), atol=1e-4)
    assert torch.allclose(pixels[..., 1], v[:, None].expand(3, 3), atol=1e-4)


def test_patches_hold_their_pixels_row_by_row() -> None:
    layer = torch.arange(2 * 4 * 6 * 1).float().view(2, 4, 6, 1)
    patches = to_patches(layer, 2)
    assert patches.shape == (2, 2, 3, 4)
    assert patches[1, 1, 2].tolist() == layer[1, 2:4, 4:6].flatten().tolist()
    assert patch_centres(96, 32, layer.device).tolist() == [15.5, 47.5, 79.5]


def test_resampling_keeps_a_linear_field_and_averages_when_coarser() -> None:
    x = (torch.arange(12) + 0.5) / 12
    field = x.expand(1, 8, 12)[..., None]
    coarse = resample(field, (4, 3))[0, :, :, 0]
    # Inside, an antialiased average of a linear field is its value at the centre.
    assert torch.allclose(coarse[:, 1], torch.full((4,), 0.5), atol=1e-6)
    assert torch.allclose(resample(field, (8, 12)), field)
    assert torch.allclose(resample(torch.ones(1, 5, 7, 2), (3, 4)), torch.ones(1, 3, 4, 2))


@pytest.mark.parametrize(
    ("levels", "available", "expected"),
    [(4, 4, (0, 1, 2, 3)), (3, 4, (0, 2, 3)), (1, 4, (3,)), (4, 2, (0, 0, 1, 1)), (2, 1, (0, 0))],
)
def test_levels_go_together_in_order(
    levels: int, available: int, expected: tuple[int, ...]
) -> None:
    assert matching_levels(levels, available) == expected
