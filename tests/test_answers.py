"""Answers survive being written and read; replies in other words are understood, junk is refused."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapdata.answers import AnswerError, format_answer, format_choices, parse_answer, rounded_value

FINITE = st.floats(-1e6, 1e6, allow_nan=False)
BOX9 = st.lists(FINITE, min_size=9, max_size=9)
LABEL = st.text(min_size=1, max_size=20)


def assert_round_trip(value, answer_format, unit="", choices=()):
    text = format_answer(value, answer_format, unit, choices)
    assert parse_answer(text, answer_format, unit, choices) == rounded_value(
        value, answer_format, unit, choices
    )


@given(value=FINITE, unit=st.sampled_from(["", "m", "m2", "deg"]))
def test_numbers_round_trip(value, unit):
    assert_round_trip(value, "number", unit)


@given(value=FINITE)
def test_a_shown_number_is_within_half_a_unit_of_the_value(value):
    assert abs(rounded_value(value, "number", "m") - value) <= 0.005 + 1e-9
    assert abs(rounded_value(value, "number", "deg") - value) <= 0.5


@given(choices=st.lists(st.text(min_size=1), min_size=2, max_size=6, unique=True), data=st.data())
def test_choices_round_trip_whatever_the_options_are(choices, data):
    value = data.draw(st.sampled_from(choices))
    assert format_answer(value, "choice", "", choices) == value
    if value == value.strip():
        assert_round_trip(value, "choice", "", choices)


@given(value=st.booleans())
def test_yes_and_no_round_trip(value):
    assert_round_trip(value, "yesno")


@given(value=st.text(min_size=1).filter(lambda text: text.strip()))
def test_texts_round_trip(value):
    assert_round_trip(value, "text")


@given(point=st.lists(FINITE, min_size=3, max_size=3), pixel=st.tuples(FINITE, FINITE).map(list))
def test_points_and_pixels_round_trip(point, pixel):
    assert_round_trip(point, "point", "m")
    assert_round_trip(pixel, "pixel")


@given(box=BOX9, view=st.integers(0, 15))
def test_boxes_round_trip(box, view):
    assert_round_trip({"view": view, "bbox_3d": box}, "box", "m")


@given(rows=st.lists(st.fixed_dictionaries({"label": LABEL, "bbox_3d": BOX9}), max_size=4))
def test_lists_round_trip_with_any_label(rows):
    assert_round_trip(rows, "list", "m")


def test_lists_are_fenced_json_with_one_object_a_line():
    rows = [
        {"label": "sofa", "bbox_3d": [1.0] * 9},
        {"label": "lamp", "bbox_3d": [-0.001] * 3 + [0.5] * 3 + [-0.001] * 3},
    ]
    lines = format_answer(rows, "list").split("\n")
    assert lines[0] == "```json"
    assert lines[-1] == "```"
    assert len(lines) == 6
    assert json.loads(lines[2].removesuffix(","))["label"] == "sofa"
    assert "-0.00" not in lines[3]


def test_thin_boxes_keep_their_thickness():
    """A fork half a centimetre high is not 0.00 m high; a table's box needs no millimetres."""
    fork = [0.4559, 0.1035, 1.3488, 0.1995, 0.005, 0.026, -0.0686, 0.3384, -0.233]
    table = [-0.0039, 0.2864, 1.9185, 1.0401, 0.7336, 1.5137, -0.0648, 0.3391, -0.2216]
    rows = [{"label": "fork", "bbox_3d": fork}, {"label": "table", "bbox_3d": table}]
    lines = format_answer(rows, "list").split("\n")
    assert "[0.456, 0.103, 1.349, 0.200, 0.005, 0.026, -0.07, 0.34, -0.23]" in lines[2]
    assert "[0.00, 0.29, 1.92, 1.04, 0.73, 1.51, -0.06, 0.34, -0.22]" in lines[3]


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("about 3.0 m", "m", 3.0),
        ("3m", "m", 3.0),
        ("three", "", 3.0),
        ("Three metres.", "m", 3.0),
        ("300 cm", "m", 3.0),
        ("3000 millimeters", "m", 3.0),
        ("~ 2.346", "m", 2.35),
        ("The answer is 2.5 meters.", "m", 2.5),
        ("It is about 45°", "deg", 45.0),
        ("45 degrees", "deg", 45.0),
        ("0.7853982 rad", "deg", 45.0),
        ("There are 12.", "", 12.0),
        ("+.5 m", "m", 0.5),
        ("-1.5e0 m", "m", -1.5),
    ],
)
def test_numbers_are_read_in_other_words_and_units(text, unit, value):
    assert parse_answer(text, "number", unit) == value


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("", "m"), ("m", "m"), ("3 kg", "m"), ("3 m", "deg"), ("3 m", ""), ("3 4", "m"), ("3,5 m", "m"),
        ("nan", "m"), ("inf m", "m"), ("1e999 m", "m"), ("3 m or 4 m", "m"), ("__import__('os')", "m"),
        ("2+1 m", "m"), ("0x10", ""), ("1 2", ""), ("thirty-one", ""), ("[3]", "m"), ("3 m²", "m"),
    ],
)  # fmt: skip
def test_other_texts_are_not_numbers(text, unit):
    with pytest.raises(AnswerError):
        parse_answer(text, "number", unit)


