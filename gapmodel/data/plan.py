"""What is trained on, in which order: a pure function of settings and indexes, made block by block, nothing read."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float64

from gapdata.errors import ConfigError
from gapmodel.data.augment import NOTHING, Augment
from gapmodel.data.index import QuestionIndex
from gapmodel.data.mixture import Mixture
from gapmodel.data.prompt import Prompt
from gapmodel.data.reading import Visit
from gapmodel.data.selection import choose_views, take_turns

Array = np.ndarray

_VISIT, _ROWS = 100, 101  # purposes of random numbers, apart from those of reading


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanConfig:
    """What a visit asks and how visits fill rows.

    row_tokens: most tokens of a row. max_views, max_questions: most in a visit. task_weights: task -> how often it
    is asked in relation to others, 1 where not named, 0 = never. phrase_tokens: kept free in each visit.
    block: visits that are arranged into rows together.
    """

    row_tokens: int
    seed: int = 0
    max_views: int = 8
    max_questions: int = 8
    task_weights: Mapping[str, float] = field(default_factory=dict)
    phrase_tokens: int = 0
    augment: Augment = NOTHING
    block: int = 1024

    def __post_init__(self) -> None:
        for name in ("row_tokens", "max_views", "block"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} {getattr(self, name)}: expected 1 or more")
        for name in ("max_questions", "phrase_tokens", "seed"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} {getattr(self, name)}: expected 0 or more")
        for task, weight in self.task_weights.items():
            if not 0 <= weight < np.inf:
                raise ConfigError(f"weight of task {task}: expected 0 or more, found {weight}")


@dataclass(frozen=True, kw_only=True, slots=True)
class LoaderState:
    """A place in the endless sequence of rows: `index` rows are done, the next is row `row` of block `block`."""

    index: int = 0
    block: int = 0
    row: int = 0


Row = tuple[Visit, ...]


class Plan:
    """The rows of a run. Each is a tuple of visits whose `tokens` fit together, but for a visit that never fits."""

    def __init__(
        self,
        indexes: Sequence[QuestionIndex],
        weights: Sequence[float],
        prompt: Prompt,
        config: PlanConfig,
    ) -> None:
        """Raises ConfigError for a task weight of a task that no dataset has."""
        known = {name for index in indexes for name in index.task_names}
        if unknown := sorted(set(config.task_weights) - known):
            raise ConfigError(
                f"task_weights: no dataset asks {', '.join(unknown)}; there are {', '.join(sorted(known))}"
            )
        self.config, self.indexes = config, tuple(indexes)
        self.mixture = Mixture([len(index.num_views) for index in indexes], weights, config.seed)
        self.block_size = min(config.block, self.mixture.epoch_size)
        self._prefix = lru_cache(maxsize=None)(lambda pictures: len(prompt.prefix(pictures)))
        self._task_weight = _task_weights(indexes, config.task_weights)
        self._arranged = lru_cache(maxsize=2)(self._arrange)

    def rows(self, state: LoaderState) -> Iterator[tuple[Row, LoaderState]]:
        """Each row from a place on with the place after it; never ends."""
        index, block, row = state.index, state.block, state.row
        while True:
            rows = self.block(block)
            for visits in rows[row:]:
                index, row = index + 1, row + 1
                after = LoaderState(index=index, block=block, row=row)
                yield (
                    visits,
                    after if row < len(rows) else LoaderState(index=index, block=block + 1),
                )
            block, row = block + 1, 0

    def block(self, block: int) -> tuple[Row, ...]:
        """The rows of a block, in order."""
        return self._arranged(block)

    def never_asked(self) -> int:
        """Questions that no visit asks: weight 0, about more views than are shown, or longer than a row."""
        config, count = self.config, 0
        for number, index in enumerate(self.indexes):
            views = np.diff(index.view_start)
            shown = np.minimum(index.num_views, config.max_views)
            shown = np.repeat(shown, np.diff(index.start))
            most = int(max(views.max(initial=0), shown.max(initial=0)))
            prefix = np.array([self._prefix(pictures) for pictures in range(most + 1)])
            least = prefix[shown] + np.where(views == shown, 0, prefix[views]) + index.tokens
            never = (views > shown) | (least + config.phrase_tokens > config.row_tokens)
            count += int((never | (self._weights(number, slice(None)) <= 0)).sum())
        return count

    def _weights(self, dataset: int, rows: slice) -> Float64[Array, " n"]:
        return self._task_weight[dataset][self.indexes[dataset].task[rows]]

    def _arrange(self, block: int) -> tuple[Row, ...]:
        begin = block * self.block_size
        columns = self.mixture.visits(begin, begin + self.block_size)
        visits = [self._visit(int(d), int(i), int(n)) for d, i, n in zip(*columns, strict=True)]
        rows = fill_rows([visit.tokens for visit in visits], self.config.row_tokens)
        order = np.random.default_rng([self.config.seed, _ROWS, block]).permutation(len(rows))
        return tuple(tuple(visits[i] for i in rows[place]) for place in order)

    def _visit(self, dataset: int, sample: int, number: int) -> Visit:
        """The visit: the first random number decides on cropping, then views, their order, and questions."""
        config, augment, index = self.config, self.config.augment, self.indexes[dataset]
        rng = np.random.default_rng([config.seed, dataset, sample, number, _VISIT])
        cropped, fewer, shuffled = rng.random(3) < (
            augment.crop,
            augment.fewer_views,
            augment.shuffled,
        )
        count = int(index.num_views[sample])
        most = min(config.max_views, count)
        if fewer:
            most = int(rng.integers(1, most + 1))
        questions = slice(int(index.start[sample]), int(index.start[sample + 1]))
        weights = self._weights(dataset, questions)
        shows = _shows(index, questions, count)
        offset = _fraction(config.seed, dataset, sample)
        chosen = choose_views(shows, weights, most, number, offset, rng)
        views = tuple((rng.permutation(chosen) if shuffled else chosen).tolist())
        visit = Visit(
            dataset=dataset,
            sample=sample,
            number=number,
            views=views,
            questions=(),
            cropped=bool(cropped),
            tokens=self._prefix(len(views)) + config.phrase_tokens,
        )
        if cropped or not config.max_questions:
            return visit
        missing = np.ones(count, bool)
        missing[chosen] = False
        weights = np.where((shows & missing).any(axis=1), 0.0, weights)
        taken = take_turns(weights, config.max_questions, number, offset)
        return self._asking(visit, rng.permutation(taken), index, questions.start)

    def _asking(self, visit: Visit, taken: Array, index: QuestionIndex, start: int) -> Visit:
        """The visit with as many of these questions as fit into a row, and their tokens."""
        tokens, groups, asked = visit.tokens, {visit.views}, []
        for question in taken.tolist():
            place = start + question
            views = tuple(
                index.views[index.view_start[place] : index.view_start[place + 1]].tolist()
            )
            cost = int(index.tokens[place])
            cost += 0 if views in groups else self._prefix(len(views))
            if tokens + cost <= self.config.row_tokens:
                tokens += cost
                groups.add(views)
                asked.append(question)
        return replace(visit, questions=tuple(sorted(asked)), tokens=tokens)


def fill_rows(tokens: Sequence[int], budget: int) -> list[list[int]]:
    """Positions grouped into rows of at most `budget` tokens, the longest first, each into the row it fills best.

    What is longer than the budget takes no place and is put with the first row: it will be reported when it is read.
    """
    rows: list[list[int]] = []
    room: list[tuple[int, int]] = []  # (tokens left, row), ascending
    never = []
    for i in sorted(range(len(tokens)), key=lambda i: (-tokens[i], i)):
        if tokens[i] > budget:
            never.append(i)
            continue
        at = bisect_left(room, (tokens[i], -1))
        if at == len(room):
            left, row = budget, len(rows)
            rows.append([])
        else:
            left, row = room.pop(at)
        rows[row].append(i)
        insort(room, (left - tokens[i], row))
    if never:
        rows = rows or [[]]
        rows[0] += never
    return rows


def _task_weights(
    indexes: Sequence[QuestionIndex], task_weights: Mapping[str, float]
) -> list[Float64[Array, " t"]]:
    """Per dataset and task the weight of one question: the task's own, shared by all its questions anywhere."""
    counts: dict[str, int] = {}
    for index in indexes:
        tally = np.bincount(index.task, minlength=len(index.task_names)).tolist()
        for name, count in zip(index.task_names, tally, strict=True):
            counts[name] = counts.get(name, 0) + count
    return [
        np.array(
            [task_weights.get(name, 1.0) / max(counts[name], 1) for name in index.task_names],
            np.float64,
        )
        for index in indexes
    ]


def _shows(index: QuestionIndex, questions: slice, count: int) -> Bool[Array, "n V"]:
    """[question, view]: whether a question of a sample is about a view."""
    bounds = index.view_start[questions.start : questions.stop + 1]
    shows = np.zeros((len(bounds) - 1, count), bool)
    views = index.views[bounds[0] : bounds[-1]]
    inside = views < count
    shows[np.repeat(np.arange(len(shows)), np.diff(bounds))[inside], views[inside]] = True
    return shows


def _fraction(*words: int) -> float:
    """A number in [0, 1) that looks random: the words mixed by splitmix64's finaliser."""
    state = 0
    for word in words:
        state = (state + word + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 31
    return state / 2.0**64
