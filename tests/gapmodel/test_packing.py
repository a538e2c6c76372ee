from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gapdata.errors import ConfigError
from gapmodel import attention, pretraining
from gapmodel.data.batch import Batch
from gapmodel.data.packing import IGNORED, SampleTokens, first_fit, pack, phrase_rows
from gapmodel.pretraining import PretrainingModel
from tests.gapmodel.batches import (
    IMAGE_TOKEN,
    PAD,
    example_batch,
    example_model,
    example_samples,
)

GRID = (2, 3)


def packed(samples: list[SampleTokens], **settings) -> dict:
    return pack(samples, grid=GRID, image_token_id=IMAGE_TOKEN, pad_token_id=PAD, **settings)


def questions_apart(sample: SampleTokens) -> list[SampleTokens]:
    """Each question of a sample as a sample of its own that shows the pictures in the question's order."""
    return [
        replace(
            sample,
            num_pictures=len(group.pictures),
            groups=(
                replace(group, pictures=tuple(range(len(group.pictures))), branches=(branch,)),
            ),
            phrases=(),
        )
        for group in sample.groups
        for branch in group.branches
    ]


def orders(sample: SampleTokens) -> list[tuple[int, ...]]:
    return [group.pictures for group in sample.groups for _ in group.branches]


# --- rows ---


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(50, 120))
def test_every_sample_is_in_one_row_and_no_row_is_too_long(lengths, budget):
    rows = first_fit(lengths, budget)
    assert sorted(i for row in rows for i in row) == list(range(len(lengths)))
    assert all(sum(lengths[i] for i in row) <= budget for row in rows)
    assert rows == first_fit(lengths, budget)


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(50, 120))
def test_each_sample_is_in_the_first_row_that_had_room(lengths, budget):
    rows = first_fit(lengths, budget)
    row_of = {i: number for number, row in enumerate(rows) for i in row}
    for i, length in enumerate(lengths):
        before = [sum(lengths[j] for j in row if j < i) for row in rows]
        assert row_of[i] == next(n for n, used in enumerate(before) if used + length <= budget)


def test_a_sample_longer_than_the_budget_is_named():
    with pytest.raises(ConfigError, match="sample room-7: 90 tokens do not fit into a row of 80"):
        first_fit([10, 90], 80, ["room-6", "room-7"])
    samples = example_samples(np.random.default_rng(0))
    longest = max(samples, key=lambda sample: sample.length)
    with pytest.raises(ConfigError, match=f"sample {longest.key}: .* row of 40"):
        packed(samples, budget=40)


def test_a_sample_is_as_long_as_it_says():
    for phrases in (0, 3):
        samples = example_samples(np.random.default_rng(1), samples=1, phrases=phrases)
        fields = packed(samples)
        assert len(fields["input_ids"]) == samples[0].length
        assert len(packed(samples, budget=samples[0].length)["labels"]) == samples[0].length


def test_rows_are_padded_to_a_multiple():
    samples = example_samples(np.random.default_rng(1))
    bare, long = packed(samples), packed(samples, pad_to=64)
    length = len(bare["input_ids"])
    assert len(long["input_ids"]) % 64 == 0
    assert 0 < len(long["input_ids"]) - length < 64
    assert torch.equal(long["input_ids"][:length], bare["input_ids"])
    assert (long["input_ids"][length:] == PAD).all()
    assert (long["group_ids"][length:] == -1).all()
    assert (long["labels"][length:] == IGNORED).all()


# --- what a row says ---


def test_branches_are_the_questions_with_their_answers_supervised():
    samples = example_samples(np.random.default_rng(2), samples=3)
    fields = packed(samples)
    expected = [(s.key, b) for s in samples for group in s.groups for b in group.branches]
    assert len(fields["branches"]) == len(expected) == 3 * 4
    supervised = torch.zeros(len(fields["labels"]), dtype=torch.bool)
    for branch, (key, tokens) in zip(fields["branches"], expected, strict=True):
        part = slice(branch.start, branch.end)
        assert (branch.key, branch.qa) == (key, tokens.qa)
        assert fields["input_ids"][part].tolist() == tokens.ids.tolist()
        assert fields["labels"][part].tolist() == (
            [IGNORED] * tokens.answer_start + tokens.ids[tokens.answer_start :].tolist()
        )
        supervised[branch.start + tokens.answer_start : branch.end] = True
        assert len(fields["branch_ids"][part].unique()) == 1
        assert fields["branch_ids"][branch.start] > 0
    assert torch.equal(fields["labels"] != IGNORED, supervised)


