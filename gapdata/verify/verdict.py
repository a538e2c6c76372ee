"""What a second derivation says of a stated answer, and how a stated number is compared with a derived one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gapdata.answers import DECIMALS, parse_answer
from gapdata.sample import QA

KINDS = ("agree", "bounded", "unverifiable", "contradict")


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """One of KINDS, and why: the numbers that contradict, the bound that holds, or what the pixels lack."""

    kind: str
    detail: str = ""


AGREE = Verdict(kind="agree")


def bounded(detail: str) -> Verdict:
    """The pixels only bound the truth, and the stated answer keeps to the bound."""
    return Verdict(kind="bounded", detail=detail)


def unverifiable(reason: str) -> Verdict:
    """The pixels say nothing; reasons are counted, so they are short and fixed."""
    return Verdict(kind="unverifiable", detail=reason)


def contradict(detail: str) -> Verdict:
    """The stated answer is not what the pixels say; `detail` has both in numbers."""
    return Verdict(kind="contradict", detail=detail)


def verdict_of(holds: bool | np.bool_, detail: str) -> Verdict:
    """Agreement, or a contradiction with its detail."""
    return AGREE if holds else contradict(detail)


def first_doubt(*verdicts: Verdict) -> Verdict:
    """The worst of several verdicts about one answer, the first of the equally bad; agreement of none."""
    return max(verdicts, key=lambda verdict: KINDS.index(verdict.kind), default=AGREE)


def stated_number(qa: QA) -> float:
    """The number that the answer's text states, in `qa.unit`, of a number or of a choice between numbers."""
    return float(parse_answer(qa.answer, "number", qa.unit))


def rounding(qa: QA) -> float:
    """How far a number's text may be from the number, in `qa.unit`."""
    return float(0.5 * 10.0 ** -DECIMALS[qa.unit])


def number_verdict(qa: QA, derived: float, tolerance: float) -> Verdict:
    """Whether the stated number is the derived one within a tolerance and the rounding of the text."""
    stated = stated_number(qa)
    return verdict_of(
        abs(stated - derived) <= tolerance + rounding(qa) + 1e-9,
        f"stated {qa.answer}, derived {derived:.3f} {qa.unit}",
    )


def kind_of(qa: QA) -> str:
    """The wording's key: which of its task's questions this is."""
    return qa.template.partition("/")[0]


def margin_verdict(qa: QA, derived: float, tolerance: float, *, at_least: float = 0.0) -> Verdict:
    """Whether the stated margin is the derived one, and not below the threshold it was asked with."""
    near = abs(qa.margin - derived) <= tolerance and qa.margin >= at_least - 1e-9
    return verdict_of(
        near, f"margin {qa.margin:.3f}, derived {derived:.3f}, asked with at least {at_least:.3f}"
    )


def options_verdict(qa: QA) -> Verdict:
    """Whether the margin of a choice between numbers is the distance to the nearest wrong option."""
    if qa.format != "choice":
        return AGREE
    stated = stated_number(qa)
    others = [float(parse_answer(o, "number", qa.unit)) for o in qa.choices if o != qa.answer]
    return margin_verdict(qa, min(abs(other - stated) for other in others), 1e-6)
