"""Geometry of shown pictures agrees with itself: cameras, depth, points, boxes and words, cropped or not."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapdata.geometry.boxes import Box
from gapdata.geometry.camera import project, unproject_depth
from gapdata.geometry.transforms import invert_rigid, rotation_about_z, transform_points
from gapdata.labels import is_structure
from gapdata.shards.reader import Dataset
from gapmodel.data.augment import NOTHING, Augment, draw_recolouring, noisy_depth
from gapmodel.data.example import Example
from gapmodel.data.geometry import SeenObject, boxes_in_first
from gapmodel.data.phrases import (
    RELATIONS,
    PhraseBook,
    RelationRule,
    describe,
    relations_hold,
    sample_relations,
)
from gapmodel.data.reading import ExampleReader, Showing, Visit
from tests.gapmodel.data.conftest import ALL_NEEDS, SIZE

SHOWINGS = {
    "whole": (SIZE, False),
    "smaller": ((64, 96), False),
    "larger": ((120, 130), False),
    "cropped": (SIZE, True),
    "cropped and smaller": ((64, 64), True),
}


def read(dataset: Dataset, visit: Visit, **showing: object) -> Example:
    settings = {"image_size": SIZE, "needs": ALL_NEEDS, "phrase_tokens": 400} | showing
    return ExampleReader([dataset], Showing(**settings), lambda phrase: len(phrase.split())).read(
        visit
    )


def visit(sample: int = 0, views: tuple[int, ...] = (2, 0, 3, 1), **changes: object) -> Visit:
    return Visit(
        **({"dataset": 0, "sample": sample, "number": 0, "views": views, "questions": ()} | changes)
    )


@pytest.fixture(params=SHOWINGS)
def shown(request, tiny_dataset: Dataset) -> Example:
    size, cropped = SHOWINGS[request.param]
    return read(
        tiny_dataset, visit(cropped=cropped), image_size=size, augment=Augment(crop_side=0.6)
    )


def test_points_are_where_cameras_see_them_and_at_the_depth_they_measure(shown: Example):
    assert len(shown.point_first) > 50
    assert len(np.unique(shown.seen_point)) == len(shown.point_first)  # each is seen somewhere
    height, width = shown.images.shape[1:3]
    near = 0
    for point, image, pixel in zip(
        shown.seen_point, shown.seen_image, shown.seen_pixel, strict=True
    ):
        first2cam = invert_rigid(shown.cam2first[image].astype(np.float64))
        in_camera = transform_points(first2cam, shown.point_first[point].astype(np.float64)[None])
        expected, z = project(shown.K[image].astype(np.float64), in_camera)
        np.testing.assert_allclose(pixel, expected[0], atol=0.02)
        assert -0.5 <= pixel[0] < width - 0.5
        assert -0.5 <= pixel[1] < height - 0.5
        column, row = np.floor(pixel + 0.5).astype(int)
        near += abs(shown.depth[image, row, column] - z[0]) < 0.02 + 0.02 * z[0] ** 2
    assert near > 0.85 * len(shown.seen_point)  # all but those beside an edge


def test_points_seen_twice_come_first(tiny_dataset: Dataset):
    some = read(tiny_dataset, visit(), points=40)
    assert len(some.point_first) == 40
    assert (np.bincount(some.seen_point) >= 2).all()


def test_views_agree_on_surfaces(shown: Example):
    """Depth of one picture, moved by cam2first into another, is measured there too, unless it is hidden there."""
    agree, total = 0, 0
    for a, b in itertools.permutations(range(4), 2):
        points = unproject_depth(shown.depth[a], shown.K[a]).reshape(-1, 3)[::37]
        a2b = invert_rigid(shown.cam2first[b].astype(np.float64)) @ shown.cam2first[a]
        moved = transform_points(a2b, points[points[:, 2] > 0].astype(np.float64))
        pixel, z = project(shown.K[b].astype(np.float64), moved)
        with np.errstate(invalid="ignore"):
            at = np.floor(pixel + 0.5)
            inside = (z > 0.1) & (at >= 0).all(1) & (at < shown.depth.shape[:0:-1]).all(1)
        column, row = at[inside].astype(int).T
        measured, expected = shown.depth[b, row, column], z[inside]
        open_to_see = (measured > 0) & (measured > expected - 0.05 * expected)
        total += open_to_see.sum()
        agree += (np.abs(measured - expected) < 0.05 * expected)[open_to_see].sum()
    assert total > 200
    assert agree > 0.9 * total


def test_masked_pixels_lie_in_the_boxes_of_their_objects(shown: Example):
    assert len(shown.object_instance) >= 3
    checked = 0
    for number, row in zip(
        shown.object_instance, shown.object_box_first.astype(np.float64), strict=True
    ):
        box = Box(center=row[:3], size=row[3:6], rotation=row[6:].reshape(3, 3))
        for image in range(len(shown.images)):
            points = unproject_depth(shown.depth[image], shown.K[image])
            mine = points[(shown.instance[image] == number) & (shown.depth[image] > 0)]
            if len(mine) > 20:
                first = transform_points(
                    shown.cam2first[image].astype(np.float64), mine.astype(np.float64)
                )
                assert box.contains(first, 0.03).mean() > 0.9
                checked += 1
    assert checked >= 3


def test_the_first_picture_is_the_reference(shown: Example):
    np.testing.assert_array_equal(shown.cam2first[0], np.eye(4))


def test_objects_are_shown_and_no_structure(tiny_dataset: Dataset):
    sample = tiny_dataset[1]
    found = read(tiny_dataset, visit(1), objects=99)
    by_id = {item.id: (column, item) for column, item in enumerate(sample.instances)}
    for number in found.object_instance.tolist():
        column, item = by_id[number]
        assert not is_structure(item.label, item.nyu40)
        assert sample.visibility.visible[:, column].max() >= 0.25
    few = read(tiny_dataset, visit(1), objects=3)
    assert len(few.object_instance) == 3
    assert set(few.object_instance) <= set(found.object_instance)


def test_boxes_turn_back_into_the_world(tiny_dataset: Dataset):
    sample = tiny_dataset[0]
    found = read(tiny_dataset, visit())
    first2world = sample.views[2].camera.cam2world
    boxes = {item.id: item.box for item in sample.instances}
    for number, row in zip(
        found.object_instance.tolist(), found.object_box_first.astype(np.float64), strict=True
    ):
        box = Box(center=row[:3], size=row[3:6], rotation=row[6:].reshape(3, 3)).transformed(
            first2world
        )
        np.testing.assert_allclose(box.corners, boxes[number].corners, atol=1e-5)


# --- augmentation --------------------------------------------------------------------------------------------------


def test_noise_and_dropout_change_the_input_only(tiny_dataset: Dataset):
    plain = read(tiny_dataset, visit(), input_geometry=True)
    np.testing.assert_array_equal(plain.input_depth, plain.depth)
    np.testing.assert_array_equal(plain.input_normal, plain.normal)
    assert plain.geometry_given.all()
    noisy = read(tiny_dataset, visit(), input_geometry=True, augment=Augment(depth_noise=1.0))
    assert (noisy.input_depth != noisy.depth).mean() > 0.9
    both = (noisy.input_depth > 0) & (noisy.depth > 0)
    assert both.mean() > 0.9
    assert np.median(np.abs(noisy.input_depth - noisy.depth)[both]) < 0.1
    assert (noisy.input_normal[noisy.input_depth == 0] == 0).all()
    gone = read(tiny_dataset, visit(), input_geometry=True, augment=Augment(no_geometry=1.0))
    assert not gone.geometry_given.any()
    assert not gone.input_depth.any()
    assert not gone.input_normal.any()
    for changed in (noisy, gone):
        for name in ("depth", "normal", "instance", "point_first", "object_box_first", "images"):
            np.testing.assert_array_equal(getattr(changed, name), getattr(plain, name))
    given = [
        read(
            tiny_dataset,
            visit(number=n),
            needs=frozenset(),
            input_geometry=True,
            augment=Augment(no_view_geometry=0.5),
        )
        for n in range(8)
    ]
    assert 0.2 < np.mean([e.geometry_given for e in given]) < 0.8
    for example in given:
        np.testing.assert_array_equal(example.input_depth.any(axis=(1, 2)), example.geometry_given)


def test_noise_grows_with_distance_and_keeps_holes():
    depth = np.concatenate([np.full((96, 64), 1.0), np.full((96, 64), 4.0)], axis=1).astype(
        np.float32
    )
    depth[:8] = 0
    errors = np.stack([noisy_depth(depth, np.random.default_rng(i)) - depth for i in range(20)])
    assert (errors[:, :8] == 0).all()
    valid = errors[:, 8:]
    near, far = valid[..., :60], valid[..., 68:]
    near, far = near[np.abs(near) < 0.5], far[np.abs(far) < 2]
    assert far.std() > 4 * near.std()


def test_recolouring_keeps_hue_and_what_is_asked_about_colour(tiny_dataset: Dataset):
    augment = Augment(recolour=1.0)
    assert draw_recolouring(augment, {"color", "point_depth"}, np.random.default_rng(0)) is None
    assert draw_recolouring(NOTHING, set(), np.random.default_rng(0)) is None
    plain = read(tiny_dataset, visit()).images
    changed = read(tiny_dataset, visit(), augment=augment).images
    assert 1 < np.abs(changed.astype(int) - plain).mean() < 50
    for before, after in zip(plain, changed, strict=True):
        hue = [cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(int) for image in (before, after)]
        vivid = (hue[0][..., 1] > 100) & (hue[0][..., 2] > 80)
        turn = np.abs(hue[0] - hue[1])[..., 0][vivid]
        assert vivid.sum() < 50 or np.quantile(np.minimum(turn, 180 - turn), 0.95) <= 6  # of 180


def test_questions_are_asked_about_the_views_they_are_about_in_any_order(tiny_dataset: Dataset):
    """Whatever order the views are shown in, a question's pictures are its own, in its own order."""
    sample = tiny_dataset[2]
    for number, qa in enumerate(sample.qa):
        others = [view for view in range(4) if view not in qa.views]
        views = tuple(reversed([*qa.views, *others[:1]]))
        example = read(tiny_dataset, visit(2, views, questions=(number,)), needs=frozenset())
        (question,) = example.questions
        assert (question.qa, question.answer) == (qa.id, qa.answer)
        assert question.text.startswith(qa.question)
        for position, view in zip(question.views, qa.views, strict=True):
            np.testing.assert_array_equal(example.images[position], sample.views[view].rgb)


