"""The dataset card: README.md of a dataset, made from its manifest."""

from __future__ import annotations

from gapdata.shards.codec import member_names
from gapdata.shards.huggingface import card_header
from gapdata.shards.manifest import Manifest
from gapdata.shards.records import META, QUESTIONS, RECIPE

CARD_NAME = "README.md"
CONTENT = """\
Each sample has pictures, z-depth (uint16, 0 = invalid), normals, instance ids, cameras (OpenCV, cam2world), scene points
and questions. Depth and ids are TIFF bytes: `cv2.imdecode(np.frombuffer(data, np.uint8), -1)`."""
RECIPE_CONTENT = """\
This is a recipe: each sample has cameras (OpenCV, cam2world), instances and questions, and the hashes of its pictures and
points, which may not be passed on. With your own copy of the raw data, `gapdata rebuild` makes the same bytes."""


def dataset_card(manifest: Manifest) -> str:
    """Markdown with the YAML front matter by which Hugging Face `datasets` knows the columns."""
    counts = manifest.counts
    views = int(manifest.config["views"])
    members = (META, QUESTIONS, RECIPE) if manifest.is_recipe else member_names(views)
    rows = "\n".join(
        f"| {row['task']} | {row['format']} | {row['questions']} | {row['chance']:.0%} | {row['majority']:.0%} |"
        for row in counts["guessing"]
    )
    splits = ", ".join(
        f"{split} ({sum(shard.samples for shard in shards)} samples)"
        for split, shards in manifest.splits.items()
    )
    return f"""{card_header(manifest, members)}
# 3D-language training shards from {manifest.source}

{counts["scenes"]} scenes, {counts["samples"]} samples of {views} views, {counts["qa"]} questions; splits: {splits}.
Made by gapdata {manifest.gapdata_version}, seed {manifest.seed}; `dataset.json` holds all settings and hashes.
Licence of the data: {manifest.licence}

| task | format | questions | chance | most frequent answer |
|---|---|---|---|---|
{rows}

Chance is what guessing earns: one of the options, a half of yes or no, of numbers the mean relative accuracy of a constant.
`gapdata audit` measures what a model earns that only reads the questions.

{RECIPE_CONTENT if manifest.is_recipe else CONTENT}
"""
