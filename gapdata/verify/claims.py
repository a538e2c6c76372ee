"""Questions whether a relation holds for an object, or for which of several: judged object by object."""

from __future__ import annotations

from collections.abc import Callable

from gapdata.sample import QA
from gapdata.verify.names import naming_fault
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.verdict import AGREE, Verdict, bounded, contradict

Judge = Callable[
    [int], bool | None
]  # whether it holds for an object; None when the pixels leave it open


def claim_verdict(facts: PixelFacts, qa: QA, anchors: int, judge: Judge) -> Verdict:
    """A claim about one object, or a choice of which just one is right; the first objects are the anchors."""
    fixed, asked = qa.objects[:anchors], qa.objects[anchors:]
    in_question = qa.objects if qa.format == "yesno" else fixed
    fault = naming_fault(facts, qa, qa.question, *in_question)
    for number, choice in zip(asked, qa.choices, strict=False):
        fault = fault or naming_fault(facts, qa, choice, number)
    if qa.format == "yesno":
        stated = [bool(qa.value)]
    else:
        stated = [choice == qa.value for choice in qa.choices]
    if fault or len(stated) != len(asked):
        return contradict(fault or f"{len(asked)} objects for {len(stated)} options")
    found = [judge(number) for number in asked]
    wrong = [
        f"{number} {facts.label(number)}: stated {claim}, found {holds}"
        for number, claim, holds in zip(asked, stated, found, strict=True)
        if holds is not None and holds != claim
    ]
    if wrong:
        return contradict("; ".join(wrong))
    if None not in found:
        return AGREE
    return bounded(
        f"left open for {[n for n, holds in zip(asked, found, strict=True) if holds is None]}"
    )