def test_words_of_marks_say_where_they_are(tiny_dataset: Dataset):
    kinds = set()
    for index, sample in enumerate(tiny_dataset):
        for number, qa in enumerate(sample.qa):
            example = read(
                tiny_dataset,
                visit(index, tuple(sorted(set(qa.views))), questions=(number,)),
                needs=frozenset(),
            )
            text = example.questions[0].text
            for choice in qa.choices:
                assert choice in text
            assert ("Marks in pixels of 128 x 96" in text) == bool(qa.markers)
            marks = text.partition("Marks in pixels of 128 x 96: ")[2].split("\n")[0]
            for mark in qa.markers:
                kinds.add(mark["kind"])
                image = qa.views.index(mark["view"]) + 1
                part = marks.split(f"image {image}: ", 1)[1].split(";")[0]
                name = " ".join(filter(None, (mark["color"], mark["kind"], mark["text"])))
                place = part.split(f"{name} [", 1)[1].split("]")[0]
                numbers = [int(value) for value in place.split(",")]
                if mark["kind"] == "mask":
                    shown = sample.views[mark["view"]].instance == mark["instance"]
                    left, top, right, bottom = numbers
                    assert shown[top : bottom + 1, left : right + 1].sum() == shown.sum()
                    assert shown[top].any()
                    assert shown[bottom].any()
                    assert shown[:, left].any()
                    assert shown[:, right].any()
                else:
                    given_place = mark["bbox"] if mark["kind"] == "box" else mark["pixel"]
                    np.testing.assert_allclose(numbers, given_place, atol=0.51)
    assert kinds == {"point", "cross", "box", "mask"}


