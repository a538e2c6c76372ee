from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from gapdata.errors import ConfigError
from gapmodel.features import Features
from gapmodel.geometry.grids import resample
from gapmodel.objectives import objective_class
from gapmodel.objectives.distillation import Distillation, align
from tests.gapmodel.batches import example_batch

WIDTH, LEVELS, CHANNELS = 24, 2, 20


def objective(**settings: Any) -> Distillation:
    torch.manual_seed(0)
    built = objective_class("distillation")(
        hidden_size=WIDTH,
        levels=LEVELS,
        **{"teacher_levels": 4, "teacher_width": CHANNELS, "hidden": 16, **settings},
    )
    assert isinstance(built, Distillation)
    return built


def features(seed: int = 0, pictures: int = 4) -> Features:
    generator = torch.Generator().manual_seed(seed)

    def draw() -> Tensor:
        return torch.randn(pictures, 2, 3, WIDTH, generator=generator).requires_grad_()

    return Features(
        views=draw(),
        visual=draw(),
        levels=(draw(), draw()),
        phrases=None,
        answers=torch.zeros(0, WIDTH),
        logits=lambda x: x,
    )


def teacher(seed: int = 1, grid: tuple[int, int] = (4, 6)) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(4, 4, *grid, CHANNELS, generator=generator)


def batch(target: Tensor | None) -> Any:
    return replace(example_batch(), teacher=target)


def standardised(x: Tensor) -> Tensor:
    return (x - x.mean(-1, keepdim=True)) / x.var(-1, unbiased=False, keepdim=True).sqrt()


def test_a_student_that_is_the_standardised_teacher_costs_nothing() -> None:
    target = torch.randn(2, 3, 4, 16)
    loss, cosine, count = align(standardised(target), target)
    assert float(loss) == pytest.approx(0, abs=1e-4)
    assert float(cosine) == pytest.approx(1, abs=1e-5)
    assert int(count) == 2 * 3 * 4


def test_scale_and_offset_of_a_teachers_token_do_not_matter() -> None:
    student, target = torch.randn(2, 3, 4, 16), torch.randn(2, 3, 4, 16)
    loss = align(student, target)[0]
    other = align(student, target * (0.5 + 4 * torch.rand(2, 3, 4, 1)) + torch.randn(2, 3, 4, 1))[0]
    assert torch.allclose(loss, other, atol=1e-4)


def test_a_reversed_student_costs_what_the_formula_says() -> None:
    target = standardised(torch.randn(1, 2, 2, 16, generator=torch.Generator().manual_seed(0)))
    loss, cosine, _ = align(-target, target)
    distance = (2 * target).abs()
    smooth = torch.where(distance < 1, distance.square() / 2, distance - 0.5).mean()
    assert float(cosine) == pytest.approx(-1, abs=1e-4)
    assert float(loss) == pytest.approx(0.9 * 2 + 0.1 * float(smooth), abs=1e-3)


def test_other_grids_give_what_the_resampled_teacher_gives() -> None:
    student, fine = torch.randn(2, 2, 3, 16), torch.randn(2, 5, 7, 16)
    assert torch.allclose(align(student, fine)[0], align(student, resample(fine, (2, 3)))[0])
    # Blocks of equal tokens: the average over a block is the token.
    coarse = torch.randn(2, 2, 3, 16)
    blocks = coarse.repeat_interleave(3, dim=1).repeat_interleave(3, dim=2)
    middle = resample(blocks, (6, 9))
    assert torch.allclose(align(standardised(middle), blocks)[0], torch.zeros(()), atol=1e-4)


def test_tokens_without_a_teacher_are_not_supervised() -> None:
    student = torch.randn(2, 2, 3, 16).requires_grad_()
    target = torch.randn(2, 2, 3, 16)
    target[0, 1, 2] = 0
    target[1] = 0
    loss, _, count = align(student, target)
    assert int(count) == 5
    rows = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    alone = torch.stack(
        [
            align(student[:1, r : r + 1, c : c + 1], target[:1, r : r + 1, c : c + 1])[0]
            for r, c in rows
        ]
    )
    assert torch.allclose(loss, alone.mean(), atol=1e-5)
    loss.backward()
    assert student.grad is not None
    assert student.grad[0, 0].any()
    assert not student.grad[0, 1, 2].any()
    assert not student.grad[1].any()


