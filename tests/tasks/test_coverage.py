"""Every published task name leads to tasks that exist or to a reason, and the page shows the table as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from gapdata.tasks import TASKS
from gapdata.tasks.coverage import BEGIN, COVERAGE, END, SPAR, VSI, coverage_table, with_coverage

PAGE = Path(__file__).parents[2] / "DATASETS.md"


@pytest.mark.parametrize("published", COVERAGE, ids=lambda published: published.name)
def test_every_name_leads_to_tasks_that_exist_or_to_a_reason(published):
    for ours in published.tasks.values():
        if isinstance(ours, str):
            assert len(ours.split()) > 3
        else:
            assert ours
            assert set(ours) <= set(TASKS)
    assert any(not isinstance(ours, str) for ours in published.tasks.values())


def test_the_sets_are_whole():
    assert len([name for name in SPAR.tasks if not name.endswith("_hard")]) == 33
    assert len(VSI.tasks) == 10
    assert (
        len(
            {
                name.removesuffix(level)
                for name in VSI.tasks
                for level in ("_easy", "_medium", "_hard")
                if name.endswith(level) or "direction" not in name
            }
        )
        == 8
    )


def test_the_page_shows_the_table_as_it_is():
    page = PAGE.read_text(encoding="utf-8")
    assert with_coverage(page) == page
    assert coverage_table() in page


def test_a_page_without_the_markers_is_refused():
    with pytest.raises(ValueError, match="expected the lines"):
        with_coverage("nothing here")
    assert with_coverage(f"a{BEGIN}old{END}b") == f"a{BEGIN}\n\n{coverage_table()}\n\n{END}b"
