"""Drawing what a task tries, so that what one candidate draws never depends on another's fate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Any, TypeVar

import numpy as np
from jaxtyping import UInt64
from numpy.random.bit_generator import ISeedSequence

from gapdata.answers import format_answer, parse_answer

Array = np.ndarray
Candidate = TypeVar("Candidate")

OPTIONS = 4
LADDER_STEP = 1.2
LADDER_JITTER = 0.004  # the top rung stays below 1.75 times the lowest


def drawn(
    pool: Sequence[Candidate], limit: int, rng: np.random.Generator
) -> Iterator[tuple[Candidate, np.random.Generator]]:
    """At most `limit` of the pool in random order, each with its own generator.

    A task that gives up a candidate thereby changes nothing about the next one: a stricter threshold only
    removes questions.
    """
    order = rng.permutation(len(pool))[:limit].tolist()
    states = rng.integers(2**64, size=(len(order), 4), dtype=np.uint64)
    for index, state in zip(order, states, strict=True):
        yield pool[index], np.random.Generator(np.random.PCG64(_State(state)))  # type: ignore[arg-type]


class _State(ISeedSequence):
    """A generator's state that was drawn from another one; hashing it once more, as seeds are, takes six times as long."""

    def __init__(self, words: UInt64[Array, "4"]) -> None:
        self._words = words

    def generate_state(self, n_words: int, dtype: Any = np.uint64) -> UInt64[Array, "4"]:
        """The state itself, which has to be what the generator takes."""
        assert (n_words, dtype) == (4, np.uint64)
        return self._words


def shuffled(options: Sequence[str], rng: np.random.Generator) -> tuple[str, ...]:
    """The options in random order, so that the right one's place is uniform."""
    return tuple(options[index] for index in rng.permutation(len(options)).tolist())


def orders(labels: Sequence[str], rng: np.random.Generator) -> tuple[str, ...]:
    """Four different orders of three or more things, the given one first: "the a, the b, the c".

    The wrong ones are drawn from all other orders alike, so no two of them hint at the right one.
    """
    others = list(permutations(labels))[1:]
    wrong = rng.permutation(len(others))[: OPTIONS - 1].tolist()
    chosen = [tuple(labels), *(others[index] for index in wrong)]
    return tuple(", ".join(f"the {label}" for label in order) for order in chosen)


def number_or_choice(
    value: float, unit: str, rng: np.random.Generator, *, choice_share: float = 0.5
) -> dict[str, Any]:
    """Fields of a Question that asks for a number: format, value, unit, choices, and margin of a choice.

    The margin is the distance from the truth to the nearest wrong option as both are written.
    """
    if rng.random() >= choice_share:
        return {"format": "number", "value": value, "unit": unit}
    options = tuple(format_answer(number, "number", unit) for number in _ladder(value, rng))
    truth = format_answer(value, "number", unit)
    right = parse_answer(truth, "number", unit)
    gaps = sorted(abs(parse_answer(option, "number", unit) - right) for option in options)
    return {"format": "choice", "value": truth, "unit": unit, "choices": options, "margin": gaps[1]}


def _ladder(value: float, rng: np.random.Generator) -> list[float]:
    """Options in random order of which one is `value`: rungs of a ladder, each 20 % above the one below.

    The truth's rung is uniform and the rungs' spacing does not depend on it, so neither the order, the range nor
    the spacing of the options says which is right. With 4 rungs all lie within 0.57 and 1.75 of the truth.
    """
    rung = int(rng.integers(OPTIONS))
    steps = LADDER_STEP + LADDER_JITTER * rng.random(OPTIONS - 1)
    ladder = np.concatenate([[1.0], np.cumprod(steps)])
    options = value * ladder / ladder[rung]
    options[rung] = value
    return [float(option) for option in rng.permutation(options)]
