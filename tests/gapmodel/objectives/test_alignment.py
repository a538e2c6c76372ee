"""Point-image, geometry-language and relation contrast: who is a negative of whom."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from gapdata.errors import ConfigError
from gapmodel.objectives.point_image import (
    LONGEST_WAVE,
    OCTAVES,
    sample_bilinear,
    spread,
    waves,
)
from gapmodel.objectives.relations import Facts
from tests.gapmodel.objectives.examples import head, random_features, train, varied_batch


@pytest.fixture(scope="module")
def batch():
    return varied_batch()


# Points and pictures


def test_bilinear_sampling_is_that_of_grid_sample():
    generator = torch.Generator().manual_seed(0)
    cells = torch.randn(3, 5, 4, 6, generator=generator)
    width, height = 96, 64
    pixel = torch.rand(200, 2, generator=generator) * torch.tensor([width, height]) - 0.5
    image = torch.randint(0, 3, (200,), generator=generator)
    grid = 2 * (pixel + 0.5) / torch.tensor([width, height]) - 1
    expected = torch.stack(
        [
            functional.grid_sample(
                cells[i][None], g[None, None, None], padding_mode="border", align_corners=False
            ).flatten()
            for i, g in zip(image, grid, strict=True)
        ]
    )
    found = sample_bilinear(cells, image, pixel, torch.tensor([96.0, 64.0]))
    assert torch.allclose(found, expected, atol=1e-5)


def test_bilinear_sampling_at_the_centre_of_a_cell_is_the_cell():
    cells = torch.randn(2, 3, 4, 6)
    # The centre of a cell of 16 pixels lies between its 8th and its 9th.
    pixel = torch.tensor([[16 * 2 + 7.5, 16 * 1 + 7.5]])
    found = sample_bilinear(cells, torch.tensor([1]), pixel, torch.tensor([96.0, 64.0]))
    assert torch.allclose(found[0], cells[1, :, 1, 2])


def test_spread_is_even():
    assert spread(5, 9, torch.device("cpu")).tolist() == [0, 1, 2, 3, 4]
    assert spread(10, 4, torch.device("cpu")).tolist() == [0, 2, 5, 7]
    assert spread(0, 4, torch.device("cpu")).tolist() == []


def test_waves_tell_points_apart_at_their_shortest_wavelength():
    shortest = LONGEST_WAVE / 2 ** (OCTAVES - 1)
    origin, half = waves(torch.tensor([[0.0, 0, 0], [shortest / 2, 0, 0]]))
    assert half[3 + OCTAVES - 1].item() == pytest.approx(0.0, abs=1e-4)  # sine of half a turn
    assert (half - origin).abs().max().item() == pytest.approx(2.0, abs=1e-4)  # cosine: 1 to -1


def test_points_closer_than_the_radius_are_no_negatives(batch):
    features = random_features(batch)
    none = head("point_image", radius=1e3)(
        features, replace(batch, point_sample=0 * batch.point_sample)
    )
    assert none.value == 0.0
    assert none.count == 0
    # Points of other scenes are negatives at any distance: each row is left with the other scene's.
    rows = len(batch.seen_point)
    others = head("point_image", radius=1e3)(features, batch)
    assert others.count == rows
    assert head("point_image", radius=1e-3)(features, batch).value > others.value > 0


def test_a_negative_beyond_the_radius_counts(batch):
    """Two points seen once each: a match and a negative, or, closer, two matches without any."""
    pair = replace(
        batch,
        point_first=torch.tensor([[0.0, 0, 2], [0.2, 0, 2]]),
        point_sample=torch.tensor([0, 0]),
        point_instance=batch.point_instance[:2],
        seen_point=torch.tensor([0, 1]),
        seen_image=torch.tensor([0, 0]),
        seen_pixel=torch.tensor([[20.0, 30.0], [70.0, 30.0]]),
    )
    features = random_features(batch)
    assert head("point_image", radius=0.19)(features, pair).count == 2
    assert head("point_image", radius=0.21)(features, pair).count == 0


def test_a_radius_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="point_image: expected a radius above 0"):
        head("point_image", radius=0.0)


def test_points_are_encoded_alike_once_or_for_each_row(batch):
    """48 points and 96 rows: cut to fewer rows than points, each row's point is encoded by itself."""
    some = replace(
        batch,
        seen_point=batch.seen_point[:40],
        seen_image=batch.seen_image[:40],
        seen_pixel=batch.seen_pixel[:40],
    )
    few = replace(
        some,
        point_first=batch.point_first[:24],
        point_sample=batch.point_sample[:24],
        point_instance=batch.point_instance[:24],
    )
    features = random_features(batch)
    by_row = head("point_image")(features, some)  # 40 rows, 48 points
    by_point = head("point_image")(features, few)  # 40 rows, 24 points
    assert by_row.value.item() == pytest.approx(by_point.value.item(), rel=1e-5)