def test_blocks_are_where_their_pictures_stand():
    fields = packed(example_samples(np.random.default_rng(3), samples=2, pictures=3))
    size = GRID[0] * GRID[1]
    assert fields["block_image"].tolist() == [0, 1, 2, 2, 1, 0, 3, 4, 5, 5, 4, 3]
    assert fields["image_sample"].tolist() == [0, 0, 0, 1, 1, 1]
    places = fields["block_start"][:, None] + torch.arange(size)
    is_image = torch.zeros(len(fields["input_ids"]), dtype=torch.bool)
    is_image[places.flatten()] = True
    assert torch.equal(fields["input_ids"] == IMAGE_TOKEN, is_image)
    # The scene group is the sample's first, which shows every picture.
    assert fields["scene_block"].tolist() == [0, 1, 2, 6, 7, 8]


def test_equal_phrases_are_one_group():
    samples = example_samples(np.random.default_rng(4), samples=2, phrases=3)
    other = replace(samples[1], phrases=(samples[1].phrases[2], (20, 21, 22, 23)))
    fields = packed([samples[0], other])
    assert [rows.tolist() for rows in phrase_rows([samples[0], other])] == [[0, 1, 2], [2, 3]]
    phrases = [*samples[0].phrases, (20, 21, 22, 23)]
    assert len(fields["phrase_token"]) == len(phrases)
    for phrase, last in zip(phrases, fields["phrase_token"].tolist(), strict=True):
        part = slice(last + 1 - len(phrase), last + 1)
        assert fields["input_ids"][part].tolist() == list(phrase)
        assert fields["position_ids"][:, part].tolist() == [list(range(len(phrase)))] * 3
        group = fields["group_ids"][last]
        assert (fields["group_ids"] == group).sum() == len(phrase)


def test_positions_are_those_of_transformers():
    """Of each question alone, with pictures before it, in any grid."""
    model = example_model().model
    for grid in ((2, 3), (3, 2), (1, 1)):
        samples = example_samples(np.random.default_rng(5), samples=2, pictures=3, grid=grid)
        fields = pack(samples, grid=grid, image_token_id=IMAGE_TOKEN, pad_token_id=PAD)
        merge = model.config.vision_config.spatial_merge_size
        for branch in fields["branches"]:
            group = fields["group_ids"] == fields["group_ids"][branch.start]
            seen = group & (fields["branch_ids"] == 0)
            seen[branch.start : branch.end] = True
            ids = fields["input_ids"][seen][None]
            expected, _ = model.get_rope_index(
                ids,
                mm_token_type_ids=(ids == IMAGE_TOKEN).int(),
                image_grid_thw=torch.tensor([[1, grid[0] * merge, grid[1] * merge]] * 3),
            )
            assert torch.equal(fields["position_ids"][:, seen], expected[:, 0])


# --- packed equals separate ---


def batch_of(samples: list[SampleTokens], like: Batch, pictures: list[int]) -> Batch:
    """A batch of these samples that shows some pictures of another batch."""
    images = like.images[pictures]
    count = len(pictures)
    return Batch(
        **packed(samples),
        images=images,
        K=like.K[pictures],
        cam2first=torch.eye(4).expand(count, 4, 4),
    )


def loss_and_gradients(model: PretrainingModel, batches: list[Batch]) -> tuple[float, dict]:
    """Mean loss over all supervised tokens of some batches, and the gradient of each parameter."""
    model.zero_grad()
    total = sum(int((batch.labels >= 0).sum()) for batch in batches)
    value = 0.0
    for batch in batches:
        loss = model(batch, {"answers": 1.0})["answers"]
        part = loss.value * loss.count / total
        part.backward()
        value += float(part.detach())
    return value, {
        name: parameter.grad.clone()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }


def both_ways(model: PretrainingModel) -> tuple[tuple[float, dict], tuple[float, dict]]:
    """A row of 2 samples with 4 questions each, and its 8 questions one by one."""
    rng = np.random.default_rng(6)
    samples = example_samples(rng, samples=2, pictures=2, questions=3)
    like = example_batch(6, samples=2, pictures=2)
    together = [batch_of(samples, like, list(range(4)))]
    apart = [
        batch_of([alone], like, [2 * number + picture for picture in order])
        for number, sample in enumerate(samples)
        for alone, order in zip(questions_apart(sample), orders(sample), strict=True)
    ]
    assert len(apart) == 8
    return loss_and_gradients(model, together), loss_and_gradients(model, apart)


def largest_difference(a: dict, b: dict) -> float:
    assert a.keys() == b.keys()
    return max(float((a[name] - b[name]).abs().max()) for name in a)


