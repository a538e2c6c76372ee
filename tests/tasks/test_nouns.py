"""Articles, plurals and what a label may also mean."""

from __future__ import annotations

import pytest

from gapdata.labels import NYU40
from gapdata.tasks.nouns import fit_table, is_plural, name_slots, plural, with_article

PLURAL_LABELS = {
    "blinds", "shelves", "clothes", "books", "curtains", "stairs", "shoes", "kitchen cabinets", "scissors",
    "dishes", "headphones", "people",
}  # fmt: skip
SINGULAR_LABELS = {
    "chair", "glass", "bus", "canvas", "mattress", "lens", "gas", "cactus", "office chair", "chest of drawers",
    "box", "toilet", "compass", "dress", "",
}  # fmt: skip


@pytest.mark.parametrize("label", sorted(PLURAL_LABELS))
def test_plural_labels_stay_as_they_are(label):
    assert is_plural(label)
    assert plural(label) == with_article(label) == label
    assert name_slots(x=label)["is_x"] == "are"
    assert name_slots(x=label)["does_x"] == "do"


@pytest.mark.parametrize("label", sorted(SINGULAR_LABELS))
def test_singular_labels_take_an_article(label):
    assert not is_plural(label)
    assert with_article(label) in (f"a {label}", f"an {label}")
    assert name_slots(x=label)["is_x"] == "is"


@pytest.mark.parametrize(
    ("label", "many"),
    [
        ("chair", "chairs"), ("box", "boxes"), ("bench", "benches"), ("glass", "glasses"), ("bus", "buses"),
        ("bookshelf", "bookshelves"), ("shelf", "shelves"), ("knife", "knives"), ("mouse", "mice"),
        ("person", "people"), ("vanity", "vanities"), ("toy", "toys"), ("office chair", "office chairs"),
        ("lens", "lenses"), ("dish", "dishes"), ("furniture", "furniture"), ("chest of drawers", "chests of drawers"),
    ],
)  # fmt: skip
def test_plurals(label, many):
    assert plural(label) == many
    assert is_plural(many) or many in ("furniture",)


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("office chair", "an office chair"), ("unit", "a unit"), ("umbrella", "an umbrella"),
        ("hourglass", "an hourglass"), ("tv", "a tv"), ("utensil", "a utensil"), ("oven", "an oven"), ("floor", "the floor"),
    ],
)  # fmt: skip
def test_articles(label, words):
    assert with_article(label) == words


def test_the_plural_of_every_nyu_class_is_a_plural():
    countable = [label for label in NYU40 if label not in ("unlabeled", "clothes", "paper")]
    assert all(
        is_plural(plural(label)) or plural(label) == "otherfurnitures" for label in countable
    )


@pytest.mark.parametrize(
    ("description", "label", "expected"),
    [
        ("chair", "chair", True), ("chair", "office chair", True), ("office chair", "chair", False),
        ("chair", "chairs", True), ("curtains", "curtain", True), ("Chair", "chair", True),
        ("table", "table lamp", False), ("cabinet", "kitchen cabinets", True), ("box", "ballot-box", True),
        ("a b c", "c", False), ("chair", "armchair", False),
    ],
)  # fmt: skip
def test_what_a_description_fits(description, label, expected):
    table = fit_table([description, label])
    assert table[0, 1] == expected
    assert table[0, 0]
    assert table[1, 1]
