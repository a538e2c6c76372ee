"""The dataset card: README.md of a dataset, made from its manifest."""

from __future__ import annotations

from gapdata.shards.codec import member_names
from gapdata.shards.huggingface import card_header
from gapdata.shards.manifest import Manifest
from gapdata.shards.records import META, QUESTIONS, RECIPE

CARD_NAME = "README.md"
PICTURE_NAME = "preview.jpg"  # of `gapdata card`
CONTENT = """\
Each sample has pictures, z-depth (uint16, 0 = invalid), normals, instance ids, cameras (OpenCV, cam2world), scene points
and questions. Depth and ids are TIFF bytes: `cv2.imdecode(np.frombuffer(data, np.uint8), -1)`."""
RECIPE_CONTENT = """\
This is a recipe: each sample has cameras (OpenCV, cam2world), instances and questions, and the hashes of its pictures and
points, which may not be passed on. With your own copy of the raw data, `gapdata rebuild` makes the same bytes."""


def dataset_card(manifest: Manifest, *, findings: str = "") -> str:
    """Markdown with the YAML front matter by which Hugging Face `datasets` knows the columns.

    findings: Markdown of what the manifest does not know; see `gapdata.full_card`.
    """
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
`gapdata audit` measures what a model earns that only reads the questions; `gapdata card` writes it here.

{findings}{_evaluation(manifest)}{_sensor(manifest)}{RECIPE_CONTENT if manifest.is_recipe else CONTENT}
"""


def _sensor(manifest: Manifest) -> str:
    """A paragraph on simulated measurement, where there is one."""
    sensor = manifest.config.get("sensor", "none")
    if sensor == "none":
        return ""
    spoiled = {"depth": "depth is", "full": "depth and colour are"}[sensor]
    return (
        f"The {spoiled} what a simulated sensor measured, with noise and holes (`depth_source` is `sensor`); normals, "
        "instance ids, cameras and boxes are exact.\n\n"
    )


def _evaluation(manifest: Manifest) -> str:
    """A paragraph on scenes of public evaluation splits, where the source has such."""
    rule = manifest.config.get("evaluation_scenes", "")
    if "scannet" not in manifest.source.split(", ") or not rule:
        return ""
    dropped = sum(
        n for reason, n in manifest.drops.items() if reason.startswith("scene: evaluation")
    )
    told = {
        "refuse": "No training sample shows a room of ScanNet's official val or test scans, nor a rescan of one.",
        "drop": "No training sample shows a room of ScanNet's official val or test scans, nor a rescan of one: "
        f"{dropped} scenes were left out for it.",
        "keep": "**Training samples may show rooms that public benchmarks evaluate on**: they were kept on request.",
    }
    return f"{told[rule]}\n\n"