def test_packed_equals_separate():
    model = PretrainingModel(example_model())
    (loss, gradients), (expected, expected_gradients) = both_ways(model)
    assert loss == pytest.approx(expected, abs=1e-5)
    assert len(gradients) > 80
    assert all(bool((gradient != 0).any()) for gradient in gradients.values())
    assert largest_difference(gradients, expected_gradients) < 1e-5


LEAKS = {
    "all that came before": lambda group_ids, branch_ids: attention.dense_mask(
        torch.zeros_like(group_ids), torch.zeros_like(branch_ids)
    ),
    "other questions": lambda group_ids, branch_ids: attention.dense_mask(
        group_ids, torch.zeros_like(branch_ids)
    ),
    "other samples": lambda group_ids, branch_ids: attention.dense_mask(
        torch.zeros_like(group_ids), branch_ids
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_shows(leak, monkeypatch):
    """The comparison above can fail: seeing more than one's own question changes loss and gradients."""
    monkeypatch.setattr(
        pretraining, "packed_mask", lambda groups, branches, _: LEAKS[leak](groups, branches)
    )
    (loss, gradients), (expected, expected_gradients) = both_ways(PretrainingModel(example_model()))
    assert abs(loss - expected) > 1e-3
    assert largest_difference(gradients, expected_gradients) > 1e-3


def test_a_mask_from_transformers_leaks():
    """Without a mask of its own a packed row reads across its groups: why the mask is always passed."""
    model = example_model()
    samples = example_samples(np.random.default_rng(6), samples=2, pictures=0, questions=1)
    row, alone = packed(samples), packed(samples[1:])
    length = len(alone["input_ids"])

    def hidden(fields: dict, mask: torch.Tensor | None) -> torch.Tensor:
        output = model.model(
            input_ids=fields["input_ids"][None],
            position_ids=fields["position_ids"][:, None],
            attention_mask=mask,
            use_cache=False,
        )
        return output.last_hidden_state[0, -length:]

    own = hidden(row, attention.dense_mask(row["group_ids"], row["branch_ids"]))
    expected = hidden(alone, attention.dense_mask(alone["group_ids"], alone["branch_ids"]))
    torch.testing.assert_close(own, expected, atol=1e-5, rtol=1e-5)
    assert (hidden(row, None) - expected).abs().max() > 1e-2


def test_packed_equals_separate_with_geometry():
    """Of the same sample with the same pictures, one question at a time."""
    model = PretrainingModel(
        example_model(geometry={"kind": "depth_normal"}, fusion={"across_pictures": True})
    )
    open_gates(model)
    batch = example_batch(7, samples=1, pictures=2, phrases=0, pad_to=1)
    sample = example_samples(np.random.default_rng(8), samples=1, pictures=2)[0]
    together = replace(batch, **packed([sample]))
    apart = [
        replace(batch, **packed([replace(sample, groups=(scene, *others))]))
        for scene, others in one_question_at_a_time(sample)
    ]
    loss, gradients = loss_and_gradients(model, [together])
    expected, expected_gradients = loss_and_gradients(model, apart)
    assert loss == pytest.approx(expected, abs=1e-5)
    assert any(name.startswith("model.geometry_encoder") for name in gradients)
    assert largest_difference(gradients, expected_gradients) < 1e-5
    # Geometry is used: without it the loss is another.
    blind = replace(together, geometry_given=torch.zeros(2, dtype=torch.bool))
    assert abs(loss_and_gradients(model, [blind])[0] - loss) > 1e-4


def one_question_at_a_time(sample: SampleTokens):
    for group in sample.groups:
        for branch in group.branches:
            alone = replace(group, branches=(branch,))
            if group is sample.groups[0]:
                yield alone, ()
            else:
                yield replace(sample.groups[0], branches=()), (alone,)


def open_gates(model: PretrainingModel) -> None:
    """Make the fusion add something: at the start it adds nothing."""
    torch.manual_seed(1)
    for level in model.model.fusion.levels:
        torch.nn.init.normal_(level.out.weight, std=0.1)


def test_two_groups_share_one_encoding_of_a_picture():
    """However many groups show a picture, the vision tower sees it once."""
    model = PretrainingModel(example_model())
    batch = example_batch(samples=1, pictures=2)
    assert len(batch.block_image) == 4
    seen = []
    hook = model.model.model.visual.register_forward_hook(
        lambda _module, _args, output: seen.append(output.pooler_output.shape[0])
    )
    model.features(batch)
    hook.remove()
    assert seen == [2 * 6]
