"""Questions about which views show what, by counting the pixels of each view."""

from __future__ import annotations

import json

from gapdata.sample import QA
from gapdata.verify.names import naming_fault
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.verdict import Verdict, contradict, verdict_of


def object_frame_locate(facts: PixelFacts, qa: QA) -> Verdict:
    """The views with at least one pixel of the object: nothing asked about shows only a trace."""
    (number,) = qa.objects
    if fault := naming_fault(facts, qa, qa.question, number):
        return contradict(fault)
    pixels = [facts.pixels(view, number) for view in qa.views]
    images = {f"image {place}": count for place, count in enumerate(pixels, 1)}
    if qa.format == "text":
        stated = json.loads(qa.answer)
        holds = stated == [place for place, count in enumerate(pixels, 1) if count]
    elif qa.format == "choice":
        holds = [option for option in qa.choices if images[option]] == [qa.value]
    else:
        named = [
            image
            for image in images
            if f"{image} " in f"{qa.question.replace('?', ' ').replace(':', ' ')} "
        ]
        if len(named) != 1:
            return contradict(f"expected one image in {qa.question!r}, found {named}")
        holds = qa.value == (images[named[0]] > 0)
    return verdict_of(holds, f"stated {qa.answer}, pixels are {pixels}")


def appearance_order(facts: PixelFacts, qa: QA) -> Verdict:
    """The first view with any pixel of each object: all different, and in the stated order."""
    first = []
    for number in qa.objects:
        shown = [place for place, view in enumerate(qa.views) if facts.pixels(view, number)]
        first.append(shown[0] if shown else -1)
    if min(first) < 0 or len(set(first)) < len(first):
        return contradict(f"objects {qa.objects} first appear in views {first}")
    if qa.format == "yesno":
        fault = naming_fault(facts, qa, qa.question, *qa.objects)
        holds = qa.value == (first[0] < first[1])
        return (
            contradict(fault)
            if fault
            else verdict_of(holds, f"stated {qa.answer}, first in {first}")
        )
    words = {named["object"]: named["words"] for named in qa.evidence["references"]}
    for number in qa.objects:
        if fault := naming_fault(facts, qa, words[number], number):
            return contradict(fault)
    ordered = sorted(qa.objects, key=lambda number: first[qa.objects.index(number)])
    right = ", ".join(f"the {words[number]}" for number in ordered)
    return verdict_of(qa.value == right, f"stated {qa.value!r}, by first views {right!r}")
