"""Questions about whether there is an object of a kind, or of which kind there are more."""

from __future__ import annotations

import numpy as np

from gapdata.labels import GROUND_LABELS, is_structure
from gapdata.sample import QA
from gapdata.verify.names import is_named, speaks_of
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.verdict import Verdict, contradict, first_doubt, margin_verdict, verdict_of


def count_comparison(facts: PixelFacts, qa: QA) -> Verdict:
    """How many ids with each of the two labels have a pixel in the asked views."""
    labels = qa.evidence["labels"]
    texts = qa.choices or (qa.question, qa.question)
    for label, text in zip(labels, texts, strict=True):
        if not speaks_of(text, label):
            return contradict(f"{text!r} does not name the {label!r}")
    shown = [[n for n in facts.ids(qa.views) if facts.label(n) == label] for label in labels]
    if sorted(qa.objects) != sorted(shown[0] + shown[1]):
        return contradict(f"stated objects {sorted(qa.objects)}, the pixels show {shown}")
    a, b = len(shown[0]), len(shown[1])
    more = qa.choices[int(b > a)] if qa.choices else a > b
    return first_doubt(
        verdict_of(more == qa.value and a != b, f"stated {qa.answer}, counted {a} and {b}"),
        margin_verdict(qa, float(abs(a - b)), 1e-6),
    )


def exists(facts: PixelFacts, qa: QA) -> Verdict:
    """Whether any id whose label ends with the asked words has a pixel in the asked views."""
    label = qa.evidence["label"]
    if label.casefold() not in qa.question.casefold():
        return contradict(f"the question does not name the {label!r}")
    words = label.casefold().split()
    shown = facts.ids(qa.views)
    fitting = [n for n in shown if facts.label(n).casefold().split()[-len(words) :] == words]
    if qa.value:
        (number,) = qa.objects
        return verdict_of(
            number in fitting and is_named(facts, number, qa.question),
            f"stated {number}, the pixels show {fitting}",
        )
    unlabelled = max(_unlabelled(facts, view) for view in qa.views)
    return first_doubt(
        verdict_of(not fitting, f"stated no {label}, the pixels show {fitting}"),
        margin_verdict(qa, 1.0 - unlabelled, 1e-3, at_least=1.0 - qa.evidence["max_unlabelled"]),
    )


def _unlabelled(facts: PixelFacts, view: int) -> float:
    """Part of the pixels with depth that show no instance, or one whose label says nothing."""
    depth, image = facts.views[view].depth, facts.views[view].instance
    assert depth is not None
    assert image is not None
    numbers = image[depth > 0]
    counts = np.bincount(numbers, minlength=1)
    nameless = sum(
        int(count)
        for number, count in enumerate(counts.tolist())
        if count and (number == 0 or not _has_name(facts, number))
    )
    return nameless / max(len(numbers), 1)


def _has_name(facts: PixelFacts, number: int) -> bool:
    label = facts.label(number)
    shell = label in ("wall", "floor", "ceiling") or label in GROUND_LABELS
    return bool(label.strip()) and (shell or not is_structure(label, facts.instance(number).nyu40))