def test_rows_that_are_not_visible_do_not_matter(batch):
    """Features of a picture that no row is seen in have no part in the loss."""
    seen = batch.seen_image != 3
    some = replace(
        batch,
        seen_point=batch.seen_point[seen],
        seen_image=batch.seen_image[seen],
        seen_pixel=batch.seen_pixel[seen],
    )
    features = random_features(batch, grad=True)
    head("point_image")(features, some).value.backward()
    assert (features.views.grad[3] == 0).all()
    assert (features.views.grad[2] != 0).any()


def test_order_of_points_and_rows_does_not_matter(batch):
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(batch.point_sample), generator=generator)
    rows = torch.randperm(len(batch.seen_point), generator=generator)
    changed = replace(
        batch,
        point_sample=batch.point_sample[order],
        point_first=batch.point_first[order],
        seen_point=order.argsort()[batch.seen_point[rows]],
        seen_image=batch.seen_image[rows],
        seen_pixel=batch.seen_pixel[rows],
    )
    objective, features = head("point_image"), random_features(batch)
    value = objective(features, batch).value.item()
    assert objective(features, changed).value.item() == pytest.approx(value, rel=1e-5)


def test_many_rows_are_cut_to_an_even_choice(batch):
    loss = head("point_image", most_rows=20)(random_features(batch), batch)
    assert loss.count == 20


def test_points_learn_from_their_neighbours_in_their_own_scene(batch):
    objective = head("point_image")
    asked = torch.arange(24)  # of the first sample
    device_type = (batch.point_sample, asked, torch.float32)
    before = objective.points(batch.point_first, *device_type)
    moved = batch.point_first.clone()
    moved[24:] = moved[:24] + 0.01  # nearer than any neighbour
    assert torch.equal(objective.points(moved, *device_type), before)
    moved = batch.point_first.clone()
    moved[0] += 0.3
    assert not torch.equal(objective.points(moved, *device_type)[1:], before[1:])


# Geometry and language


def test_same_phrases_are_no_negatives_of_each_other(batch):
    features = random_features(batch)
    same = replace(batch, object_phrase=torch.zeros_like(batch.object_phrase))
    loss = head("geometry_language")(features, same)
    assert loss.value == 0.0
    assert loss.count == 0
    two = head("geometry_language")(features, batch)
    assert two.count == len(batch.object_phrase)
    assert two.value > 0


def test_a_phrase_used_often_is_one_negative(batch):
    """All alike to the head: from an object's side there are two phrases, however often each is used."""
    features = random_features(batch)
    features = replace(features, phrases=features.phrases[:1].expand(4, -1))
    phrase = torch.tensor([0, 1, 1, 1, 1, 1])
    regions_alike = replace(
        features,
        **{name: torch.ones_like(getattr(features, name)) for name in ("views", "visual")},
        levels=tuple(map(torch.ones_like, features.levels)),
    )
    loss = head("geometry_language")(regions_alike, replace(batch, object_phrase=phrase))
    # Forward 1 of 2 for all; backward phrase 0 among 1 + 5 objects, phrase 1 among 1 + 1, five times.
    expected = 0.5 * (math.log(2) + (math.log(6) + 5 * math.log(2)) / 6)
    # Objects are alike but for the parts of tokens that they cover. Counted five times it were 0.88, not 0.78.
    assert loss.value.item() == pytest.approx(expected, rel=0.02)


