"""The blind figures of each task and format, with how sure they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from gapdata.audit.guesses import rule_scores
from gapdata.audit.learner import learned_scores, need_scikit_learn
from gapdata.audit.words import BlindQuestion
from gapdata.balance import chance

Array = np.ndarray

FOLDS = 5
LEARNED_FROM = 20_000  # questions of a task and format that a model learns from at most
Z = 2.576  # of a 99 % interval: a report has hundreds of figures
SHOWN_ANSWERS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Blind:
    """What one way to answer blind earns: a share from 0 to 1, and the ends of its 99 % interval."""

    score: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskAudit:
    """The figures of one task and format.

    chance: of `gapdata.balance.chance`, in the mean. guess: the best rule, chosen without the scene it is tried on.
    learned: the text model. Both are None where they cannot be had. rules: every rule's score on all questions.
    positions: how often the right option is the first, second, ...; position_p: probability of counts as uneven as
    these if all were alike. distractors: smallest and largest ratio of a wrong to the right number.
    """

    task: str
    format: str
    questions: int
    scenes: int
    chance: float
    guess: Blind | None
    learned: Blind | None
    rules: Mapping[str, float]
    answers: Mapping[str, int]  # the most frequent ones and how often they are right
    positions: tuple[int, ...] = ()
    position_p: float = 1.0
    distractors: tuple[float, float] | None = None

    @property
    def best(self) -> Blind:
        """The better of the two ways to answer blind; chance when none could be tried."""
        tried = [blind for blind in (self.guess, self.learned) if blind is not None]
        nothing = Blind(score=self.chance, low=0.0, high=1.0)
        return max(tried, key=lambda blind: blind.score, default=nothing)

    @property
    def gap(self) -> float:
        """Points (hundredths) by which the better way lies above chance."""
        return 100.0 * (self.best.score - self.chance)

    @property
    def majority(self) -> float:
        """Share of the most frequent answer."""
        return max(self.answers.values()) / self.questions

    def exceeds(self, max_gap: float) -> bool:
        """Whether the gap is more than `max_gap` points, and surely not just luck."""
        return self.gap > max_gap and self.best.low > self.chance


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditReport:
    """The figures of a dataset, by task and format in the order of their names."""

    tasks: tuple[TaskAudit, ...]

    def exceeding(self, max_gap: float) -> tuple[TaskAudit, ...]:
        """Those whose gap is more than `max_gap` points."""
        return tuple(task for task in self.tasks if task.exceeds(max_gap))


def audit_questions(
    questions: Sequence[BlindQuestion], *, progress: Callable[[int, int], None] | None = None
) -> AuditReport:
    """The figures of all questions, by task and format. Raises MissingDependencyError without scikit-learn.

    `progress` is called with (tasks and formats done, in total).
    """
    need_scikit_learn()
    groups: dict[tuple[str, str], list[BlindQuestion]] = {}
    for question in questions:
        groups.setdefault((question.qa.task, question.qa.format), []).append(question)
    found = []
    for key in sorted(groups):
        found.append(_audit_group(groups[key]))
        if progress is not None:
            progress(len(found), len(groups))
    return AuditReport(tasks=tuple(found))


def _audit_group(questions: Sequence[BlindQuestion]) -> TaskAudit:
    first, scenes = questions[0].qa, [question.scene for question in questions]
    rules, guess = rule_scores(questions, FOLDS)
    learned = learned_scores(questions, FOLDS, LEARNED_FROM)
    levels = [chance(q.qa.format, q.possible, q.qa.unit) for q in questions]
    positions, position_p = _positions(questions)
    return TaskAudit(
        task=first.task,
        format=first.format,
        questions=len(questions),
        scenes=len(set(scenes)),
        chance=float(np.mean(levels)),
        guess=None if guess is None else interval(guess, scenes),
        learned=None if learned is None else interval(learned, scenes),
        rules={name: float(scores.mean()) for name, scores in rules.items()},
        answers=dict(Counter(q.qa.answer for q in questions).most_common(SHOWN_ANSWERS)),
        positions=positions,
        position_p=position_p,
        distractors=_distractors(questions),
    )


def interval(scores: Float[Array, " n"], scenes: Sequence[str]) -> Blind:
    """The mean of scores between 0 and 1 with Wilson's 99 % interval for as many questions as they are worth.

    Questions of one scene resemble each other: n questions are worth n / d, where d is by how much the variance
    of the mean between scenes is above that of independent ones (Kish's design effect, at least 1).
    """
    count, mean = len(scores), float(scores.mean())
    _, scene = np.unique(np.array(scenes), return_inverse=True)
    sums = np.bincount(scene, weights=scores - mean)
    independent, clustered = float(((scores - mean) ** 2).sum()), float((sums**2).sum())
    worth = count / max(1.0, clustered / independent if independent > 0 else 1.0)
    middle = (mean + Z**2 / (2 * worth)) / (1 + Z**2 / worth)
    reach = Z / (1 + Z**2 / worth) * np.sqrt(mean * (1 - mean) / worth + Z**2 / (4 * worth**2))
    return Blind(score=mean, low=float(middle - reach), high=float(middle + reach))


def _positions(questions: Sequence[BlindQuestion]) -> tuple[tuple[int, ...], float]:
    """How often each place holds the right option, and the chi-square p of that if all places were alike."""
    if questions[0].qa.format != "choice":
        return (), 1.0
    from scipy.stats import chi2

    most = max(len(question.options) for question in questions)
    found = np.bincount([question.right for question in questions], minlength=most)
    expected = np.zeros(most)
    for question in questions:
        expected[: len(question.options)] += 1.0 / len(question.options)
    statistic = float(((found - expected) ** 2 / expected).sum())
    return tuple(found.tolist()), float(chi2.sf(statistic, most - 1)) if most > 1 else 1.0


def _distractors(questions: Sequence[BlindQuestion]) -> tuple[float, float] | None:
    """Smallest and largest ratio of a wrong option to the right one, where options are positive numbers."""
    ratios: list[float] = []
    for question in questions:
        numbers = question.quantities
        if question.qa.format != "choice" or numbers is None or numbers.min() <= 0:
            return None
        ratios += np.delete(numbers / numbers[question.right], question.right).tolist()
    return (min(ratios), max(ratios)) if ratios else None
