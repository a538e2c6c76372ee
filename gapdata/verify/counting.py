"""Questions about how many objects there are, from the instance ids of the pixels."""

from __future__ import annotations

from gapdata.sample import QA
from gapdata.verify.names import is_named
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.verdict import Verdict, contradict, number_verdict


def object_count(facts: PixelFacts, qa: QA) -> Verdict:
    """How many ids with the counted label have a pixel in the asked views."""
    labels = {facts.label(number) for number in qa.objects}
    if len(labels) != 1 or not is_named(facts, qa.objects[0], qa.question):
        return contradict(f"the question does not count objects labelled {sorted(labels)}")
    shown = [number for number in facts.ids(qa.views) if facts.label(number) in labels]
    if sorted(qa.objects) != shown:
        return contradict(f"stated objects {sorted(qa.objects)}, the pixels show {shown}")
    return number_verdict(qa, float(len(shown)), 0.0)
