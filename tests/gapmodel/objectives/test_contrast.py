"""InfoNCE against a slow twin and analytic values, the temperature's bounds, phrases by row."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from gapmodel.objectives.contrast import (
    COLDEST,
    WARMEST,
    Temperature,
    first_of_kind,
    info_nce,
    phrase_features,
    similarities,
)


def all_pairs(count):
    return torch.ones(count, count, dtype=torch.bool)


def everyone(count):
    return torch.ones(count, dtype=torch.bool)


def slow_info_nce(logits, forward, backward, valid):
    total, count, wins = 0.0, 0, [0, 0]
    tried = [0, 0]
    for i in range(len(logits)):
        sides = (
            [logits[i, j] for j in range(len(logits)) if j != i and forward[i, j] and valid[j]],
            [logits[j, i] for j in range(len(logits)) if j != i and backward[j, i] and valid[j]],
        )
        if not valid[i] or not (sides[0] or sides[1]):
            continue
        count += 1
        for side, others in enumerate(sides):
            everything = [logits[i, i], *others]
            total += 0.5 * (math.log(sum(map(math.exp, everything))) - logits[i, i])
            if others:
                tried[side] += 1
                wins[side] += logits[i, i] > max(others)
    return total / max(count, 1), count, wins[0] / max(tried[0], 1), wins[1] / max(tried[1], 1)


@pytest.mark.parametrize("seed", range(8))
def test_info_nce_is_that_of_the_slow_twin(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 9))
    logits = (rng.normal(size=(count, count)) * 3).astype(np.float32)
    forward, backward = rng.random((2, count, count)) < 0.5
    valid = rng.random(count) < 0.8
    found = info_nce(*map(torch.from_numpy, (logits, forward, backward, valid)))
    loss, counted, forward_right, backward_right = slow_info_nce(logits, forward, backward, valid)
    assert found.loss.item() == pytest.approx(loss, rel=1e-5, abs=1e-6)
    assert found.count == counted
    assert found.forward_accuracy.item() == pytest.approx(forward_right)
    assert found.backward_accuracy.item() == pytest.approx(backward_right)


def test_with_all_negatives_it_is_cross_entropy_of_both_sides():
    logits = torch.randn(7, 7, generator=torch.Generator().manual_seed(0))
    target = torch.arange(7)
    expected = functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)
    found = info_nce(logits, all_pairs(7), all_pairs(7), everyone(7))
    assert found.loss.item() == pytest.approx(expected.item() / 2, rel=1e-6)


def test_equal_logits_cost_the_logarithm_of_the_choices_and_clear_ones_nothing():
    found = info_nce(torch.zeros(5, 5), all_pairs(5), all_pairs(5), everyone(5))
    assert found.loss.item() == pytest.approx(math.log(5), rel=1e-6)
    assert found.forward_accuracy == 0.0  # a tie is no win
    clear = info_nce(100 * torch.eye(5), all_pairs(5), all_pairs(5), everyone(5))
    assert clear.loss.item() == pytest.approx(0.0, abs=1e-6)
    assert clear.forward_accuracy == clear.backward_accuracy == 1.0


def test_what_is_no_negative_gets_no_gradient():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 6, generator=generator, requires_grad=True)
    negative = torch.rand(6, 6, generator=generator) < 0.5
    valid = torch.tensor([True, True, False, True, True, True])
    info_nce(logits, negative, negative, valid).loss.backward()
    live = negative | torch.eye(6, dtype=torch.bool)
    live[2], live[:, 2] = False, False
    assert (logits.grad[~live] == 0).all()
    assert (logits.grad[live] != 0).all()


@pytest.mark.parametrize("count", [0, 1, 4])
def test_pairs_without_negatives_cost_nothing(count):
    logits = torch.randn(count, count, requires_grad=True)
    found = info_nce(logits, ~all_pairs(count), ~all_pairs(count), everyone(count))
    assert found.loss == 0.0
    assert found.count == 0
    found.loss.backward()
    assert (logits.grad == 0).all()


def test_the_first_valid_one_of_each_kind():
    kind = torch.tensor([9, 3, 5, 3, 3, 5, 7])
    valid = torch.tensor([False, False, True, True, True, True, False])
    assert first_of_kind(kind, valid).nonzero().flatten().tolist() == [2, 3]
    assert first_of_kind(kind[:0], valid[:0]).tolist() == []


def test_temperature_starts_at_007_and_stays_in_its_bounds():
    temperature = Temperature()
    assert 1 / temperature().item() == pytest.approx(0.07, rel=1e-5)
    for raw, bound in ((1e3, COLDEST), (-1e3, WARMEST)):
        with torch.no_grad():
            temperature.raw.fill_(raw)
        assert 1 / temperature().item() == pytest.approx(bound, rel=1e-4)


def test_temperature_learns_towards_what_the_data_ask_for():
    same = torch.eye(4)
    for similarity, colder in ((same, True), (1 - same, False)):
        temperature = Temperature()
        everything = (all_pairs(4), all_pairs(4), everyone(4))
        info_nce(temperature() * similarity, *everything).loss.backward()
        assert (temperature.raw.grad.item() < 0) == colder
        with torch.no_grad():  # near a bound it can still leave
            temperature.raw.fill_(4.0)
        temperature.raw.grad = None
        info_nce(temperature() * (1 - same), *everything).loss.backward()
        assert temperature.raw.grad.item() > 0


def test_similarities_are_cosines_in_float32_under_autocast():
    a, b = torch.randn(3, 16), torch.randn(5, 16)
    expected = 2 * functional.cosine_similarity(a[:, None], b[None], dim=-1)
    with torch.autocast("cpu", torch.bfloat16):
        found = similarities(a, b, torch.tensor([2.0]))
    assert found.dtype == torch.float32
    assert torch.allclose(found, expected, atol=1e-6)
    assert torch.allclose(similarities(7 * a, 0.1 * b, torch.tensor([2.0])), found, atol=1e-6)


def test_phrase_features_by_row():
    phrases, like = torch.randn(3, 4), torch.zeros(2, 2, 4)
    rows = torch.tensor([2, -1, 0])
    expected = torch.stack([phrases[2], torch.zeros(4), phrases[0]])
    assert torch.equal(phrase_features(phrases, rows, like), expected)
    assert torch.equal(phrase_features(None, torch.tensor([-1]), like), torch.zeros(1, 4))
