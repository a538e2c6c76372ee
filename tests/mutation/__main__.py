"""Print who catches which planted fault in a dataset's samples.

python -m tests.mutation OUT [--samples N]
"""

from __future__ import annotations

import argparse

from gapdata.shards.reader import open_dataset
from tests.mutation.table import catches


def main() -> None:
    """Print the table, and how many faults nobody caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--samples", type=int, default=2)
    args = parser.parse_args()
    dataset = open_dataset(args.url)
    samples = [dataset[i] for i in range(min(args.samples, len(dataset)))]
    print("| fault | caught by | code or task | contradicted rows |\n|---|---|---|---|")
    missed = total = 0
    for catch in catches(samples):
        print("| " + " | ".join(catch.cells()) + " |", flush=True)
        total += catch.name != "no fault"
        missed += not catch.caught and catch.name != "no fault"
    print(f"\n{total} kinds of fault in {len(samples)} samples, {missed} caught by nobody")


if __name__ == "__main__":
    main()
