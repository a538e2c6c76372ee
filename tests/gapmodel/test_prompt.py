from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapmodel.data.example import Example, Question
from gapmodel.data.packing import IGNORED, pack
from gapmodel.data.prompt import IMAGE, Prompt, answer_text, prefix_text, question_text
from gapmodel.tokenizer import train_tokenizer

GRID = (2, 3)
QUESTIONS = [
    ("How far is the chair?", "2.35 m"),
    ("Where is it?\nA. left\nB. right", "left"),
    ("Which box?", '```json\n{"view": 0, "bbox_3d": [0.10, 1.25]}\n```'),
    ("How many chairs are there?", "3"),
]


@cache
def prompt() -> Prompt:
    texts = [text for pair in QUESTIONS for text in pair]
    return Prompt(train_tokenizer(texts * 2, 350), GRID)


def example(views: list[tuple[int, ...]], pictures: int = 3) -> Example:
    return Example(
        key="room-1",
        questions=tuple(
            Question(
                qa=f"q{number}",
                task="distance",
                format="number",
                views=shown,
                text=QUESTIONS[number % 4][0],
                answer=QUESTIONS[number % 4][1],
            )
            for number, shown in enumerate(views)
        ),
        phrases=("a red chair", "left of"),
        images=np.zeros((pictures, 64, 96, 3), np.uint8),
        K=np.tile(np.eye(3, dtype=np.float32), (pictures, 1, 1)),
        cam2first=np.tile(np.eye(4, dtype=np.float32), (pictures, 1, 1)),
    )


def test_questions_on_the_same_views_share_a_group():
    sample = prompt().encode(example([(1,), (0, 1, 2), (2, 0), (1,), (0, 1, 2)]))
    assert [group.pictures for group in sample.groups] == [(0, 1, 2), (1,), (2, 0)]
    asked = [[branch.qa for branch in group.branches] for group in sample.groups]
    assert asked == [["q1", "q4"], ["q0", "q3"], ["q2"]]
    assert [len(phrase) > 0 for phrase in sample.phrases] == [True, True]


def test_a_sample_without_questions_still_shows_its_pictures():
    sample = prompt().encode(example([]))
    assert [group.pictures for group in sample.groups] == [(0, 1, 2)]
    assert sample.length == len(sample.groups[0].prefix) + sum(map(len, sample.phrases))


@given(st.lists(st.sampled_from([(0,), (1, 2), (0, 1, 2), (2, 1, 0)]), min_size=1, max_size=6))
@settings(max_examples=20, deadline=None)
def test_a_question_reads_as_one_conversation(views):
    """Prefix and branch, encoded apart, are the tokens of the whole text in transformers' chat format."""
    it = example(views)
    asked = {question.qa: question for question in it.questions}
    tokenizer = prompt().tokenizer
    for group in prompt().encode(it).groups:
        for branch in group.branches:
            question = asked[branch.qa]
            assert group.pictures == question.views
            message = {
                "role": "user",
                "content": [
                    *({"type": "image"} for _ in question.views),
                    {"type": "text", "text": question.text},
                ],
            }
            text = tokenizer.apply_chat_template(
                [message], tokenize=False, add_generation_prompt=True
            )
            text = text.replace(IMAGE, IMAGE * 6) + question.answer + "<|im_end|>"
            whole = tokenizer(text, add_special_tokens=False)["input_ids"]
            assert [*group.prefix, *branch.ids] == whole
            assert tokenizer.decode(branch.ids[branch.answer_start :]) == answer_text(
                question.answer
            )


def test_pictures_are_named_as_questions_call_them():
    assert prefix_text(2, 1) == (
        "<|im_start|>user\nImage 1: <|vision_start|><|image_pad|><|vision_end|>"
        "Image 2: <|vision_start|><|image_pad|><|vision_end|>"
    )
    assert question_text("Why?") == "Why?<|im_end|>\n<|im_start|>assistant\n"


def test_lengths_are_those_of_the_branches():
    sample = prompt().encode(example([(0, 1, 2)] * 4))
    lengths = prompt().lengths(*zip(*QUESTIONS, strict=True))
    assert lengths.tolist() == [len(branch.ids) for branch in sample.groups[0].branches]


def test_the_answer_is_what_a_row_supervises():
    it = example([(0, 1, 2), (1,)])
    row = pack(
        [prompt().encode(it)],
        grid=GRID,
        image_token_id=prompt().image_token_id,
        pad_token_id=prompt().pad_token_id,
    )
    for branch, question in zip(row["branches"], it.questions, strict=True):
        labels = row["labels"][branch.start : branch.end]
        told = labels[labels != IGNORED]
        assert prompt().tokenizer.decode(told) == answer_text(question.answer)


def test_other_pictures_than_the_prefix_shows_are_a_fault():
    sample = prompt().encode(example([(0, 1, 2)]))
    with pytest.raises(ValueError, match="blocks for pictures"):
        pack(
            [sample],
            grid=(4, 4),
            image_token_id=prompt().image_token_id,
            pad_token_id=prompt().pad_token_id,
        )
