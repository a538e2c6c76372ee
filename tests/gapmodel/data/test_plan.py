"""The plan: who is visited when, what is asked, and that rows hold what they are said to hold."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapdata.errors import ConfigError
from gapmodel.data.augment import Augment
from gapmodel.data.collate import collate
from gapmodel.data.index import QuestionIndex
from gapmodel.data.mixture import Mixture
from gapmodel.data.plan import LoaderState, Plan, PlanConfig, fill_rows
from gapmodel.data.selection import capped, choose_views, take_turns


def random_index(samples: int, views: int, questions: int, tasks: int, seed: int) -> QuestionIndex:
    """An index of made-up questions about one, two or all views."""
    rng = np.random.default_rng(seed)
    total = samples * questions
    kinds = rng.integers(0, 3, total)
    lengths = np.choose(kinds, [1, min(2, views), views])
    flat = np.concatenate([rng.permuted(np.tile(np.arange(views), (total, 1)), axis=1).ravel()])
    column = np.tile(np.arange(views), total)
    return QuestionIndex(
        task_names=tuple(f"task_{i}" for i in range(tasks)),
        num_views=np.full(samples, views, np.int32),
        start=np.arange(samples + 1, dtype=np.int64) * questions,
        task=rng.integers(0, tasks, total).astype(np.int32),
        view_start=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        views=flat[column < np.repeat(lengths, views)].astype(np.uint8),
        tokens=rng.integers(20, 60, total).astype(np.int32),
    )


def visits(plan: Plan, blocks: int) -> list:
    return [visit for block in range(blocks) for row in plan.block(block) for visit in row]


def views_of(index: QuestionIndex, sample: int, question: int) -> tuple[int, ...]:
    place = index.start[sample] + question
    return tuple(index.views[index.view_start[place] : index.view_start[place + 1]].tolist())


# --- turns ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=30), st.data())
def test_arcs_keep_their_order_and_their_cap(weights, data):
    count = data.draw(st.integers(1, len(weights)))
    arcs = capped(np.array(weights), count)
    assert abs(arcs.sum() - 1) < 1e-9
    assert (arcs > 0).all()
    assert arcs.max() <= 1 / count + 1e-9
    assert (np.diff(arcs[np.argsort(weights)]) >= -1e-9).all()


@given(st.integers(1, 40), st.integers(1, 10), st.floats(0, 0.999))
def test_every_turn_comes_soon(things, count, offset):
    weights = np.ones(things)
    seen: set[int] = set()
    rounds = int(np.ceil(3 * things / count)) + 1
    for number in range(rounds):
        taken = take_turns(weights, count, number, offset)
        assert len(taken) == min(count, things)
        seen |= set(taken.tolist())
    assert seen == set(range(things))


def test_turns_come_in_proportion_to_weights():
    weights = np.array([1.0, 2.0, 3.0, 0.0, 4.0])
    met = Counter(itertools.chain(*(take_turns(weights, 2, n, 0.3).tolist() for n in range(4000))))
    expected = capped(weights[weights > 0], 2) * 2 * 4000
    found = np.array([met[i] for i in (0, 1, 2, 4)])
    assert met[3] == 0
    np.testing.assert_allclose(found, expected, rtol=0.02)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 5))
def test_chosen_views_let_questions_be_asked(seed, views, most):
    rng = np.random.default_rng(seed)
    shows = rng.random((6, views)) < 0.4
    shows[np.arange(6), rng.integers(0, views, 6)] = True
    weights = rng.random(6) * (rng.random(6) < 0.8)
    chosen = choose_views(shows, weights, most, int(seed % 50), 0.1, rng)
    assert len(chosen) == min(most, views)
    assert (np.diff(chosen) > 0).all()
    can_fit = (shows.sum(axis=1) <= most) & (weights > 0)
    absent = np.ones(views, bool)
    absent[chosen] = False
    assert not can_fit.any() or (can_fit & ~(shows & absent).any(axis=1)).any()


# --- mixture -------------------------------------------------------------------------------------------------------


def test_a_dataset_is_walked_through_before_it_is_begun_again():
    mixture = Mixture([7, 20], [1.0, 2.0], seed=3)
    dataset, sample, number = mixture.visits(0, 27 * 20)
    assert (dataset[: 27 * 3] == 0).sum() == 27  # a third of each epoch
    for d, size in enumerate((7, 20)):
        mine = sample[dataset == d]
        for turn in range(len(mine) // size):
            part = mine[turn * size : (turn + 1) * size]
            assert sorted(part.tolist()) == list(range(size))
            assert (number[dataset == d][turn * size : (turn + 1) * size] == turn).all()


@given(st.integers(0, 300), st.integers(1, 100))
def test_any_part_of_the_stream_is_the_stream(begin, count):
    whole = Mixture([5, 30, 2], [1.0, 5.0, 0.1], seed=1).visits(0, 400)
    part = Mixture([5, 30, 2], [1.0, 5.0, 0.1], seed=1).visits(begin, begin + count)
    for one, other in zip(whole, part, strict=True):
        np.testing.assert_array_equal(one[begin : begin + count], other)


@pytest.mark.parametrize(
    ("sizes", "weights"),
    [([], []), ([3, 0], [1.0, 1.0]), ([3], [0.0]), ([3], [1.0, 2.0]), ([3], [np.nan])],
)
def test_mixtures_that_cannot_be(sizes, weights):
    with pytest.raises(ConfigError):
        Mixture(sizes, weights, seed=0)


# --- rows ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 130), min_size=1, max_size=60))
def test_rows_hold_everything_once_within_the_budget(tokens):
    rows = fill_rows(tokens, 100)
    assert sorted(i for row in rows for i in row) == list(range(len(tokens)))
    for row in rows:
        assert sum(tokens[i] for i in row if tokens[i] <= 100) <= 100
    # No two rows would fit into one (but for the row that only reports what is too long).
    sums = sorted(s for row in rows if (s := sum(tokens[i] for i in row if tokens[i] <= 100)))
    assert len(sums) < 2 or sums[0] + sums[1] > 100 or len(sums) == 2


def test_the_plan_is_a_pure_function(prompt):
    index = random_index(30, 5, 12, 4, seed=0)
    config = PlanConfig(
        row_tokens=500,
        max_views=3,
        max_questions=4,
        augment=Augment(shuffled=0.5, crop=0.2, fewer_views=0.3),
    )
    one, other = (Plan([index], [1.0], prompt, config) for _ in range(2))
    other.block(7)  # looking ahead changes nothing
    assert visits(one, 3) == visits(other, 3)
    assert visits(Plan([index], [1.0], prompt, replace(config, seed=5)), 3) != visits(one, 3)


def test_questions_are_asked_about_shown_views_only(prompt):
    index = random_index(40, 6, 15, 4, seed=1)
    augment = Augment(shuffled=0.5, crop=0.2, fewer_views=0.3)
    plan = Plan(
        [index],
        [1.0],
        prompt,
        PlanConfig(row_tokens=400, max_views=4, max_questions=5, augment=augment),
    )
    found = visits(plan, 10)
    for visit in found:
        assert len(set(visit.views)) == len(visit.views) <= 4
        assert len(visit.questions) <= 5
        assert not (visit.cropped and visit.questions)
        assert visit.tokens <= 400
        for question in visit.questions:
            assert set(views_of(index, visit.sample, question)) <= set(visit.views)
    assert 0.1 < np.mean([visit.cropped for visit in found]) < 0.3
    shuffled = [
        visit.views != tuple(sorted(visit.views)) for visit in found if len(visit.views) > 1
    ]
    assert 0.25 < np.mean(shuffled) < 0.6
    assert {len(visit.views) for visit in found} == {1, 2, 3, 4}


def test_every_question_comes_round(prompt):
    index = random_index(12, 6, 20, 5, seed=2)
    plan = Plan([index], [1.0], prompt, PlanConfig(row_tokens=4000, max_views=3, max_questions=6))
    asked = {(v.sample, q) for v in visits(plan, 120) for q in v.questions}
    fits = {(s, q) for s in range(12) for q in range(20) if len(views_of(index, s, q)) <= 3}
    assert asked == fits
    assert plan.never_asked() == 12 * 20 - len(fits)


def test_tasks_are_asked_as_often_as_their_weights_say(prompt):
    index = random_index(60, 4, 40, 4, seed=3)
    rare = np.where(index.task == 3, np.where(np.arange(len(index.task)) % 4, 0, 3), index.task)
    index = replace(
        index, task=rare.astype(np.int32)
    )  # task 3 has a quarter of the questions of others
    weights = {"task_0": 1.0, "task_1": 2.0, "task_2": 0.0}
    plan = Plan(
        [index], [1.0], prompt, PlanConfig(row_tokens=4000, max_questions=4, task_weights=weights)
    )
    met = Counter(
        int(index.task[index.start[v.sample] + q]) for v in visits(plan, 40) for q in v.questions
    )
    assert met[2] == 0
    assert met[1] / met[0] == pytest.approx(2.0, rel=0.15)
    assert met[3] / met[0] == pytest.approx(1.0, rel=0.15)
    with pytest.raises(ConfigError, match="no dataset asks task_9"):
        Plan([index], [1.0], prompt, PlanConfig(row_tokens=400, task_weights={"task_9": 1.0}))


def test_planned_tokens_are_the_tokens_of_the_row(open_loader, prompt):
    loader = open_loader(max_questions=6, row_tokens=900)
    for row in loader.plan.block(0):
        for visit in row:
            batch = collate([loader.reader.read(visit)], prompt)
            assert len(batch.input_ids) == visit.tokens
            assert len(batch.branches) == len(visit.questions)


def test_a_million_samples_are_planned_at_once(prompt):
    index = random_index(20_000, 4, 3, 10, seed=4)
    repeat = 50
    total = 20_000 * 3
    index = replace(
        index,
        num_views=np.tile(index.num_views, repeat),
        start=np.arange(20_000 * repeat + 1, dtype=np.int64) * 3,
        task=np.tile(index.task, repeat),
        tokens=np.tile(index.tokens, repeat),
        views=np.tile(index.views, repeat),
        view_start=np.concatenate(
            [
                (index.view_start[:-1] + np.arange(repeat)[:, None] * len(index.views)).ravel(),
                [repeat * len(index.views)],
            ]
        ),
    )
    assert len(index.tokens) == total * repeat
    begin = time.process_time()
    plan = Plan([index], [1.0], prompt, PlanConfig(row_tokens=2000))
    first = plan.block(0)
    far = plan.block(700)
    assert first != far
    assert time.process_time() - begin < 4.0  # 0.4 s on a quiet machine without shape checks


def test_bad_settings_are_named():
    for name, value in [("row_tokens", 0), ("max_views", 0), ("max_questions", -1), ("seed", -1)]:
        with pytest.raises(ConfigError, match=name):
            PlanConfig(**({"row_tokens": 10} | {name: value}))
    with pytest.raises(ConfigError, match="weight of task x"):
        PlanConfig(row_tokens=10, task_weights={"x": -1.0})


def test_a_place_is_a_few_integers(open_loader):
    (_, state), *_ = itertools.islice(open_loader().plan.rows(LoaderState()), 1)
    assert state == LoaderState(index=1, block=0, row=1)
