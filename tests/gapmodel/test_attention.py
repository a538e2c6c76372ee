from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gapmodel.attention import block_mask, dense_mask
from gapmodel.pretraining import PretrainingModel
from tests.gapmodel.batches import example_batch, example_model


@st.composite
def rows(draw) -> tuple[torch.Tensor, torch.Tensor]:
    """Group and branch ids as packing lays them out: prefix, branches, next group, padding."""
    groups: list[int] = []
    branches: list[int] = []
    for group in range(draw(st.integers(1, 3))):
        for branch in range(draw(st.integers(1, 3))):
            length = draw(st.integers(1, 4))
            groups += [group] * length
            branches += [branch] * length
    padding = draw(st.integers(0, 3))
    return (
        torch.tensor(groups + [-1] * padding, dtype=torch.int32),
        torch.tensor(branches + [0] * padding, dtype=torch.int32),
    )


def slow_mask(groups: torch.Tensor, branches: torch.Tensor) -> torch.Tensor:
    """What each token may read, put together from the text that a reader of its question would have."""
    length = len(groups)
    mask = torch.zeros(length, length, dtype=torch.bool)
    for query in range(length):
        if groups[query] < 0:
            mask[query, query] = True
            continue
        read = [
            key
            for key in range(query + 1)
            if groups[key] == groups[query] and branches[key] in (0, branches[query])
        ]
        mask[query, read] = True
    return mask


@given(rows())
@settings(max_examples=60, deadline=None)
def test_the_mask_is_what_a_reader_of_one_question_sees(row):
    assert torch.equal(dense_mask(*row)[0, 0], slow_mask(*row))


@given(rows())
@settings(max_examples=10, deadline=None)
def test_flex_attention_gets_the_same_rule(row):
    groups, branches = row
    length = len(groups)
    places = torch.arange(length)
    mask = block_mask(groups, branches)
    rule = mask.mask_mod(torch.tensor(0), torch.tensor(0), places[:, None], places[None])
    assert torch.equal(rule, slow_mask(groups, branches))


def test_exactly_the_blocks_with_something_to_read_are_computed():
    groups = torch.arange(4, dtype=torch.int32).repeat_interleave(192)
    branches = torch.tensor([0, 1, 2], dtype=torch.int32).repeat_interleave(64).repeat(4)
    blocks = block_mask(groups, branches).to_dense()[0, 0].bool()
    side = 128
    needed = dense_mask(groups, branches)[0, 0].unflatten(0, (-1, side)).unflatten(2, (-1, side))
    assert torch.equal(blocks, needed.any(3).any(1))
    assert not blocks.all()


def test_padding_changes_nothing_and_is_never_nan():
    model = PretrainingModel(example_model())
    short, long = example_batch(pad_to=1), example_batch(pad_to=64)
    assert len(long.input_ids) > len(short.input_ids)
    a, b = (model.features(batch) for batch in (short, long))
    torch.testing.assert_close(a.answers, b.answers, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(a.views, b.views, atol=1e-5, rtol=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="flex_attention is slow on the host")
def test_flex_attention_equals_the_dense_mask():
    model = PretrainingModel(example_model()).cuda()
    batch = example_batch(pad_to=128).to("cuda")
    dense = model.features(batch).answers
    model.model.set_attn_implementation({"text_config": "flex_attention"})
    torch.testing.assert_close(model.features(batch).answers, dense, atol=1e-3, rtol=1e-3)
