"""Verifies the questions of a sample and of a finished dataset, and counts what was found."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from gapdata.answers import AnswerError, parse_answer
from gapdata.checks.records import question_faults
from gapdata.sample import QA, Sample
from gapdata.shards.reader import open_dataset
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.registry import open_verifier
from gapdata.verify.verdict import KINDS, Verdict, contradict, unverifiable

LAYERS = ("rgb", "depth", "instance")
NO_VERIFIER = "no verifier for the task"


@dataclass(frozen=True, kw_only=True, slots=True)
class Contradiction:
    """One stated answer that the pixels do not bear out."""

    key: str
    question: str  # the question's id
    task: str
    detail: str

    def __str__(self) -> str:
        return f"{self.key}: {self.question}: {self.task}: {self.detail}"


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifyReport:
    """What a verification found.

    tasks: per task the number of questions by verdict. reasons: why questions could not be verified, counted as
    "task: reason". contradictions: all of them.
    """

    samples: int
    tasks: Mapping[str, Mapping[str, int]]
    reasons: Mapping[str, int]
    contradictions: tuple[Contradiction, ...]

    @property
    def ok(self) -> bool:
        """Whether no answer is contradicted."""
        return not self.contradictions

    @property
    def asked(self) -> int:
        """Number of questions."""
        return sum(sum(kinds.values()) for kinds in self.tasks.values())


@dataclass(slots=True)
class _Tally:
    samples: int = 0
    tasks: dict[str, Counter[str]] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    contradictions: list[Contradiction] = field(default_factory=list)

    def add(self, key: str, qa: QA, verdict: Verdict) -> None:
        self.tasks.setdefault(qa.task, Counter(dict.fromkeys(KINDS, 0)))[verdict.kind] += 1
        if verdict.kind == "unverifiable":
            self.reasons[f"{qa.task}: {verdict.detail}"] += 1
        elif verdict.kind == "contradict":
            found = Contradiction(key=key, question=qa.id, task=qa.task, detail=verdict.detail)
            self.contradictions.append(found)


def verify_dataset(url: str, *, progress: Callable[[int, int], None] | None = None) -> VerifyReport:
    """What the pixels say of every answer of a finished dataset; only depth, instance ids and records are read.

    `progress` is called with (samples done, samples in total). Raises DatasetError for a dataset that is
    unfinished or damaged.
    """
    dataset, tally = open_dataset(url, layers=LAYERS), _Tally()
    for sample in dataset:
        for qa, verdict in verify_sample(sample):
            tally.add(sample.key, qa, verdict)
        tally.samples += 1
        if progress is not None:
            progress(tally.samples, len(dataset))
    return VerifyReport(
        samples=tally.samples,
        tasks={task: dict(tally.tasks[task]) for task in sorted(tally.tasks)},
        reasons=dict(sorted(tally.reasons.items())),
        contradictions=tuple(tally.contradictions),
    )


def verify_sample(sample: Sample) -> Iterator[tuple[QA, Verdict]]:
    """Each question of a decoded sample with its verdict."""
    facts = PixelFacts(sample)
    for qa in sample.qa:
        yield qa, verify_question(facts, qa)


def verify_question(facts: PixelFacts, qa: QA) -> Verdict:
    """What the pixels say of one answer, after its own parts were held against each other."""
    fault = next(question_faults(qa, facts.sample), "") or _choice_fault(qa)
    if fault:
        return contradict(fault)
    verifier = open_verifier(qa.task)
    if verifier is None:
        return unverifiable(NO_VERIFIER)
    try:
        return verifier(facts, qa)
    except (AnswerError, KeyError, IndexError, ValueError) as error:
        # A verifier takes the question's shape for granted; what does not fit it is reported, not raised.
        return contradict(f"objects, markers or evidence do not fit the task: {error!r}")


def _choice_fault(qa: QA) -> str:
    """What is wrong with the options of a choice between numbers: two may read differently and say the same."""
    if qa.format != "choice" or qa.unit == "deg":
        return ""
    try:
        numbers = [float(parse_answer(choice, "number", qa.unit)) for choice in qa.choices]
    except AnswerError:
        return ""  # options in words
    if len(set(numbers)) < len(numbers) or not all(map(math.isfinite, numbers)):
        return f"options say the same: {qa.choices}"
    return ""
