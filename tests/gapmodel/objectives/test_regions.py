"""Masks to cells: coverage, pooling and gathering against slow twins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gapmodel.objectives.regions import coverage, gather_regions, object_of, pool_regions
from tests.gapmodel.objectives.examples import varied_batch, with_objects


def scattered(seed, objects=5):
    """Random instance maps; the same ids mean other objects in the other sample, some ids are no object."""
    rng = np.random.default_rng(seed)
    batch = varied_batch(samples=2, pictures=2)
    instance = torch.from_numpy(rng.integers(0, 6, batch.instance.shape).astype(np.int32))
    keys = [(s, i) for s in range(2) for i in range(1, 9)]
    chosen = rng.permutation(len(keys))[:objects]
    return with_objects(
        replace(batch, instance=instance), *zip(*(keys[k] for k in chosen), strict=True)
    )


@pytest.mark.parametrize("seed", range(4))
def test_coverage_counts_the_pixels_of_each_cell(seed):
    batch = scattered(seed)
    rows, columns, side = 4, 6, 16
    expected = np.zeros((5, 4, rows, columns))
    for o, (sample, instance) in enumerate(
        zip(batch.object_sample.tolist(), batch.object_instance.tolist(), strict=True)
    ):
        for image in range(4):
            if batch.image_sample[image] == sample:
                mask = (batch.instance[image] == instance).numpy()
                for r, c in np.ndindex(rows, columns):
                    block = mask[r * side : (r + 1) * side, c * side : (c + 1) * side]
                    expected[o, image, r, c] = block.sum()
    found = coverage(batch, rows, columns).numpy()
    assert (found == expected).all()
    assert found.any()


def test_object_of_an_instance_in_its_own_sample_only():
    batch = with_objects(scattered(0), [1, 0, 1], [4, 4, 2])
    sample = torch.tensor([0, 1, 1, 0, 1])
    instance = torch.tensor([4, 4, 2, 2, 9])
    assert object_of(batch, sample, instance).tolist() == [1, 0, 2, -1, -1]
    none = with_objects(batch, [], [])
    assert object_of(none, sample, instance).tolist() == [-1] * 5


def test_pooling_is_the_mean_over_pixels():
    batch = scattered(1)
    cells = torch.randn(4, 3, 4, 6)
    pooled, seen = pool_regions(cells, coverage(batch, 4, 6))
    large = cells.repeat_interleave(16, 2).repeat_interleave(16, 3).permute(0, 2, 3, 1)
    for o in range(5):
        mask = (batch.instance == batch.object_instance[o]) & (
            batch.image_sample == batch.object_sample[o]
        )[:, None, None]
        assert seen[o] == mask.any()
        if mask.any():
            assert torch.allclose(pooled[o], large[mask].mean(dim=0), atol=1e-5)
        else:
            assert (pooled[o] == 0).all()
    assert 0 < seen.sum() < 5


def test_gathered_cells_are_those_with_most_of_the_object():
    covered = torch.zeros(2, 1, 2, 3)
    covered[0, 0] = torch.tensor([[0.0, 5.0, 1.0], [7.0, 0.0, 2.0]])
    cells = torch.arange(6.0).view(1, 1, 2, 3)
    found, taken = gather_regions(cells, covered, 3)
    assert found[0, :, 0].tolist() == [3.0, 1.0, 5.0]
    assert taken.tolist() == [[True] * 3, [False] * 3]
    found, taken = gather_regions(cells, covered, 64)
    assert found.shape == (2, 6, 1)
    assert taken[0].sum() == 4
