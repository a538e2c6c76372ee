"""Captions and the facts they state convert into each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapdata.answers import AnswerError
from gapdata.captions import SIDES, Caption, read_caption, write_caption

NAMES = st.from_regex(r"\A[A-Z][a-z]*( [a-z]+){0,3}\Z")
METRES = st.integers(0, 999).map(lambda centimetres: centimetres / 100)


@given(NAMES, METRES, METRES, NAMES, METRES, st.sampled_from(("", *SIDES)), st.booleans())
def test_a_caption_reads_back(name, height, width, neighbour, distance, side, many) -> None:
    caption = Caption(
        name=name, height=height, width=width, neighbour=neighbour, distance=distance, side=side
    )
    assert read_caption(write_caption(caption, many=many)) == caption
    alone = Caption(name=name, height=height, width=width)
    assert read_caption(write_caption(alone, many=many)) == alone


def test_the_words_of_a_caption() -> None:
    caption = Caption(
        name="a red chair", height=0.9, width=0.5, neighbour="curtains", distance=1.234, side="left"
    )
    assert write_caption(caption, many_neighbours=True) == (
        "A red chair, 0.90 m tall and 0.50 m wide. It is 1.23 m from the curtains and, in this view, to the left of them."
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A chair.",
        "A chair, 0.9 m tall and 0.50 m wide.",
        "A chair, 0.90 m tall and 0.50 m wide. Nice.",
    ],
)
def test_other_texts_are_refused(text) -> None:
    with pytest.raises(AnswerError, match="caption"):
        read_caption(text)