# --- words ---------------------------------------------------------------------------------------------------------


def thing(center, size=(0.4, 0.4, 0.4), yaw=0.0, number=1, **attributes) -> SeenObject:
    box = Box(
        center=np.array(center, float), size=np.array(size, float), rotation=rotation_about_z(yaw)
    )
    known = {"color": "", "material": "", "shape": ""} | attributes
    return SeenObject(id=number, label="cabinet", attributes=known, box=box)


# A camera at the world's origin that looks along world y with its head up: x right, y down, z forward.
WORLD2FIRST = np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    ("a", "b", "relation"),
    [
        (thing((-1, 3, 0)), thing((1, 3, 0)), 0),
        (thing((0, 2, 0)), thing((0, 4, 0)), 1),
        (thing((0, 3, 1)), thing((0, 3, -1)), 2),
        (thing((0, 3, 0), (1, 1, 1)), thing((0, 3, 0), (0.5, 0.5, 0.5)), 3),
        (thing((0, 2, 0)), thing((3, 3, 0)), 4),
    ],
)
def test_relations_in_the_viewers_frame(a, b, relation):
    holds = relations_hold([a, b], WORLD2FIRST, RelationRule())
    assert holds[relation, 0, 1]
    assert not holds[relation, 1, 0]
    assert not holds[relation].diagonal().any()


