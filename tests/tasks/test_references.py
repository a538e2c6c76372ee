"""A reference fits exactly one object of the asked views, in words and in what is drawn."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest

from gapdata.markers import COLORS
from gapdata.scene import Attributes
from gapdata.tasks import TASKS, open_task
from gapdata.tasks.facts import CLEARLY_SEEN, Facts
from gapdata.tasks.references import ANY, IN_WORDS, MARKED, NAMED, refer, referable
from tests.fixtures.asking import ask, facts_of
from tests.fixtures.scenes import MeshBuilder, camera_at

CHAIRS = ("red", "blue", "green")


def row(colors=CHAIRS, spacing=1.0, label="chair", attributes=None, views=1) -> Facts:
    """Objects of one label side by side before the camera, left to right, and a lamp behind them."""
    builder = MeshBuilder()
    middle = 0.5 * (len(colors) - 1)
    for number in range(len(colors)):
        builder.box((spacing * (number - middle), 4.0, 0.5), (0.4, 0.4, 1.0), label)
    builder.box((0.2, 5.0, 2.0), (0.3, 0.3, 0.3), "lamp")
    builder.quad([(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)], "floor")
    cameras = [camera_at((0.1 * i, 0, 1), (0, 4, 1), height=240, width=320) for i in range(views)]
    scene = builder.scene(cameras)
    said = attributes or [Attributes(color=color) for color in colors]
    named = [replace(i, attributes=a) for i, a in zip(scene.instances, said, strict=False)]
    return facts_of(replace(scene, instances=(*named, *scene.instances[len(named) :])))


def words(facts: Facts, column: int, views=(0,), styles=ANY, draws=250) -> dict[str, set[str]]:
    """What the object is called, by style."""
    found = defaultdict(set)
    for seed in range(draws):
        (one,) = refer(facts, views, (column,), np.random.default_rng(seed), styles)
        assert one.instance == facts.id(column)
        found[one.style].add(one.words)
    return dict(found)


def test_each_style_says_what_it_should():
    facts = row()
    assert sorted(referable(facts, "t", (0,), CLEARLY_SEEN)) == [0, 1, 2, 3]
    left, middle, right, lamp = (words(facts, column) for column in range(4))
    assert (left["attribute"], left["ordinal"]) == ({"red chair"}, {"leftmost chair"})
    assert middle["ordinal"] == {"second chair from the left", "second chair from the right"}
    assert right["ordinal"] == {"rightmost chair"}
    assert lamp["label"] == {"lamp"}
    assert "label" not in left
    assert "ordinal" not in lamp
    assert left["box"] == {f"object in the {color} box" for color in COLORS}
    assert left["point"] == {f"object at the {color} point" for color in COLORS}
    assert left["mask"] == {f"object under the {color} mask" for color in COLORS}


def test_half_of_the_objects_with_a_label_of_their_own_are_called_by_it():
    facts = row()
    styles = Counter(
        refer(facts, (0,), (3,), np.random.default_rng(seed))[0].style for seed in range(400)
    )
    assert abs(styles["label"] / 400 - 0.5) < 0.08


def test_several_images_are_told_apart_by_number():
    facts = row(views=2)
    found = words(facts, 0, views=(1, 0))
    assert found["ordinal"] == {"leftmost chair in image 1", "leftmost chair in image 2"}
    assert found["attribute"] == {"red chair"}
    assert all(name.endswith((" in image 1", " in image 2")) for name in found["mask"])
    for seed in range(40):
        (one,) = refer(facts, (1, 0), (0,), np.random.default_rng(seed), MARKED)
        (record,) = one.markers
        assert one.words.endswith(f"in image {(1, 0).index(record['view']) + 1}")


@pytest.mark.parametrize(
    ("attributes", "possible"),
    [
        ([Attributes(color="red"), Attributes(color="red"), Attributes(color="blue")], {2}),
        # One that is not known, or may pass for the same, leaves it open which is meant.
        ([Attributes(color="red"), Attributes(), Attributes(color="blue")], set()),
        ([Attributes(color="red"), Attributes(color="orange"), Attributes(color="blue")], {2}),
        ([Attributes(material="wood"), Attributes(material="metal"), Attributes(material="metal")], {0}),
        ([Attributes(material="paint"), Attributes(material="metal"), Attributes(material="wood")], set()),
    ],
)  # fmt: skip
def test_an_attribute_singles_out_only_what_all_rivals_are_known_to_lack(attributes, possible):
    facts = row(attributes=attributes)
    kept = referable(facts, "t", (0,), CLEARLY_SEEN, NAMED)
    assert set(kept) - {3} == possible
    assert 3 in kept


def test_a_hidden_rival_counts():
    builder = MeshBuilder().box((0, 3, 0.6), (0.8, 0.4, 1.2), "chair")
    builder.box((0, 5, 0.3), (0.4, 0.4, 0.6), "chair")
    facts = facts_of(builder.scene([camera_at((0, 0, 0.6), (0, 3, 0.6), height=120, width=160)]))
    assert facts.visibility.pixels[0, 1] == 0
    assert referable(facts, "t", (0,), CLEARLY_SEEN, IN_WORDS) == []
    assert facts.drops["t: nothing names the object alone"] == 1
    assert facts.drops["t: object not seen well enough"] == 1
    assert referable(facts, "t", (0,), CLEARLY_SEEN) == [0]


@pytest.mark.parametrize(
    "given",
    [
        {"spacing": 0.25},  # they stand in each other
        {"spacing": 2.6},  # the outer ones are cut by the border
        {"colors": ("red",) * 6},  # too many to count
        {"label": "curtains"},
    ],
)
def test_nothing_is_counted_out_of_a_row_that_is_cut_crowded_long_or_plural(given):
    facts = row(**given)
    for column in range(3):
        if column in referable(facts, "t", (0,), CLEARLY_SEEN):
            assert "ordinal" not in words(facts, column)


def test_markers_lie_on_their_object_and_on_no_other():
    facts = row(views=2)
    ids = [view.instance for view in facts.views]
    for column in range(3):
        for seed in range(40):
            (one,) = refer(facts, (0, 1), (column,), np.random.default_rng(seed), MARKED)
            (record,) = one.markers
            assert one.style == record["kind"]
            assert record["color"] in one.words
            shown = ids[record["view"]] == one.instance
            if one.style == "mask":
                assert record["instance"] == one.instance
            elif one.style == "point":
                u, v = (int(value) for value in record["pixel"])
                assert shown[v - 2 : v + 3, u - 2 : u + 3].all()
            else:
                left, top, right, bottom = record["bbox"]
                assert shown[top : bottom + 1, left : right + 1].sum() == shown.sum()
                assert shown[top].any()
                assert shown[bottom].any()
                assert shown[:, left].any()
                assert shown[:, right].any()


def test_a_box_around_something_else_as_well_is_not_drawn():
    # A frame whose rectangle the picture in it fills.
    builder = MeshBuilder().box((0, 4, 1), (1.0, 0.1, 1.0), "panel")
    builder.box((0, 3.9, 1), (0.86, 0.05, 0.86), "poster")
    facts = facts_of(builder.scene([camera_at((0, 0, 1), (0, 4, 1), height=240, width=320)]))
    assert "box" not in words(facts, 0)
    assert "mask" in words(facts, 0)


def test_two_objects_in_one_place_are_never_marked():
    builder = MeshBuilder()
    for _ in range(2):
        builder.box((0, 4, 0.5), (1, 1, 1), "box")
    facts = facts_of(builder.scene([camera_at((0, 0, 1), (0, 4, 1), height=120, width=160)]))
    assert referable(facts, "t", (0,), CLEARLY_SEEN) == []


def test_the_objects_of_a_question_share_neither_words_nor_colours():
    facts = row()
    for seed in range(200):
        named = refer(facts, (0,), (0, 1, 2, 3), np.random.default_rng(seed))
        assert len({one.words for one in named}) == 4
        colors = [record["color"] for one in named for record in one.markers]
        assert len(set(colors)) == len(colors)
    with pytest.raises(ValueError, match="at most 6"):
        refer(facts, (0,), (0,) * 7, np.random.default_rng(0))


def test_all_tasks_draw_the_markers_they_speak_of(room_facts):
    for name in sorted(TASKS):
        for qa in ask(room_facts, open_task(name)):
            drawn = {(record["kind"], record["color"]) for record in qa.markers}
            said = " ".join((qa.question, *qa.choices))
            for named in qa.evidence.get("references", []):
                assert (
                    named["words"] in said
                    or named["words"][:1].upper() + named["words"][1:] in said
                )
                if named["style"] in MARKED:
                    color = next(c for c in COLORS if f"the {c} {named['style']}" in named["words"])
                    assert (named["style"], color) in drawn
