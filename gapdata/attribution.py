"""Whom the models in a dataset are owed to: carried by each scene's provenance, listed beside the shards."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

ATTRIBUTION_NAME = "ATTRIBUTION.md"
PROVENANCE_KEY = "assets"


def credits_as_provenance(credits_used: Iterable[str]) -> dict[str, str]:
    """The provenance entry that carries credits, one line each; empty when there are none."""
    lines = sorted(set(credits_used) - {""})
    return {PROVENANCE_KEY: json.dumps(lines, ensure_ascii=False)} if lines else {}


def credits_of(provenance: Mapping[str, str]) -> tuple[str, ...]:
    """The credits that a provenance carries."""
    return tuple(json.loads(provenance.get(PROVENANCE_KEY, "[]")))


def attribution_text(credits_used: Iterable[str]) -> str:
    """Markdown that names everyone whose models are seen in a dataset."""
    lines = "\n".join(f"- {line}" for line in sorted(set(credits_used)))
    return f"""# Attribution

Scenes of this dataset show these models, scaled, turned upright and lit anew:

{lines}
"""
