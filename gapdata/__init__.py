"""gapdata: 3D scenes in, checked 3D-language training shards out.

`build(BuildConfig(...))` writes a dataset; `open_dataset(url)` reads one; `marked_views(sample, qa)`
draws what a question points at.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gapdata.build import build
    from gapdata.build_config import BuildConfig
    from gapdata.markers import marked_views
    from gapdata.shards.reader import Dataset, open_dataset

__version__ = "0.1.0"

# Loaded on first use, so that `import gapdata` stays cheap.
_EXPORTS = {
    "BuildConfig": "gapdata.build_config",
    "build": "gapdata.build",
    "Dataset": "gapdata.shards.reader",
    "marked_views": "gapdata.markers",
    "open_dataset": "gapdata.shards.reader",
}
__all__ = ["BuildConfig", "Dataset", "__version__", "build", "marked_views", "open_dataset"]


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'gapdata' has no attribute {name!r}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)
