"""The worlds that task tests ask about, rendered once."""

from __future__ import annotations

import pytest

from gapdata.scene import Scene
from gapdata.tasks.facts import Facts
from gapdata.view import View
from tests.fixtures.worlds import world, world_facts


@pytest.fixture(scope="session")
def room() -> tuple[Scene, tuple[View, ...]]:
    """Seven boxes, two of them with one label, and four views that see most of them."""
    return world("room")


@pytest.fixture(scope="session")
def room_facts() -> Facts:
    """Facts of the room's four views."""
    return world_facts("room")
