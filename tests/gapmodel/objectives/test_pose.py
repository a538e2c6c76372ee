"""Relative poses: angles with known values, planted poses, independence of the world's frame."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from gapmodel.objectives.pose import (
    Pose,
    first_pictures,
    geodesic,
    rotation_6d,
    true_fov,
)
from tests.gapmodel.objectives.examples import (
    LEVELS,
    NO_FEATURES,
    SIZES,
    D,
    head,
    random_features,
    varied_batch,
)


class PlantedPose(Pose):
    """A head that says what it is told to."""

    def _read(self, features, batch):
        return self.planted


def planted(rotation, motion, fov):
    objective = PlantedPose(hidden_size=D, levels=LEVELS, **SIZES["pose"])
    length = motion.norm(dim=-1).clamp(min=1e-6)
    objective.planted = (rotation, motion / length[:, None], length.log(), fov)
    return objective


@pytest.fixture(scope="module")
def batch():
    return varied_batch(samples=2, pictures=3)


def about(axis, degrees):
    vector = np.asarray(axis, float) / np.linalg.norm(axis) * math.radians(degrees)
    return torch.from_numpy(Rotation.from_rotvec(vector).as_matrix()).float()


@pytest.mark.parametrize("degrees", [0.0, 0.01, 1.0, 30.0, 90.0, 179.0])
def test_geodesic_is_the_angle_between_rotations(degrees):
    base = about([1, 2, 3], 77)
    turned = base @ about([-1, 0.5, 2], degrees)
    angle = geodesic(base[None], turned[None]).item()
    assert math.degrees(angle) == pytest.approx(degrees, abs=2e-3)
    assert geodesic(turned[None], base[None]).item() == pytest.approx(angle, abs=1e-6)


def test_geodesic_is_nearly_right_and_has_a_finite_slope_at_half_a_turn_and_at_none():
    rotation = torch.stack([about([0, 1, 0], 180), torch.eye(3)]).requires_grad_()
    angle = geodesic(rotation, torch.eye(3).expand(2, 3, 3))
    angle.sum().backward()
    assert angle[0].item() == pytest.approx(math.pi, abs=0.003)
    assert rotation.grad.isfinite().all()


def test_six_numbers_give_a_rotation_and_its_own_columns_give_it_back():
    generator = torch.Generator().manual_seed(0)
    rotation = rotation_6d(torch.randn(20, 6, generator=generator))
    assert torch.allclose(rotation @ rotation.mT, torch.eye(3).expand(20, 3, 3), atol=1e-5)
    assert torch.allclose(torch.linalg.det(rotation), torch.ones(20), atol=1e-5)
    columns = rotation[..., :2].mT.flatten(1)
    assert torch.allclose(rotation_6d(columns), rotation, atol=1e-5)
    # Only directions count: longer columns, and a second one leaning to the first.
    x, y = columns[:, :3], columns[:, 3:]
    assert torch.allclose(rotation_6d(torch.cat([3 * x, 2 * y + 0.5 * x], 1)), rotation, atol=1e-5)


def test_field_of_view_is_what_the_lens_sees(batch):
    height, width = batch.images.shape[1:3]
    ray = math.atan(width / 2 / batch.K[0, 0, 0].item())
    assert true_fov(batch)[0, 0].item() == pytest.approx(2 * ray, rel=1e-5)
    assert true_fov(batch)[0, 1].item() == pytest.approx(
        2 * math.atan(height / 2 / batch.K[0, 1, 1].item()), rel=1e-5
    )
    moved = batch.K.clone()
    moved[:, :2, 2] += 7.0
    assert torch.equal(true_fov(replace(batch, K=moved)), true_fov(batch))


def test_first_pictures_whatever_the_order(batch):
    sample = torch.tensor([1, 0, 1, 0, 0, 1])
    assert first_pictures(replace(batch, image_sample=sample)).tolist() == [0, 1, 0, 1, 1, 0]


def truth(batch):
    return batch.cam2first[:, :3, :3], batch.cam2first[:, :3, 3], true_fov(batch)


def test_perfect_poses_cost_nothing(batch):
    loss = planted(*truth(batch))(NO_FEATURES, batch)
    assert loss.value.item() == pytest.approx(0.0, abs=1e-5)
    assert loss.count == 6
    for limit in (5, 15, 30):
        assert loss.metrics[f"rra_{limit}"] == 1.0
        assert loss.metrics[f"rta_{limit}"] == 1.0


def test_planted_errors_cost_what_they_are(batch):
    rotation, motion, fov = truth(batch)
    # True motion is along x: 20 degrees off about y, a quarter longer.
    wrong = 1.25 * motion @ about([0, 1, 0], 20).T
    loss = planted(rotation @ about([1, 1, 1], 10), wrong, fov + math.radians(3))(
        NO_FEATURES, batch
    )
    expected = math.radians(10) + math.radians(20) + math.log(1.25) + math.radians(3)
    assert loss.value.item() == pytest.approx(expected, rel=1e-4)
    shown = {name: value.item() for name, value in loss.metrics.items()}
    assert shown["rotation_deg"] == pytest.approx(10, rel=1e-4)
    assert shown["translation_deg"] == pytest.approx(20, rel=1e-4)
    assert shown["fov_deg"] == pytest.approx(3, rel=1e-4)
    assert (shown["rra_5"], shown["rra_15"], shown["rta_15"], shown["rta_30"]) == (0, 1, 0, 1)
    length = motion.norm(dim=-1)[motion.norm(dim=-1) > 0]
    off = (length * math.sqrt(1.25**2 + 1 - 2.5 * math.cos(math.radians(20)))).mean().item()
    assert shown["translation_m"] == pytest.approx(off, rel=1e-4)


def test_short_motion_supervises_no_direction(batch):
    rotation, motion, fov = truth(batch)
    still = batch.cam2first.clone()
    still[:, :3, 3] *= 0.01  # 1 to 3 millimetres
    loss = planted(rotation, -motion, fov)(NO_FEATURES, replace(batch, cam2first=still))
    assert loss.metrics["translation_deg"] == 0.0
    assert loss.metrics["rta_5"] == 0.0
    # What is left is length: too long by what lies above a centimetre.
    length = motion.norm(dim=-1)[motion.norm(dim=-1) > 0]
    assert loss.value.item() == pytest.approx((length / 0.01).log().mean().item(), rel=1e-4)


def test_the_world_may_be_moved(batch):
    """Only relative poses enter: built from world poses in two frames, the loss is the same."""
    generator = np.random.default_rng(3)
    objective, features = head("pose"), random_features(batch)

    def rigid():
        matrix = np.eye(4)
        matrix[:3, :3] = Rotation.random(random_state=generator).as_matrix()
        matrix[:3, 3] = generator.normal(size=3)
        return matrix

    cam2world = np.stack([rigid() for _ in range(6)])
    values = []
    for move in (np.eye(4), rigid()):
        moved = move @ cam2world
        first = np.repeat(moved[::3], 3, axis=0)
        cam2first = torch.from_numpy(np.linalg.inv(first) @ moved).float()
        values.append(objective(features, replace(batch, cam2first=cam2first)).value.item())
    assert values[1] == pytest.approx(values[0], rel=1e-5)
    assert values[0] > 0.5


def test_single_views_supervise_the_lens_only():
    batch = varied_batch(samples=3, pictures=1)
    objective = head("pose")
    loss = objective(random_features(batch), batch)
    loss.value.backward()
    assert loss.count == 3
    grad = objective.out.weight.grad
    assert (grad[:10] == 0).all()
    assert (grad[10:] != 0).any(dim=1).all()
    errors = (objective._read(random_features(batch), batch)[3] - true_fov(batch)).abs()
    assert loss.value.item() == pytest.approx(errors.mean().item(), rel=1e-5)


def test_predicted_poses_are_rigid_and_the_identity_for_first_pictures(batch):
    pose, fov = head("pose").predict(random_features(batch), batch)
    assert torch.equal(pose[::3], torch.eye(4).expand(2, 4, 4))
    rotation = pose[:, :3, :3]
    assert torch.allclose(rotation @ rotation.mT, torch.eye(3).expand(6, 3, 3), atol=1e-5)
    assert torch.equal(pose[:, 3], torch.tensor([0.0, 0, 0, 1]).expand(6, 4))
    assert (pose[1::3, :3, 3].norm(dim=-1) > 0).all()
    assert ((fov > 0) & (fov < math.pi)).all()


def test_a_pose_depends_on_the_first_picture_and_on_its_own_alone(batch):
    objective, features = head("pose"), random_features(batch)
    before, _ = objective.predict(features, batch)

    def disturbed(image):
        views = features.views.clone()
        views[image] += torch.randn(views[image].shape, generator=torch.Generator().manual_seed(1))
        return objective.predict(replace(features, views=views), batch)[0]

    for image, changed in ((0, [1, 2]), (1, [1]), (2, [2]), (3, [4, 5])):
        different = (disturbed(image) != before).flatten(1).any(dim=1)
        assert different.nonzero().flatten().tolist() == changed
