"""Objects as points: Chamfer distance against a slow twin, truth by object, planted shapes with known losses."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from gapmodel.objectives.reconstruction import (
    LEAST_DISTANCE,
    Objects,
    Reconstruction,
    chamfer,
    object_points,
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


class PlantedObjects(Reconstruction):
    """A head that says what it is told to and sees every object."""

    def _read(self, features, batch):
        return self.planted, torch.ones(len(batch.object_sample), dtype=torch.bool)


def planted(centre, log_radius, shape, **settings):
    objective = PlantedObjects(
        hidden_size=D, levels=LEVELS, **{**SIZES["reconstruction"], **settings}
    )
    objective.planted = Objects(centre=centre, log_radius=log_radius, shape=shape)
    return objective


@pytest.fixture(scope="module")
def batch():
    """Points inside the boxes of their objects: of six objects the last has two points, the others eleven or more."""
    batch = varied_batch(points=40)
    rng = np.random.default_rng(0)
    owner = np.where(np.arange(80) < 78, np.arange(80) // 40 * 3 + np.arange(80) % 3, 5)
    owner[(owner == 5) & (np.arange(80) < 78)] = 4
    box = batch.object_box_first[owner]
    inside = torch.from_numpy(rng.uniform(-0.45, 0.45, (80, 3)).astype(np.float32))
    return replace(
        batch,
        point_first=box[:, :3] + box[:, 3:6] * inside,
        point_instance=batch.object_instance[owner],
        point_sample=batch.object_sample[owner],
    )


def slow_chamfer(predicted, truth):
    """Half the mean distance to the nearest of the others, from each side."""
    to_truth = [min(np.linalg.norm(p - t) for t in truth) for p in predicted]
    to_predicted = [min(np.linalg.norm(p - t) for p in predicted) for t in truth]
    return 0.5 * (np.mean(to_truth) + np.mean(to_predicted))


@pytest.mark.parametrize("seed", range(4))
def test_chamfer_is_that_of_the_slow_twin(seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 8, 3)
    predicted, truth = (rng.normal(size=(3, n, 3)).astype(np.float32) for n in (5, 8))
    there = np.arange(8) < counts[:, None]
    found = chamfer(*map(torch.from_numpy, (predicted, truth, there)))
    for o in range(3):
        assert found[o].item() == pytest.approx(
            slow_chamfer(predicted[o], truth[o, : counts[o]]), rel=1e-5
        )


def test_chamfer_of_known_sets():
    truth = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]])
    there = torch.ones(1, 3, dtype=torch.bool)
    assert chamfer(truth, truth, there) == 0.0
    # A shift shorter than half of any gap keeps every neighbour.
    shifted = truth + torch.tensor([0.0, 0.0, 0.3])
    assert chamfer(shifted, truth, there).item() == pytest.approx(0.3)
    # One point of three: on the spot from its side, 2/3 of a metre on average from the other.
    assert chamfer(truth[:, :1], truth, there).item() == pytest.approx(0.5 * (2 / 3))
    assert chamfer(truth, truth, ~there) == 0.0


def test_chamfer_is_symmetric_and_blind_to_order_turns_and_shifts():
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 1, 9, 3, generator=generator)
    there = torch.ones(1, 9, dtype=torch.bool)
    value = chamfer(a, b, there).item()
    assert chamfer(b, a, there).item() == pytest.approx(value, rel=1e-5)
    assert chamfer(a.flip(1), b.roll(4, 1), there).item() == pytest.approx(value, rel=1e-5)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=generator))[0]
    assert chamfer(a @ turn + 1, b @ turn + 1, there).item() == pytest.approx(value, rel=1e-5)


def test_absent_points_of_truth_do_not_matter():
    predicted = torch.randn(1, 4, 3, requires_grad=True)
    truth = torch.randn(1, 6, 3)
    there = torch.arange(6)[None] < 3
    odd = torch.where(there[..., None], truth, 1e6)
    assert chamfer(predicted, odd, there) == chamfer(predicted, truth, there)
    chamfer(predicted, predicted.detach(), torch.ones(1, 4, dtype=torch.bool)).sum().backward()
    assert predicted.grad.isfinite().all()


@pytest.mark.parametrize("most", [3, 7, 1000])
def test_points_of_an_object_are_its_own_evenly_chosen(most):
    rng = np.random.default_rng(most)
    batch = varied_batch(points=60)
    shuffled = torch.from_numpy(rng.permutation(120))
    batch = replace(
        batch,
        point_sample=batch.point_sample[shuffled],
        point_first=batch.point_first[shuffled],
        point_instance=batch.point_instance[shuffled],
    )
    found, there = object_points(batch, most)
    for o in range(len(batch.object_sample)):
        own = batch.point_first[
            (batch.point_sample == batch.object_sample[o])
            & (batch.point_instance == batch.object_instance[o])
        ]
        count = min(len(own), most)
        expected = own[torch.arange(count) * len(own) // count] if count else own
        assert torch.equal(found[o][there[o]], expected)
        assert there[o].sum() == count


def test_a_loader_without_points_or_objects(batch):
    none = replace(
        batch,
        point_sample=batch.point_sample[:0],
        point_first=batch.point_first[:0],
        point_instance=batch.point_instance[:0],
    )
    assert not object_points(none, 8)[1].any()
    loss = head("reconstruction")(random_features(batch), none)
    assert loss.value == 0.0
    assert loss.count == 0


def true_objects(batch, most):
    """The perfect prediction: each object's own points, the first one repeated where there are fewer."""
    truth, there = object_points(batch, most)
    truth = torch.where(there[..., None], truth, truth[:, :1])
    centre = batch.object_box_first[:, :3]
    radius = batch.object_box_first[:, 3:6].norm(dim=1) / 2
    return centre, radius.log(), (truth - centre[:, None]) / radius[:, None, None]