def test_objects_without_a_phrase_do_not_matter(batch):
    silent = replace(batch, object_phrase=torch.tensor([0, 1, -1, 0, 1, -1]))
    features = random_features(batch)
    loss = head("geometry_language")(features, silent)
    assert loss.count == 4
    none = replace(batch, object_phrase=torch.full((6,), -1), phrase_token=None)
    loss = head("geometry_language")(replace(features, phrases=None), none)
    assert loss.value == 0.0


# Relations

LEFT, RIGHT, ABOVE, BELOW = 0, 1, 2, 3


def related(batch, *relations):
    """(a, b, phrase, inverse)"""
    table = torch.tensor(relations)
    return replace(
        batch,
        relation_objects=table[:, :2],
        relation_phrase=table[:, 2],
        relation_inverse=table[:, 3],
    )


def test_only_what_is_known_to_be_false_is_a_negative(batch):
    facts = Facts.of(related(batch, (0, 1, LEFT, RIGHT), (0, 1, ABOVE, BELOW), (3, 4, RIGHT, LEFT)))
    # Given: 0-1 left, 0-1 above, 3-4 right; turned: 1-0 right, 1-0 below, 4-3 left.
    known = {
        (0, 1): {RIGHT, BELOW},
        (1, 0): {LEFT, ABOVE},
        (3, 4): {LEFT},
        (4, 3): {RIGHT},
    }
    refuted = facts.refuted()
    for f, pair in enumerate(facts.pairs.tolist()):
        for g, phrase in enumerate(facts.phrase.tolist()):
            assert refuted[f, g] == (phrase in known[tuple(pair)]), (pair, phrase)
    assert not refuted.diagonal().any()


def test_every_fact_has_its_inverse_as_a_negative(batch):
    loss = head("relations")(random_features(batch), related(batch, (0, 1, LEFT, RIGHT)))
    assert loss.count == 2


def test_phrases_that_no_relation_of_the_batch_uses_get_no_gradient(batch):
    features = random_features(batch, grad=True)
    told = related(batch, (0, 1, LEFT, RIGHT), (3, 4, LEFT, RIGHT))
    head("relations")(features, told).value.backward()
    used = features.phrases.grad.abs().sum(dim=1) > 0
    assert used.tolist() == [True, True, False, False]


def test_stating_a_relation_from_the_other_side_changes_nothing(batch):
    objective, features = head("relations"), random_features(batch)
    one = objective(features, related(batch, (0, 1, LEFT, RIGHT), (3, 5, ABOVE, BELOW)))
    other = objective(features, related(batch, (1, 0, RIGHT, LEFT), (3, 5, ABOVE, BELOW)))
    assert other.value.item() == pytest.approx(one.value.item(), rel=1e-6)


def test_saying_a_relation_twice_changes_nothing_but_its_weight(batch):
    objective, features = head("relations"), random_features(batch)
    once = objective(features, related(batch, (0, 1, LEFT, RIGHT)))
    twice = objective(features, related(batch, (0, 1, LEFT, RIGHT), (0, 1, LEFT, RIGHT)))
    assert twice.value.item() == pytest.approx(once.value.item(), rel=1e-6)
    assert (once.count, twice.count) == (2, 4)


def test_learned_relations_turn_over_with_their_phrases(batch):
    objective, features = head("relations"), random_features(batch)
    told = related(batch, (0, 1, LEFT, RIGHT), (3, 4, RIGHT, LEFT), (1, 2, ABOVE, BELOW))
    train(objective, features, told, steps=40)
    loss = objective(features, told)
    assert loss.metrics["pair_to_phrase"] == loss.metrics["phrase_to_pair"] == 1.0
    false = related(batch, (0, 1, RIGHT, LEFT), (3, 4, LEFT, RIGHT), (1, 2, BELOW, ABOVE))
    assert objective(features, false).metrics["pair_to_phrase"] == 0.0
    assert objective(features, false).value > 10 * loss.value


def test_relations_of_a_hidden_object_do_not_matter(batch):
    hidden = replace(batch, instance=torch.where(batch.instance == 3, 0, batch.instance))
    loss = head("relations")(
        random_features(batch), related(hidden, (0, 1, LEFT, RIGHT), (0, 2, ABOVE, BELOW))
    )
    assert loss.count == 2
