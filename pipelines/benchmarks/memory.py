"""Peak memory of a build worker on a scan, and on the same scan with its .sens made ten times longer.

python pipelines/benchmarks/memory.py --root DATASET [--scene ID]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from machine import describe_run

from gapdata.sources.sens import SensFile, read_header

BUILD = "import sys; sys.argv = ['gapdata', *sys.argv[1:]]; from gapdata.cli import main; main()"
NUM_FRAMES_BYTES = 8  # the last field of the header


def lengthen(sens: Path, times: int) -> None:
    """Repeats all frames of a .sens file in place."""
    whole = SensFile(sens)
    header, last = whole.header, whole.index[-1]
    end = int(whole.blob_at[-1] + last["color_bytes"] + last["depth_bytes"])
    with sens.open("rb") as file:
        head = file.read(header.frames_at - NUM_FRAMES_BYTES)
        file.seek(header.frames_at)
        frames = file.read(end - header.frames_at)  # without the inertial block behind them
    with sens.open("wb") as file:
        file.write(head + (header.num_frames * times).to_bytes(NUM_FRAMES_BYTES, "little"))
        for _ in range(times):
            file.write(frames)


def peak_megabytes(flags: Sequence[str]) -> float:
    """Peak resident memory of one worker, in a process of its own, of a build with these flags."""
    child = subprocess.Popen(
        [sys.executable, "-c", BUILD, "build", *flags],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"the build failed with status {status}")
    return usage.ru_maxrss / 1024


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--scene", default="scene9000_00")
    parser.add_argument("--times", type=int, default=10)
    args = parser.parse_args()
    print(describe_run())
    print(f"{'frames':>8} {'.sens MB':>10} {'peak MB':>9}")
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "data"
        shutil.copytree(args.root, root)
        sens = root / "scans" / args.scene / f"{args.scene}.sens"
        for times in (1, args.times):
            if times > 1:
                lengthen(sens, times)
            peak = peak_megabytes([
                "--source", "scannet", "--accept-terms", "scannet", "--root", str(root),
                "--scenes", args.scene, "--out", str(Path(scratch) / f"out{times}"),
            ])  # fmt: skip
            frames = read_header(sens).num_frames
            print(f"{frames:8d} {sens.stat().st_size / 1e6:10.1f} {peak:9.0f}", flush=True)


if __name__ == "__main__":
    main()
