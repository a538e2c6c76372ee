from __future__ import annotations

import unicodedata
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from gapdata.errors import ConfigError
from gapmodel.tokenizer import SMALLEST, SPECIAL_TOKENS, dataset_texts, train_tokenizer

TEXTS = [
    "How far is the red chair from the table, in metres?",
    "Is the chair left of the table?",
    "2.35 m",
    "Yes",
    '```json\n{"view": 0, "bbox_3d": [0.10, 1.25, 2.00, 0.50, 0.50, 1.00, 0.00, 1.57, 0.00]}\n```',
]


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(TEXTS * 3, 400)


def ids(text: str) -> list[int]:
    return tokenizer()(text, add_special_tokens=False)["input_ids"]


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_text_comes_back(text):
    back = tokenizer().decode(ids(text), clean_up_tokenization_spaces=False)
    assert back == unicodedata.normalize("NFC", text)


@given(st.from_regex(r"[0-9]{1,12}(\.[0-9]{1,6})?", fullmatch=True))
@settings(max_examples=50, deadline=None)
def test_each_digit_is_a_token(number):
    words = tokenizer().convert_ids_to_tokens(ids(number))
    assert words == list(number)


def test_special_tokens_are_single_and_never_part_of_a_word():
    for token in SPECIAL_TOKENS:
        assert len(ids(token)) == 1
        assert len(ids(f"chair{token}table")) == len(ids("chair")) + 1 + len(ids("table"))
    assert len(set(map(tuple, map(ids, SPECIAL_TOKENS)))) == len(SPECIAL_TOKENS)


def test_frequent_words_are_short():
    assert len(ids(" the")) == 1
    assert len(ids(" chair")) == 1
    assert len(ids(" zyxwv")) == 6


def test_the_tokenizer_follows_from_its_texts():
    again = train_tokenizer(TEXTS * 3, 400)
    assert again.get_vocab() == tokenizer().get_vocab()
    assert len(again) <= 400
    assert train_tokenizer(["abc abc abc"], 400).get_vocab() != again.get_vocab()


def test_a_vocabulary_without_room_for_all_bytes_is_refused():
    with pytest.raises(ConfigError, match=f"vocabulary of 200 tokens: expected {SMALLEST}"):
        train_tokenizer(TEXTS, 200)


def test_a_saved_tokenizer_is_the_same(tmp_path):
    tokenizer().save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    assert again.get_vocab() == tokenizer().get_vocab()
    assert again.chat_template == tokenizer().chat_template
    assert (again.eos_token, again.pad_token) == ("<|im_end|>", "<|endoftext|>")
    for text in TEXTS:
        assert again(text)["input_ids"] == ids(text)


def test_texts_of_a_dataset_are_its_questions_options_and_answers(tiny_url, tiny_dataset):
    texts = list(dataset_texts(tiny_url))
    expected = []
    for sample in tiny_dataset:
        for qa in sample.qa:
            expected += [qa.question, *qa.choices, qa.answer]
    assert sorted(texts) == sorted(expected)
    assert len(texts) > 50
