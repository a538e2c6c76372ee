"""SQL conditions: equal to the same condition written in Python, and refused when they are anything else."""

from __future__ import annotations

import pyarrow as pa
import pytest

from gapdata.errors import ConfigError
from gapdata.predicate import filter_rows

ROWS = [
    {"task": "counting", "margin": 0.0, "views": [0], "ok": True, "chars": 12},
    {"task": "depth", "margin": 0.25, "views": [0, 1], "ok": False, "chars": 4},
    {"task": "direction", "margin": -1.0, "views": [], "ok": True, "chars": 100},
    {"task": "100% sure", "margin": 2.0, "views": [3], "ok": False, "chars": 7},
]
TABLE = pa.Table.from_pylist(ROWS)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("task = 'depth'", lambda r: r["task"] == "depth"),
        ("task <> 'depth'", lambda r: r["task"] != "depth"),
        ("margin > 0.1 AND margin <= 2", lambda r: 0.1 < r["margin"] <= 2),
        ("margin between 0 and 0.25", lambda r: 0 <= r["margin"] <= 0.25),
        ("margin < -0.5", lambda r: r["margin"] < -0.5),
        ("task LIKE 'd%'", lambda r: r["task"].startswith("d")),
        ("NOT task IN ('depth', 'counting')", lambda r: r["task"] not in ("depth", "counting")),
        ("task NOT IN ('depth')", lambda r: r["task"] != "depth"),
        ("length(views) = 1", lambda r: len(r["views"]) == 1),
        ("length(task) > 8", lambda r: len(r["task"]) > 8),
        ("ok", lambda r: r["ok"]),
        ("ok = false or chars >= 100", lambda r: not r["ok"] or r["chars"] >= 100),
        ("task = 'depth' or task = 'counting' and margin > 1", lambda r: r["task"] == "depth"),
        ("(task = 'depth' or ok) and chars < 50", lambda r: (r["task"] == "depth" or r["ok"]) and r["chars"] < 50),
        ("chars < margin * 1", None),
    ],
)  # fmt: skip
def test_condition_keeps_the_rows_that_python_keeps(condition, expected):
    if expected is None:
        with pytest.raises(ConfigError, match="not supported"):
            filter_rows(TABLE, condition)
    else:
        assert filter_rows(TABLE, condition).to_pylist() == [row for row in ROWS if expected(row)]


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("tusk = 'depth'", "did you mean task"),
        ('task = "depth"', "single quotes"),
        ("margin > '3'", "margin"),
        ("task", "bool"),
        ("(", "not a SQL condition"),
        ("", "not a SQL condition"),
        ("ok; drop table qa", "expected one condition"),
        ("ok limit 1", "expected one condition"),
        ("ok group by task", "expected one condition"),
        ("exists (select 1)", "not supported"),
        ("task in (select task)", "not supported"),
        ("abs(margin) > 1", "not supported"),
        ("__import__('os')", "not supported"),
    ],
)
def test_anything_else_is_refused_in_one_line(condition, said):
    with pytest.raises(ConfigError, match=said) as caught:
        filter_rows(TABLE, condition)
    assert "\n" not in str(caught.value)