def test_perfect_objects_cost_nothing(batch):
    loss = planted(*true_objects(batch, 256))(NO_FEATURES, batch)
    assert loss.value.item() == pytest.approx(0.0, abs=1e-5)
    assert loss.count == 5
    assert loss.metrics["chamfer_m"].item() == pytest.approx(0.0, abs=1e-5)


def test_a_displaced_and_a_scaled_object_cost_what_they_are_off(batch):
    centre, log_radius, shape = true_objects(batch, 256)
    there = object_points(batch, 256)[1].sum(dim=1) >= 4
    offset = torch.tensor([0.03, 0.0, 0.04])
    loss = planted(centre + offset, log_radius, shape)(NO_FEATURES, batch)
    distance = centre.norm(dim=1).clamp(min=LEAST_DISTANCE)[there]
    assert loss.value.item() == pytest.approx((0.05 / distance).mean().item(), rel=1e-3)
    assert loss.metrics["centre_m"].item() == pytest.approx(0.05, rel=1e-4)
    assert 0 < loss.metrics["chamfer_m"].item() <= 0.05
    loss = planted(centre, log_radius + math.log(1.2), shape)(NO_FEATURES, batch)
    assert loss.value.item() == pytest.approx(math.log(1.2), rel=1e-4)


def test_few_points_supervise_nothing(batch):
    counts = object_points(batch, 256)[1].sum(dim=1)
    limit = int(counts.max())
    loss = planted(*true_objects(batch, 256), least_points=limit)(NO_FEATURES, batch)
    assert loss.count == (counts >= limit).sum()
    assert planted(*true_objects(batch, 256), least_points=limit + 1)(NO_FEATURES, batch).count == 0


def test_an_object_with_points_that_no_mask_shows_supervises_nothing(batch):
    objective, features = head("reconstruction"), random_features(batch)
    hidden = replace(batch, instance=torch.where(batch.instance == 1, 0, batch.instance))
    assert objective(features, batch).count == 5
    assert objective(features, hidden).count == 3


def test_predicted_points_are_metres_around_the_centre(batch):
    centre, log_radius, shape = true_objects(batch, 256)
    points = planted(centre, log_radius, shape).predict(NO_FEATURES, batch)
    truth, there = object_points(batch, 256)
    assert torch.allclose(points[there], truth[there], atol=1e-5)
    assert head("reconstruction").predict(random_features(batch), batch).shape == (6, 32, 3)