boxes = st.builds(
    lambda c, s, yaw: thing(c, s, yaw),
    st.tuples(st.floats(-2, 2), st.floats(0.5, 5), st.floats(-1, 1)),
    st.tuples(*[st.floats(0.05, 1.5)] * 3),
    st.floats(-0.8, 0.8),
)


@settings(max_examples=60)
@given(st.lists(boxes, min_size=2, max_size=5), st.floats(-0.3, 0.3))
def test_relations_equal_their_slow_twin(objects, turn):
    world2first = WORLD2FIRST.copy()
    world2first[:3, :3] = WORLD2FIRST[:3, :3] @ rotation_about_z(turn)
    rule = RelationRule()
    holds = relations_hold(objects, world2first, rule)
    for (i, a), (j, b) in itertools.permutations(enumerate(objects), 2):
        ca, cb = (transform_points(world2first, item.box.corners) for item in (a, b))
        before = ca[:, 2].min() > 0 and cb[:, 2].min() > 0
        gap = rule.gap
        assert holds[0, i, j] == (before and max(ca[:, 0]) + gap <= min(cb[:, 0]))
        assert holds[1, i, j] == (before and max(ca[:, 2]) + gap <= min(cb[:, 2]))
        higher = min(a.box.corners[:, 2]) >= max(b.box.corners[:, 2]) + gap
        assert holds[2, i, j] == (higher and max(ca[:, 1]) + gap <= min(cb[:, 1]))
        if holds[3, i, j]:
            assert a.box.volume >= 1.5 * b.box.volume
            assert a.box.size.max() > b.box.size.max()
        if holds[4, i, j]:
            # No place in box a is as far as the whole of box b is near: nearest points over a fine grid of each.
            fine = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, 7)] * 3), -1).reshape(-1, 3)
            near = [
                np.linalg.norm(
                    transform_points(
                        world2first, (fine * item.box.size) @ item.box.rotation.T + item.box.center
                    ),
                    axis=1,
                ).min()
                for item in (a, b)
            ]
            assert near[0] < near[1]
    assert not (holds & holds.transpose(0, 2, 1)).any()  # never both ways round