CHOICES = ("sofa", "the red point", "1.20 m", "A big box")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(A)", "sofa"), ("A", "sofa"), ("A.", "sofa"), ("a)", "sofa"), ("A. sofa", "sofa"),
        ("(b) The red point.", "the red point"), ("Sofa", "sofa"), ("Answer: B", "the red point"),
        ("The answer is (C)", "1.20 m"), ("Option D", "A big box"), ("a big box", "A big box"),
        ("C: 1.20 m", "1.20 m"), ("  sofa.\n", "sofa"),
    ],
)  # fmt: skip
def test_choices_are_read_by_letter_or_words(text, value):
    assert parse_answer(text, "choice", "", CHOICES) == value


@pytest.mark.parametrize(
    "text", ["", "E", "(Z)", "A. the red point", "table", "A or B", "A B", "1"]
)
def test_other_texts_are_no_choice(text):
    with pytest.raises(AnswerError):
        parse_answer(text, "choice", "", CHOICES)


@pytest.mark.parametrize(("text", "value"), [("Yes.", True), ("no", False), ("Yes, it is.", True)])
def test_yes_and_no_are_read(text, value):
    assert parse_answer(text, "yesno") is value


@pytest.mark.parametrize("text", ["", "maybe", "yesterday", "nothing", "1"])
def test_other_texts_are_neither_yes_nor_no(text):
    with pytest.raises(AnswerError):
        parse_answer(text, "yesno")


def test_json_is_read_fenced_or_bare_and_keeps_only_what_was_asked():
    box = {"view": 2, "bbox_3d": [0.1] * 9, "score": 0.5}
    expected = {"view": 2, "bbox_3d": [0.1] * 9}
    assert parse_answer(json.dumps(box), "box") == expected
    assert parse_answer(f"Here it is:\n```json\n{json.dumps(box)}\n```", "box") == expected
    assert parse_answer("(12, 30)", "pixel") == [12.0, 30.0]
    assert parse_answer("```json\n[1, 2.004, -3]\n```", "point") == [1.0, 2.0, -3.0]


@pytest.mark.parametrize(
    ("text", "answer_format"),
    [
        ("[1, 2]", "point"), ("[1, 2, 3, 4]", "point"), ("[1, 2, NaN]", "point"), ("1 2 3", "point"),
        ("[1, 2, 3]; import os", "point"), ("[1e400, 0]", "pixel"), ("{}", "box"), ("[]", "box"),
        ('{"view": 1.0, "bbox_3d": [1,1,1,1,1,1,1,1,1]}', "box"),
        ('{"view": true, "bbox_3d": [1,1,1,1,1,1,1,1,1]}', "box"),
        ('{"view": -1, "bbox_3d": [1,1,1,1,1,1,1,1,1]}', "box"),
        ('{"view": 0, "box_3d": [1,1,1,1,1,1,1,1,1]}', "box"),
        ('{"view": 0, "bbox_3d": [1,1,1,1,1,1,1,1]}', "box"),
        ('{"view": 0, "bbox_3d": [1,1,1,1,1,1,1,1,true]}', "box"),
        ('[{"label": 3, "bbox_3d": [1,1,1,1,1,1,1,1,1]}]', "list"),
        ('[{"label": "a", "bbox_3d": [1,1,1,1,1,1,1,1,Infinity]}]', "list"),
        ('{"label": "a"}', "list"), ("no objects", "list"), ("[" * 100_000, "list"), ("", "text"),
        ("[" + "9" * 5000 + "]", "list"), ("yes", "song"),
    ],
)  # fmt: skip
def test_wrong_types_shapes_and_infinities_are_refused(text, answer_format):
    with pytest.raises(AnswerError):
        parse_answer(text, answer_format)


@pytest.mark.parametrize(
    ("value", "answer_format", "unit"),
    [
        (math.nan, "number", "m"), (True, "number", "m"), ("3", "number", "m"), (3.0, "number", "furlong"),
        ("sofa", "choice", ""), (1, "yesno", ""), ("  ", "text", ""), ([1.0, 2.0], "point", "m"),
        ({"view": 0}, "box", "m"), ({}, "list", "m"), (None, "text", ""), (1.0, "song", ""),
    ],
)  # fmt: skip
def test_values_of_the_wrong_type_have_no_text(value, answer_format, unit):
    with pytest.raises(AnswerError):
        format_answer(value, answer_format, unit)


@given(
    text=st.text(max_size=40),
    answer_format=st.sampled_from(["number", "choice", "box", "list", "pixel"]),
)
def test_any_text_is_read_or_refused_but_never_crashes(text, answer_format):
    try:
        value = parse_answer(text, answer_format, "m" if answer_format == "number" else "", CHOICES)
    except AnswerError:
        return
    unit = "m" if answer_format == "number" else ""
    assert rounded_value(value, answer_format, unit, CHOICES) == value


def test_options_are_lettered_for_a_prompt():
    assert format_choices(("sofa", "lamp")) == "A. sofa\nB. lamp"
