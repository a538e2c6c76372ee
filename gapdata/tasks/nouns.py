"""Grammar of object labels: articles, plurals, agreement, and when one label also names another's objects.

A small rule table rather than a dictionary package: labels are plain nouns whose last word (or the
last before "of") carries the number, and what matters is that a plural label ("curtains") is recognised as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Bool

Array = np.ndarray

# Singular nouns that end in a single s.
SINGULAR_S = frozenset({
    "bus", "lens", "canvas", "gas", "atlas", "compass", "cactus", "iris", "abacus", "radius", "tennis",
    "apparatus", "christmas", "chaos", "series", "chassis",
})  # fmt: skip
PLURAL_ONLY = frozenset({"clothes", "stairs", "people", "dishes"})
ONE_OF_A_KIND = frozenset({"floor", "ceiling"})
IRREGULAR = {
    "mouse": "mice", "person": "people", "man": "men", "woman": "women", "child": "children",
    "foot": "feet", "knife": "knives", "shelf": "shelves", "leaf": "leaves", "scarf": "scarves",
    "loaf": "loaves", "half": "halves", "series": "series", "chassis": "chassis", "furniture": "furniture",
    "luggage": "luggage", "clothing": "clothing", "bus": "buses", "gas": "gases", "piano": "pianos",
}  # fmt: skip
SINGULAR_OF = {plural: singular for singular, plural in IRREGULAR.items()}
SIBILANTS = ("s", "x", "z", "ch", "sh")
CONSONANT_SOUND = ("uni", "use", "uti", "ute", "euro", "one-", "ukulele", "urinal")
VOWEL_SOUND = ("hour", "x-ray", "mp3")


def is_plural(label: str) -> bool:
    """Whether a label is a plural noun: "curtains" is, "glass" and "lens" are not."""
    word = _head_word(label)
    if word in PLURAL_ONLY or word in SINGULAR_OF:
        return word not in IRREGULAR
    return word.endswith("s") and not word.endswith(("ss", "us")) and word not in SINGULAR_S


def plural(label: str) -> str:
    """The label for several of its objects; a label that is plural already stays."""
    if is_plural(label):
        return label
    label = label.rstrip()
    head, of, rest = label.partition(" of ")
    if of:
        return plural(head) + of + rest
    word = _head_word(label)
    stem = label[: len(label) - len(word)]
    if word in IRREGULAR:
        return stem + IRREGULAR[word]
    if word.endswith("shelf"):
        return stem + word[:-1] + "ves"
    if word.endswith("y") and word[-2:-1] not in ("a", "e", "i", "o", "u", ""):
        return stem + word[:-1] + "ies"
    return stem + word + ("es" if word.endswith(SIBILANTS) else "s")


def with_article(label: str) -> str:
    """The label with its article: "a chair", "an office chair", "the floor"; a plural label stays bare."""
    if is_plural(label):
        return label
    if label in ONE_OF_A_KIND:
        return f"the {label}"
    lower = label.lower()
    vowel = lower.startswith(tuple("aeiou")) and not lower.startswith(CONSONANT_SOUND)
    return f"an {label}" if vowel or lower.startswith(VOWEL_SOUND) else f"a {label}"


def name_slots(**labels: str) -> dict[str, str]:
    """What templates say of objects: for x="chair" the slots x, the_x, an_x, is_x, does_x, xs."""
    return {slot: words for key, label in labels.items() for slot, words in _slots(key, label)}


@lru_cache(maxsize=4096)
def _slots(key: str, label: str) -> tuple[tuple[str, str], ...]:
    many = is_plural(label)
    return (
        (key, label),
        (f"the_{key}", f"the {label}"),
        (f"an_{key}", with_article(label)),
        (f"is_{key}", "are" if many else "is"),
        (f"does_{key}", "do" if many else "does"),
        (f"{key}s", plural(label)),
    )


def fit_table(labels: Sequence[str]) -> Bool[Array, "U U"]:
    """Whether "the <row label>" could mean an object with the column label.

    "chair" fits "office chair" and "chairs": the description's words are the last ones of the label.
    """
    words = [_words(label) for label in labels]
    rows: dict[tuple[str, ...], list[int]] = {}
    for row, description in enumerate(words):
        rows.setdefault(description, []).append(row)
    table = np.zeros((len(words), len(words)), bool)
    for column, label in enumerate(words):
        for start in range(len(label)):
            table[rows.get(label[start:], []), column] = True
    return table


def _head_word(label: str) -> str:
    """The word that carries the number: the last one, or the last before "of"."""
    words = label.partition(" of ")[0].split()
    return words[-1].lower() if words else ""


@lru_cache(maxsize=4096)
def _words(label: str) -> tuple[str, ...]:
    """Lower-case words of a label, in the plural so that number does not distinguish."""
    return tuple(plural(label.casefold()).replace("-", " ").split())
