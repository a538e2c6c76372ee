"""A room of boxes rendered once for all task tests."""

from __future__ import annotations

import pytest

from gapdata.scene import Scene
from gapdata.tasks.facts import Facts
from gapdata.view import View
from tests.fixtures.asking import facts_of, rendered
from tests.fixtures.scenes import box_room

FRAMES = (0, 1, 2, 7)


@pytest.fixture(scope="session")
def room() -> tuple[Scene, tuple[View, ...]]:
    """Seven boxes, two of them with one label, and four views that see most of them."""
    scene = box_room(8, height=180, width=240, furniture=7)
    return scene, rendered(scene, FRAMES)


@pytest.fixture(scope="session")
def room_facts(room: tuple[Scene, tuple[View, ...]]) -> Facts:
    """Facts of the room's four views."""
    return facts_of(*room)
