"""Every task has a verifier, and every verifier a task."""

from __future__ import annotations

from gapdata.tasks import TASKS
from gapdata.verify import VERIFIERS
from gapdata.verify.registry import open_verifier

# Tasks whose answers are not derived a second time yet; this may only shrink.
MISSING: set[str] = set()


def test_every_task_has_a_verifier() -> None:
    assert set(TASKS) - set(VERIFIERS) <= MISSING


def test_every_verifier_opens_and_says_what_it_derives() -> None:
    for name in VERIFIERS:
        verifier = open_verifier(name)
        assert verifier is not None
        assert verifier.__doc__
        assert verifier.__name__ == name
    assert open_verifier("no such task") is None
