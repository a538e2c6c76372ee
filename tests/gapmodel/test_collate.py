from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from gapdata.errors import ConfigError
from gapmodel.data.batch import Batch
from gapmodel.data.collate import collate
from gapmodel.data.example import Example, Question
from gapmodel.data.prompt import Prompt
from gapmodel.tokenizer import train_tokenizer

PHRASES = ("a red chair", "a large table", "left of", "right of")


@pytest.fixture(scope="module")
def prompt() -> Prompt:
    return Prompt(train_tokenizer(["How far? 2 m", *PHRASES] * 2, 330), (2, 3))


def example(
    seed: int,
    pictures: int = 2,
    phrases: tuple[str, ...] = PHRASES,
    size: tuple[int, int] = (64, 96),
) -> Example:
    """A sample with every layer, all values different from those of other seeds."""
    rng = np.random.default_rng(seed)

    def reals(*shape: int) -> np.ndarray:
        return rng.random(shape, np.float32)

    points, objects, seen = 5 + seed, 3, 7
    return Example(
        key=f"room-{seed}",
        questions=(
            Question(
                qa="q0",
                task="distance",
                format="number",
                views=tuple(range(pictures)),
                text="How far?",
                answer="2 m",
            ),
        ),
        phrases=phrases,
        images=rng.integers(0, 256, (pictures, *size, 3)).astype(np.uint8),
        K=reals(pictures, 3, 3),
        cam2first=reals(pictures, 4, 4),
        input_depth=reals(pictures, *size),
        input_normal=reals(pictures, *size, 3),
        geometry_given=rng.random(pictures) < 0.5,
        depth=reals(pictures, *size),
        normal=reals(pictures, *size, 3),
        instance=rng.integers(0, 9, (pictures, *size)).astype(np.int32),
        teacher=reals(pictures, 2, 2, 3, 4),
        point_first=reals(points, 3),
        point_instance=rng.integers(0, 9, points).astype(np.int32),
        seen_point=rng.integers(0, points, seen),
        seen_image=rng.integers(0, pictures, seen),
        seen_pixel=reals(seen, 2),
        object_instance=rng.integers(1, 9, objects).astype(np.int32),
        object_box_first=reals(objects, 15),
        object_phrase=np.array([0, -1, 1]),
        relation_objects=rng.integers(0, objects, (4, 2)),
        relation_phrase=np.array([2, 3, 2, 3]),
        relation_inverse=np.array([3, 2, 3, 2]),
    )


def slow(examples: list[Example]) -> dict[str, list]:
    """What rows of the batch have to mean, followed one reference at a time."""
    meaning: dict[str, list] = {"seen": [], "relations": [], "objects": [], "points": []}
    for e in examples:
        assert e.seen_point is not None
        assert e.relation_objects is not None
        for point, image, pixel in zip(e.seen_point, e.seen_image, e.seen_pixel, strict=True):
            meaning["seen"].append((e.point_first[point].tolist(), e.images[image].tobytes(), pixel.tolist()))  # fmt: skip
        for pair, phrase, inverse in zip(e.relation_objects, e.relation_phrase, e.relation_inverse, strict=True):  # fmt: skip
            boxes = [e.object_box_first[o].tolist() for o in pair]
            meaning["relations"].append((boxes, e.phrases[phrase], e.phrases[inverse]))
        for box, phrase in zip(e.object_box_first, e.object_phrase, strict=True):
            words = e.phrases[phrase] if phrase >= 0 else None
            meaning["objects"].append((e.key, box.tolist(), words))
        meaning["points"] += [(e.key, point.tolist()) for point in e.point_first]
    return meaning


def test_references_keep_their_meaning(prompt):
    examples = [
        example(0),
        example(1, pictures=3, phrases=("right of", "a red chair", "left of", "new words")),
        example(2),
    ]
    batch = collate(examples, prompt)
    expected = slow(examples)

    def words(row: int) -> str | None:
        if row < 0:
            return None
        last = int(batch.phrase_token[row])
        group = batch.group_ids == batch.group_ids[last]
        return prompt.tokenizer.decode(batch.input_ids[group])

    seen = zip(batch.seen_point, batch.seen_image, batch.seen_pixel, strict=True)
    assert expected["seen"] == [
        (batch.point_first[p].tolist(), batch.images[i].numpy().tobytes(), pixel.tolist())
        for p, i, pixel in seen
    ]
    relations = zip(
        batch.relation_objects, batch.relation_phrase, batch.relation_inverse, strict=True
    )
    assert expected["relations"] == [
        ([batch.object_box_first[o].tolist() for o in pair], words(int(a)), words(int(b)))
        for pair, a, b in relations
    ]
    objects = zip(batch.object_sample, batch.object_box_first, batch.object_phrase, strict=True)
    assert expected["objects"] == [
        (batch.sample_keys[int(s)], box.tolist(), words(int(p))) for s, box, p in objects
    ]
    assert expected["points"] == [
        (batch.sample_keys[int(s)], point.tolist())
        for s, point in zip(batch.point_sample, batch.point_first, strict=True)
    ]
    assert batch.image_sample.tolist() == [0, 0, 1, 1, 1, 2, 2]


def test_layers_are_joined_unchanged_and_typed_as_the_batch_says(prompt):
    examples = [example(0), example(3)]
    batch = collate(examples, prompt)
    for field in fields(Batch):
        value = getattr(batch, field.name)
        assert value is not None, field.name
        if isinstance(value, torch.Tensor):
            kind = {torch.int64: "Int64", torch.int32: "Int32", torch.float32: "Float32", torch.bool: "Bool", torch.uint8: "UInt8"}[value.dtype]  # fmt: skip
            assert str(field.type).startswith(kind), field.name
    for name in ("images", "K", "cam2first", "depth", "normal", "instance", "input_depth"):
        joined = np.concatenate([getattr(e, name) for e in examples])
        np.testing.assert_array_equal(getattr(batch, name).numpy(), joined)


def test_layers_that_no_example_has_are_none(prompt):
    bare = [
        replace(example(seed), depth=None, point_first=None, point_instance=None, seen_point=None,
                seen_image=None, seen_pixel=None, object_instance=None, object_box_first=None,
                object_phrase=None, relation_objects=None, relation_phrase=None,
                relation_inverse=None, phrases=())
        for seed in (0, 1)
    ]  # fmt: skip
    batch = collate(bare, prompt)
    for name in ("depth", "point_sample", "seen_image", "object_sample", "relation_objects", "phrase_token"):  # fmt: skip
        assert getattr(batch, name) is None, name
    assert batch.normal is not None


def test_pictures_of_different_sizes_name_their_samples(prompt):
    other = example(1, size=(32, 96))
    with pytest.raises(ConfigError, match="samples room-1 and room-0: expected pictures of one"):
        collate([example(0), other], prompt)


def test_rows_obey_budget_and_padding(prompt):
    batch = collate([example(0)], prompt, budget=200, pad_to=64)
    assert len(batch.input_ids) % 64 == 0
    with pytest.raises(ConfigError, match="sample room-0"):
        collate([example(0)], prompt, budget=20)
