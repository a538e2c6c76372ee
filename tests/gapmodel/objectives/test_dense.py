"""Depth, normals and pointmaps: planted predictions with known losses, pixel conventions, truth without mixing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from gapdata.errors import ConfigError
from gapmodel.objectives.dense import enlarge, masked_mean, sample_cells, take_pixels
from gapmodel.objectives.depth import Depth, gradient_loss
from gapmodel.objectives.normal import Normal, angle_between
from gapmodel.objectives.pointmap import Pointmap, points_first
from gapmodel.objectives.tokens import shuffle
from tests.gapmodel.objectives.examples import (
    LEVELS,
    NO_FEATURES,
    SIZES,
    D,
    head,
    random_features,
    varied_batch,
)


class PlantedDepth(Depth):
    """A head that says what it is told to."""

    def _log_depth(self, features):
        return self.planted


class PlantedNormal(Normal):
    def _normals(self, features):
        return self.planted


class PlantedPointmap(Pointmap):
    def _points(self, features):
        return self.planted


def planted(kind, value):
    objective = kind(hidden_size=D, levels=LEVELS, **SIZES["depth"])
    objective.planted = value
    return objective


@pytest.fixture(scope="module")
def batch():
    return varied_batch()


def centres(layer):
    """What stands for cells of 4 x 4 pixels where all are valid: of the four in the middle the upper left one."""
    return layer[:, 1::4, 1::4]


# Truth at cells


def slow_sample(valid, rows, columns):
    images, height, _ = valid.shape
    side = height // rows
    pixels = np.zeros((images, rows, columns, 2), int)
    known = np.zeros((images, rows, columns), bool)
    for i, r, c in np.ndindex(images, rows, columns):
        best = math.inf
        for dy, dx in np.ndindex(side, side):
            y, x = r * side + dy, c * side + dx
            distance = (dy - (side - 1) / 2) ** 2 + (dx - (side - 1) / 2) ** 2
            if valid[i, y, x] and distance < best:
                best, pixels[i, r, c], known[i, r, c] = distance, (y, x), True
    return pixels, known


@pytest.mark.parametrize("side", [1, 2, 3, 4, 8])
def test_a_cell_takes_its_valid_pixel_nearest_to_the_centre(side):
    rng = np.random.default_rng(side)
    valid = rng.random((2, 3 * side, 4 * side)) < min(0.9, 2 / side**2)
    pixels, known = sample_cells(torch.from_numpy(valid), 3, 4)
    slow_pixels, slow_known = slow_sample(valid, 3, 4)
    assert (known.numpy() == slow_known).all()
    assert 0 < slow_known.mean() < 1
    assert (pixels.numpy()[slow_known] == slow_pixels[slow_known]).all()


def test_truth_is_never_averaged():
    layer = torch.rand(2, 16, 24)
    pixels, _ = sample_cells(torch.rand(2, 16, 24) < 0.3, 4, 6)
    taken = take_pixels(layer, pixels)
    assert torch.isin(taken, layer).all()


def test_a_map_that_does_not_divide_the_picture_is_refused():
    with pytest.raises(ConfigError, match="3 x 4 cells does not divide pictures of 16 x 16"):
        sample_cells(torch.ones(1, 16, 16, dtype=torch.bool), 3, 4)
    with pytest.raises(ConfigError, match="doublings"):
        sample_cells(torch.ones(1, 4, 4, dtype=torch.bool), 8, 8)


def test_masked_mean():
    values = torch.tensor([1.0, 5.0, torch.nan])
    assert masked_mean(values, torch.tensor([True, True, False])) == 3.0
    assert masked_mean(values, torch.zeros(3, dtype=torch.bool)) == 0.0


def test_split_tokens_are_those_of_pixel_shuffle():
    cells = torch.rand(2, 12, 3, 5)
    assert torch.equal(shuffle(cells), torch.nn.functional.pixel_shuffle(cells, 2))


def test_enlarged_maps_keep_the_centres_of_cells():
    # A linear function of the pixel, given at cells' centres, comes back at every pixel between outer centres.
    u = 4 * torch.arange(6.0) + 1.5
    v = 4 * torch.arange(4.0) + 1.5
    small = (2.0 * u[None, :] - 3.0 * v[:, None] + 1.0)[None, ..., None]
    large = enlarge(small, 16, 24)[0, ..., 0]
    pixel_v, pixel_u = torch.meshgrid(torch.arange(16.0), torch.arange(24.0), indexing="ij")
    expected = 2.0 * pixel_u - 3.0 * pixel_v + 1.0
    assert torch.allclose(large[2:14, 2:22], expected[2:14, 2:22], atol=1e-4)


# Depth


def test_perfect_depth_costs_nothing(batch):
    loss = planted(PlantedDepth, centres(batch.depth).log())(NO_FEATURES, batch)
    assert loss.value == 0.0
    assert loss.count == batch.depth.numel() // 16
    assert loss.metrics["abs_rel"] == 0.0
    assert loss.metrics["delta1"] == 1.0
    assert loss.metrics["si_log"] == 0.0


def test_depth_too_large_by_a_factor_costs_its_logarithm(batch):
    loss = planted(PlantedDepth, centres(batch.depth).log() + math.log(1.3))(NO_FEATURES, batch)
    assert loss.value.item() == pytest.approx(math.log(1.3), rel=1e-4)
    assert loss.metrics["abs_rel"].item() == pytest.approx(0.3, rel=1e-4)
    assert loss.metrics["delta1"] == 0.0
    assert loss.metrics["si_log"].item() == pytest.approx(0.0, abs=1e-3)
    assert loss.metrics["log_scale_error"].item() == pytest.approx(math.log(1.3), rel=1e-4)


def test_gradient_loss_of_a_ramp_and_of_an_offset():
    # Steps of 0.1 along columns only: neighbours differ by 0.1 * 2^k at scale k, half of the pairs are vertical.
    error = (0.1 * torch.arange(16.0)).expand(1, 16, 16)
    valid = torch.ones(1, 16, 16, dtype=torch.bool)
    expected = np.mean([0.5 * 0.1 * 2**k for k in range(3)])
    assert gradient_loss(error, valid, scales=3).item() == pytest.approx(expected, rel=1e-5)
    assert gradient_loss(torch.full((1, 16, 16), 0.7), valid) == 0.0


def test_gradient_loss_skips_pairs_with_an_unknown_cell():
    error = torch.zeros(1, 8, 8)
    error[0, 3, 3] = 5.0
    valid = torch.ones(1, 8, 8, dtype=torch.bool)
    assert gradient_loss(error, valid) > 0
    valid[0, 3, 3] = False
    assert gradient_loss(error, valid) == 0.0


def test_unknown_depth_does_not_matter(batch):
    depth = batch.depth.clone()
    depth[:, 20:40, 30:70] = 0.0
    objective = planted(PlantedDepth, torch.rand(4, 16, 24).requires_grad_())
    loss = objective(NO_FEATURES, replace(batch, depth=depth))
    loss.value.backward()
    for odd in (torch.nan, -1.0, torch.inf):
        other = torch.where(depth > 0, depth, odd)
        assert objective(NO_FEATURES, replace(batch, depth=other)).value == loss.value
    hole = objective.planted.grad[:, 5:10, 8:17]
    assert (hole == 0).all()
    assert objective.planted.grad.isfinite().all()
    assert (objective.planted.grad != 0).any()
    assert loss.count == 4 * (16 * 24 - 5 * 9)


def test_predicted_depth_has_the_pictures_size_and_is_the_planted_one(batch):
    depth = planted(PlantedDepth, torch.full((4, 16, 24), math.log(3.0))).predict(
        NO_FEATURES, batch
    )
    assert depth.shape == batch.depth.shape
    assert torch.allclose(depth, torch.tensor(3.0))


def test_an_untrained_head_starts_in_the_middle_of_a_room(batch):
    with torch.no_grad():
        depth = head("depth").predict(random_features(batch), batch)
        normal = head("normal").predict(random_features(batch), batch)
        point = head("pointmap").predict(random_features(batch), batch)
    assert (depth - 2.5).abs().max() < 0.5
    assert (normal - torch.tensor([0.0, 0.0, -1.0])).abs().max() < 0.2
    assert (point - torch.tensor([0.0, 0.0, 2.5])).abs().max() < 0.5


def test_scale_of_a_picture_moves_all_its_depth(batch):
    objective, features = head("depth"), random_features(batch)
    before = objective.predict(features, batch)
    with torch.no_grad():
        objective.decoder.pool.bias += math.log(2.0)
    assert torch.allclose(objective.predict(features, batch), 2.0 * before, rtol=1e-4)


# Normals


def rotated(normal, degrees):
    """Normals turned about an axis at right angles to each of them."""
    axis = torch.linalg.cross(normal, torch.tensor([0.3, 0.9, 0.1]).expand(normal.shape))
    axis = torch.nn.functional.normalize(axis, dim=-1)
    angle = torch.tensor(math.radians(degrees))
    return normal * angle.cos() + torch.linalg.cross(axis, normal) * angle.sin()


@pytest.mark.parametrize("degrees", [0.0, 0.01, 30.0, 90.0, 179.0])
def test_a_turned_normal_costs_its_angle(batch, degrees):
    wrong = rotated(centres(batch.normal), degrees)
    loss = planted(PlantedNormal, wrong)(NO_FEATURES, batch)
    assert loss.value.item() == pytest.approx(math.radians(degrees), rel=1e-3, abs=1e-6)
    assert loss.metrics["mean_angle_deg"].item() == pytest.approx(degrees, rel=1e-3, abs=1e-4)
    assert loss.metrics["within_30deg"] == float(degrees < 30)


def test_normals_of_both_signs_flipped_cost_the_same(batch):
    guess = torch.nn.functional.normalize(torch.randn(4, 16, 24, 3), dim=-1)
    loss = planted(PlantedNormal, guess)(NO_FEATURES, batch).value
    flipped = planted(PlantedNormal, -guess)(
        NO_FEATURES, replace(batch, normal=-batch.normal)
    ).value
    assert flipped.item() == pytest.approx(loss.item(), rel=1e-6)
    assert loss > 0.5


def test_unknown_normals_do_not_matter(batch):
    normal = batch.normal.clone()
    normal[:, 20:40, 30:70] = 0.0
    guess = torch.nn.functional.normalize(torch.randn(4, 16, 24, 3), dim=-1).requires_grad_()
    loss = planted(PlantedNormal, guess)(NO_FEATURES, replace(batch, normal=normal))
    loss.value.backward()
    assert (guess.grad[:, 5:10, 8:17] == 0).all()
    assert (guess.grad != 0).any()
    odd = torch.where(normal.any(dim=-1, keepdim=True), normal, torch.nan)
    assert (
        planted(PlantedNormal, guess)(NO_FEATURES, replace(batch, normal=odd)).value == loss.value
    )


def test_angle_has_finite_slope_where_vectors_agree_or_oppose():
    a = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]], requires_grad=True)
    angle_between(a, torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]])).sum().backward()
    assert a.grad.isfinite().all()
    assert a.grad.abs().max() <= 1.0


def test_predicted_normals_have_unit_length(batch):
    normal = head("normal").predict(random_features(batch), batch)
    assert normal.shape == batch.normal.shape
    assert torch.allclose(normal.norm(dim=-1), torch.tensor(1.0), atol=1e-5)


# Pointmaps


def cell_points(batch):
    pixels, _ = sample_cells(batch.depth > 0, 16, 24)
    return points_first(batch, pixels, take_pixels(batch.depth, pixels))


def test_true_points_lie_where_the_scene_is():
    # The wall of sample s is z = 2 (1 + s / 2) + 0.3 x in its first camera, seen through the lens of the first sample.
    first = varied_batch(samples=2, pictures=1)
    first = replace(first, K=first.K[:1].repeat(2, 1, 1))
    x, _, z = cell_points(first).unbind(-1)
    distance = torch.tensor([2.0, 3.0])[:, None, None]
    assert torch.allclose(z, distance + 0.3 * x, atol=1e-4)


def test_back_projection_is_the_inverse_of_projection(batch):
    pixels, _ = sample_cells(batch.depth > 0, 16, 24)
    depth = take_pixels(batch.depth, pixels)
    xyz = points_first(batch, pixels, depth).double()
    for image in range(len(batch.images)):
        pose, K = batch.cam2first[image].double(), batch.K[image].double()
        own = (xyz[image] - pose[:3, 3]) @ pose[:3, :3]
        uv = (own / own[..., 2:]) @ K.T
        assert torch.allclose(own[..., 2], depth[image].double(), atol=1e-5)
        assert torch.allclose(uv[..., :2], pixels[image].flip(-1).double(), atol=1e-3)


def test_perfect_points_cost_nothing_and_an_offset_its_length_over_depth(batch):
    truth = cell_points(batch)
    loss = planted(PlantedPointmap, truth)(NO_FEATURES, batch)
    assert loss.value == 0.0
    assert loss.metrics["within_10cm"] == 1.0
    offset = torch.tensor([0.12, 0.0, -0.16])
    loss = planted(PlantedPointmap, truth + offset)(NO_FEATURES, batch)
    expected = (0.28 / centres(batch.depth)).mean().item()
    assert loss.value.item() == pytest.approx(expected, rel=1e-4)
    assert loss.metrics["error_m"].item() == pytest.approx(0.2, rel=1e-4)
    assert loss.metrics["within_10cm"] == 0.0
    assert loss.metrics["within_25cm"] == 1.0


def test_a_wrong_pose_or_lens_makes_perfect_points_wrong(batch):
    objective = planted(PlantedPointmap, cell_points(batch))
    for change in (
        {"K": batch.K * torch.tensor([1.1, 1.1, 1.0])[:, None]},
        {"cam2first": batch.cam2first.roll(1, 0)},
        {"depth": batch.depth * 1.1},
    ):
        assert objective(NO_FEATURES, replace(batch, **change)).value > 0.02


def test_points_of_unknown_depth_do_not_matter(batch):
    depth = batch.depth.clone()
    depth[:, 20:40, 30:70] = 0.0
    guess = torch.rand(4, 16, 24, 3).requires_grad_()
    objective = planted(PlantedPointmap, guess)
    loss = objective(NO_FEATURES, replace(batch, depth=depth))
    loss.value.backward()
    assert (guess.grad[:, 5:10, 8:17] == 0).all()
    assert guess.grad.isfinite().all()
    odd = torch.where(depth > 0, depth, torch.nan)
    assert objective(NO_FEATURES, replace(batch, depth=odd)).value == loss.value


def test_predicted_points_have_the_pictures_size(batch):
    points = head("pointmap").predict(random_features(batch), batch)
    assert points.shape == (*batch.depth.shape, 3)
