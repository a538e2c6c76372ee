"""Writes the table of published question sets and our tasks into DATASETS.md.

python pipelines/coverage.py
"""

from __future__ import annotations

from pathlib import Path

from gapdata.tasks.coverage import with_coverage

PAGE = Path(__file__).parents[1] / "DATASETS.md"


def main() -> None:
    """Replaces the table between the page's markers."""
    PAGE.write_text(with_coverage(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
