"""A build on a Ray cluster, straight into an object store.

On the head node, then on every other one (each with this package, `pip install 'gapdata[ray,s3]'`, the raw data
at one path, and the store's credentials in its environment before Ray starts, as tasks see what Ray saw):

    export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...     # never a flag: flags end up in logs
    ray start --head --port=6379
    ray start --address=HEAD:6379

Then, on any of them, this file or the command line that it prints:

    python pipelines/ray_cluster.py s3://BUCKET/rooms --address HEAD:6379 --num-scenes 10000

A node that goes away costs the shards it was at, which others make again; the driver going away costs nothing
that was finished: the same command goes on. The bytes are those of a build on one machine.
"""

from __future__ import annotations

import argparse
import shlex
import sys

from gapdata.cli import main as gapdata


def command(args: argparse.Namespace) -> list[str]:
    """The build's command line."""
    return [
        "gapdata", "build",
        "--source", "synthetic",
        "--num-scenes", str(args.num_scenes),
        # All nodes write there themselves, so it is a URL or a folder that all of them mount.
        "--out", args.out,
        # One shard is one task. A task takes one processor and about 1.5 GB: start nodes with as many
        # processors as their memory holds, `ray start --num-cpus=N`.
        "--executor", "ray", "--ray-address", args.address,
        # Scenes that cannot be used are written down and left out, rather than ending a long build.
        "--max-failures", str(args.max_failures),
    ]  # fmt: skip


def main() -> None:
    """Print the command and run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", help="s3://BUCKET/FOLDER, gs://BUCKET/FOLDER or a shared folder")
    parser.add_argument("--address", default="auto", help="of the head node; default: of this one")
    parser.add_argument("--num-scenes", type=int, default=10_000)
    parser.add_argument("--max-failures", type=int, default=20)
    sys.argv = command(parser.parse_args())
    print(shlex.join(sys.argv), file=sys.stderr)
    gapdata()


if __name__ == "__main__":
    main()
