"""Answers derived a second time a second on one core, with reading and decoding, by task.

python pipelines/benchmarks/verify.py OUT
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

from machine import describe_run
from threadpoolctl import threadpool_limits

from gapdata.shards.reader import open_dataset
from gapdata.verify.dataset import LAYERS, verify_question
from gapdata.verify.pixels import PixelFacts


def measure(url: str) -> None:
    """Print questions a second in all and the processor time of each task; the first to need a fact pays for it."""
    dataset = open_dataset(url, layers=LAYERS)
    spent, asked = Counter[str](), Counter[str]()
    start = last = time.process_time()
    for sample in dataset:
        facts = PixelFacts(sample)
        now = time.process_time()
        spent["read and decode"] += now - last
        last = now
        for qa in sample.qa:
            verify_question(facts, qa)
            now = time.process_time()
            spent[qa.task] += now - last
            asked[qa.task] += 1
            last = now
    seconds, total = time.process_time() - start, asked.total()
    view = dataset[0].views[0].camera
    print(
        f"{len(dataset)} samples, views {view.width}x{view.height}: "
        f"{total} questions in {seconds:.2f} s = {total / seconds:.0f} questions/s"
    )
    for name, part in spent.most_common():
        each = f"{1e3 * part / asked[name]:8.2f} ms each" if asked[name] else ""
        print(f"{name:26} {part:7.2f} s {asked[name] or '':>6} {each}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="a finished dataset")
    args = parser.parse_args()
    print(describe_run())
    with threadpool_limits(1):
        measure(args.url)


if __name__ == "__main__":
    main()
