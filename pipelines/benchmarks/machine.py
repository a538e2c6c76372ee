"""The line under every benchmark table: when, on what, and with which command."""

from __future__ import annotations

import datetime
import os
import platform
import shlex
import sys
from pathlib import Path


def describe_run() -> str:
    """Date, processor, cores, Python and command of this run."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    processor = names[0] if names else platform.processor()
    command = shlex.join(["python", *sys.argv])
    return (
        f"{datetime.date.today().isoformat()}, {processor}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}; {command}"
    )