@given(st.integers(0, 2**32 - 1))
def test_relations_are_drawn_evenly_and_stay_true(seed):
    rng = np.random.default_rng(seed)
    holds = rng.random((5, 6, 6)) < 0.3
    rows = sample_relations(holds, 10, rng)
    assert len({tuple(row) for row in rows[:, :3].tolist()}) == len(rows) == min(10, holds.sum())
    assert all(holds[tuple(row[:3])] for row in rows)
    counts = np.bincount(rows[:, 0], minlength=5)
    enough = holds.sum(axis=(1, 2)) >= 2
    assert (counts[enough] >= 2).all()


def test_examples_state_relations_that_hold(tiny_dataset: Dataset):
    found = read(tiny_dataset, visit(3), relations=24, objects=20)
    sample = tiny_dataset[3]
    by_id = {item.id: item for item in sample.instances}
    world2first = invert_rigid(sample.views[2].camera.cam2world)
    objects = [
        SeenObject(id=n, label="", attributes={}, box=by_id[n].box)
        for n in found.object_instance.tolist()
    ]
    np.testing.assert_array_equal(boxes_in_first(objects, world2first), found.object_box_first)
    holds = relations_hold(objects, world2first, RelationRule())
    inverse = dict(RELATIONS) | {b: a for a, b in RELATIONS}
    assert len(found.relation_objects) == 24
    for (a, b), row, other in zip(
        found.relation_objects, found.relation_phrase, found.relation_inverse, strict=True
    ):
        phrase = found.phrases[row]
        assert found.phrases[other] == inverse[phrase]
        place = [pair[0] for pair in RELATIONS]
        if phrase in place:
            assert holds[place.index(phrase), a, b]
        else:
            assert holds[place.index(inverse[phrase]), b, a]


def test_objects_are_called_what_they_are(tiny_dataset: Dataset):
    found = read(tiny_dataset, visit(), objects=20)
    by_id = {item.id: item for item in tiny_dataset[0].instances}
    assert (found.object_phrase >= 0).sum() > 3
    sizes = {"small": (0, 0.35), "medium-sized": (0.5, 1.0), "large": (1.4, np.inf)}
    for number, row in zip(
        found.object_instance.tolist(), found.object_phrase.tolist(), strict=True
    ):
        if row < 0:
            continue
        item, phrase = by_id[number], found.phrases[row]
        words = phrase.removesuffix(item.label).split()
        assert phrase.endswith(item.label)
        assert words[0] == ("an" if phrase.split()[1][0] in "aeiou" else "a")
        truth = {item.attributes.color, item.attributes.material, "wooden", "woollen"}
        shapes = {"box": "box-shaped", "cylinder": "cylindrical", "sphere": "spherical"}
        truth |= {shapes.get(item.attributes.shape, item.attributes.shape)}
        for word in words[1:]:
            if word in sizes:
                assert sizes[word][0] <= item.box.size.max() <= sizes[word][1]
            else:
                assert word in truth
                assert word != "wooden" or item.attributes.material == "wood"


def test_phrases_stand_once_and_keep_their_budget():
    book = PhraseBook(budget=5, length=lambda phrase: len(phrase.split()))
    assert book.add("a b", "c") == [0, 1]
    assert book.add("c", "a b") == [1, 0]
    assert book.add("d e f") == [-1]
    assert book.add("a b", "d e f") == [-1, -1]
    assert book.add("d", "e") == [2, 3]
    assert book.budget == 0
    full = describe(
        thing((0, 0, 0), (2, 1, 1), color="red", material="wood", shape="box"), _Always()
    )
    assert full == "a large red wooden box-shaped cabinet"


class _Always(np.random.Generator):
    """Draws 0 always: every word is kept."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def random(self, *args, **kwargs):
        return np.zeros(*args)
