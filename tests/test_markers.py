"""Markers land on their pixel, in their colour, on their view, and on a copy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gapdata.markers import COLORS, KINDS, MASK_OPACITY, draw_markers, marked_views, marker
from gapdata.sample import QA
from tests.fixtures.samples import room_sample

GREY = np.full((120, 160, 3), 90, np.uint8)


@pytest.mark.parametrize("kind", ["point", "cross"])
@pytest.mark.parametrize("color", list(COLORS))
def test_a_point_is_drawn_on_its_pixel_and_nowhere_far(kind, color):
    drawn = draw_markers(GREY, [marker(kind, 0, color, pixel=(40.2, 69.8))], 0)
    assert tuple(drawn[70, 40]) == COLORS[color]
    changed = np.argwhere((drawn != GREY).any(axis=-1))
    assert np.allclose(changed.mean(axis=0), [70, 40], atol=0.5)
    assert np.abs(changed - [70, 40]).max() <= 10
    assert (GREY == 90).all()


def test_a_box_is_drawn_on_its_border():
    drawn = draw_markers(GREY, [marker("box", 1, "green", bbox=(20, 30, 100, 80))], 1)
    for u, v in [(20, 50), (100, 50), (60, 30), (60, 80)]:
        assert tuple(drawn[v, u]) == COLORS["green"]
    assert tuple(drawn[55, 60]) == (90, 90, 90)


def test_a_mask_tints_exactly_the_pixels_of_its_instance():
    instance = np.zeros((120, 160), np.uint16)
    instance[10:20, 30:50] = 7
    record = marker("mask", 0, "red", instance=7)
    drawn = draw_markers(GREY, [record], 0, instance)
    assert ((drawn != GREY).any(axis=-1) == (instance == 7)).all()
    expected = np.rint((1 - MASK_OPACITY) * 90 + MASK_OPACITY * np.array(COLORS["red"]))
    assert (drawn[12, 31] == expected).all()
    for v, u in [(10, 30), (19, 49), (15, 30), (10, 40)]:
        assert tuple(drawn[v, u]) == COLORS["red"]
    with pytest.raises(ValueError, match="instance ids"):
        draw_markers(GREY, [record], 0)


def test_text_is_written_beside_the_marker():
    plain = draw_markers(GREY, [marker("point", 0, "red", pixel=(40, 60))], 0)
    named = draw_markers(GREY, [marker("point", 0, "red", pixel=(40, 60), text="A")], 0)
    changed = np.argwhere((plain != named).any(axis=-1))
    assert len(changed) > 0
    assert changed[:, 1].min() > 40


@pytest.mark.parametrize("kind", ["point", "cross", "box", "mask"])
def test_other_views_and_places_outside_the_image_change_nothing(kind):
    record = marker(kind, 1, "red", pixel=(-500, 900), bbox=(900, 900, 950, 950), instance=3)
    nothing = np.zeros((120, 160), np.uint16)
    assert (draw_markers(GREY, [record], 0, nothing) == GREY).all()
    assert (draw_markers(GREY, [record], 1, nothing) == GREY).all()


def test_unknown_kinds_and_colors_are_refused():
    assert set(KINDS) == {"point", "cross", "box", "mask"}
    with pytest.raises(ValueError, match="found 'star'"):
        marker("star", 0, "red")
    with pytest.raises(ValueError, match="'mauve'"):
        marker("point", 0, "mauve", pixel=(1, 1))


def test_marked_views_shows_a_questions_views_in_its_order_with_its_markers_only():
    sample = room_sample(num_views=3)
    records = (
        marker("point", 2, "red", pixel=(20.0, 15.0)),
        marker("mask", 0, "blue", instance=int(sample.views[0].instance.max())),
    )
    qa = QA(
        id="a", task="t", format="yesno", views=(2, 0), frame="", question="Is it?", answer="Yes", value=True,
        markers=records,
    )  # fmt: skip
    last, first = marked_views(sample, qa)
    assert tuple(last[15, 20]) == COLORS["red"]
    expected = draw_markers(sample.views[0].rgb, records, 0, sample.views[0].instance)
    assert (first == expected).all()
    assert (first != sample.views[0].rgb).any()
    blind = replace(sample, views=tuple(replace(view, rgb=None) for view in sample.views))
    with pytest.raises(ValueError, match="rgb"):
        marked_views(blind, qa)
