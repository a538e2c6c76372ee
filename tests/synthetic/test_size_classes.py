"""Size classes: one rule, in order, each class met in rooms."""

from __future__ import annotations

from collections import Counter

from gapdata.scene import Scene
from gapdata.synthetic.models import LABEL_NYU40
from gapdata.synthetic.size_classes import BOUNDS, size_class


def test_longer_is_never_a_smaller_class() -> None:
    assert set(BOUNDS) <= set(LABEL_NYU40)
    for label, (small, large) in BOUNDS.items():
        assert 0 < small < large
        lengths = (0.5 * small, 0.5 * (small + large), 2 * large)
        assert [size_class(label, x) for x in lengths] == ["small", "medium", "large"]
    assert size_class("wall", 3.0) == ""


def test_rooms_hold_all_classes_by_the_length_of_the_box(rooms: list[Scene]) -> None:
    met = Counter()
    for scene in rooms:
        for instance in scene.instances:
            met[instance.attributes.size] += 1
            assert instance.attributes.size == size_class(instance.label, instance.box.size.max())
    share = [met[name] / (met.total() - met[""]) for name in ("small", "medium", "large")]
    assert min(share) > 0.2