def test_a_token_that_mixes_known_and_unknown_ones_is_not_supervised() -> None:
    target = torch.randn(1, 4, 4, 16)
    target[0, 0, 0] = 0
    assert int(align(torch.randn(1, 2, 2, 16), target)[2]) < 4


def test_each_level_has_its_teacher_level() -> None:
    module = objective()
    assert module.teacher_level == (0, 2, 3)
    target, inputs = teacher(), features()
    base = module(inputs, batch(target)).metrics
    assert set(base) == {"cosine_level0", "cosine_level1", "cosine_visual"}
    for level, changed in (
        (0, {"cosine_level0"}),
        (1, set()),
        (2, {"cosine_level1"}),
        (3, {"cosine_visual"}),
    ):
        other = target.clone()
        other[:, level] = torch.randn(other[:, level].shape)
        found = module(inputs, batch(other)).metrics
        assert {name for name in base if not torch.equal(base[name], found[name])} == changed


def test_gradient_reaches_the_visual_tokens_of_every_level_and_nothing_else() -> None:
    module, inputs, target = objective(), features(), teacher().requires_grad_()
    loss = module(inputs, batch(target.detach()))
    loss.value.backward()
    assert int(loss.count) == 3 * 4 * 6
    assert all(
        grid.grad is not None and grid.grad.any() for grid in (inputs.visual, *inputs.levels)
    )
    assert inputs.views.grad is None
    assert all(p.grad is not None and p.grad.any() for p in module.parameters())
    assert not any(value.requires_grad for value in loss.metrics.values())


def test_loss_falls_on_matched_data_and_not_on_shuffled_tokens() -> None:
    inputs = features()
    mixing = torch.randn(WIDTH, CHANNELS, generator=torch.Generator().manual_seed(3))
    grids = (inputs.levels[0], inputs.levels[0], inputs.levels[1], inputs.visual)
    matched = torch.stack([functional.gelu(grid.detach() @ mixing) for grid in grids], dim=1)
    held_out_rows = 3

    def error_after_training(target: Tensor) -> float:
        module = objective(hidden=64)
        optimiser = torch.optim.Adam(module.parameters(), lr=1e-2)
        example = batch(target)
        train = replace(example, teacher=target.clone())
        train.teacher[held_out_rows] = 0
        for _ in range(60):
            optimiser.zero_grad()
            module(inputs, train).value.backward()
            optimiser.step()
        test = replace(example, teacher=target.clone())
        test.teacher[:held_out_rows] = 0
        with torch.no_grad():
            return float(module(inputs, test).value)

    order = torch.randperm(6, generator=torch.Generator().manual_seed(5))
    shuffled = matched.flatten(2, 3)[:, :, order].unflatten(2, (2, 3))
    shuffled[held_out_rows] = matched[held_out_rows]
    with torch.no_grad():
        untrained = float(objective(hidden=64)(inputs, batch(matched)).value)
    learned = error_after_training(matched)
    assert learned < 0.85 * untrained
    assert learned < 0.9 * error_after_training(shuffled)


def test_a_batch_without_supervised_tokens_costs_nothing_but_reaches_all_parameters() -> None:
    module, inputs = objective(), features()
    loss = module(inputs, batch(torch.zeros(4, 4, 4, 6, CHANNELS)))
    assert loss.value.item() == 0
    assert int(loss.count) == 0
    loss.value.backward()
    assert all(p.grad is not None and not p.grad.any() for p in module.parameters())


def test_what_it_needs_is_declared_and_missed_clearly() -> None:
    assert Distillation.needs == {"teacher"}
    with pytest.raises(ConfigError, match="objective distillation: the batch brings no teacher"):
        objective()(features(), batch(None))
    with pytest.raises(
        ConfigError, match=r"expected a teacher of \(4, 20\) levels and channels, found \(3, 20\)"
    ):
        objective()(features(), batch(teacher()[:, :3]))
