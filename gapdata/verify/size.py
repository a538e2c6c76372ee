"""Questions about how large objects are: the box that states it, and how it fits what is seen."""

from __future__ import annotations

import numpy as np

from gapdata.sample import QA
from gapdata.verify.names import naming_fault
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.verdict import (
    AGREE,
    Verdict,
    bounded,
    contradict,
    first_doubt,
    kind_of,
    number_verdict,
    options_verdict,
    unverifiable,
)

SPANNED = 0.9  # of a dimension: as good as all of it, from pixels some millimetres apart
HALF_SPANNED = 0.5  # of its second best dimension that an uncut object spans at least


def object_size(facts: PixelFacts, qa: QA) -> Verdict:
    """The box's height or longest dimension; the pixels must stay within it and, seen whole, span it."""
    (number,) = qa.objects
    if fault := naming_fault(facts, qa, qa.question, number):
        return contradict(fault)
    size = facts.instance(number).box.size
    # The box is upright: its third axis is the height.
    axis = 2 if kind_of(qa) == "object_size_height" else int(size.argmax())
    return first_doubt(
        number_verdict(qa, float(size[axis]), 1e-3),
        options_verdict(qa),
        box_verdict(facts, number, axis),
    )


def box_verdict(facts: PixelFacts, number: int, axis: int | None = None) -> Verdict:
    """Whether the table's box is that of what is seen: nothing sticks out, and what is seen spans it.

    Agreement when the points span the asked axis, or all three; bounded when they span less, as they may where
    the rest is hidden or cut off.
    """
    fit = facts.box_fit(number)
    name = f"{number} {facts.label(number)}"
    if np.isnan(fit.beyond):
        return unverifiable("no depth on the object")
    if fit.beyond > facts.tolerance:
        return contradict(f"{name}: sticks {fit.beyond:.2f} m out of its box")
    # Up to a step is missing at each end; of what is thinner than a few pixels that is most.
    spanned = fit.filled + 2 * fit.step / facts.instance(number).box.size
    if facts.exact and fit.whole and np.sort(spanned)[1] < HALF_SPANNED:
        return contradict(f"{name}: seen whole, spans {fit.filled.round(2).tolist()} of its box")
    spans = fit.filled.min() if axis is None else fit.filled[axis]
    if spans >= SPANNED:
        return AGREE
    return bounded(f"{name}: what is seen spans {fit.filled.round(2).tolist()} of its box")
