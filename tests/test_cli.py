"""The command line: its flags are frozen, its errors are one line, its exit codes mean what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from gapdata import cli

FLAGS = {
    "audit": "url max_gap as_json",
    "build": "source out root scenes num_scenes split world difficulty trajectory assets assets_licence assets_share seed renderer sensor size views samples_per_scene selection tasks margin evaluation_scenes recipe accept_terms workers executor ray_address max_failures overwrite as_json",
    "card": "url",
    "check": "url as_json",
    "filter": "url out where keep_empty workers overwrite as_json",
    "index": "url energon",
    "info": "url as_json",
    "merge": "urls out workers overwrite as_json",
    "preview": "url out key samples",
    "pull": "source target workers as_json",
    "push": "source target workers as_json",
    "rebuild": "url out root workers overwrite as_json",
    "sources": "as_json",
    "split": "url out share seed workers overwrite as_json",
    "tasks": "as_json",
    "verify": "url as_json",
}  # fmt: skip
ROOMS = ["--num-scenes", "1", "--views", "2", "--samples-per-scene", "1", "--size", "128x96"]


def gapdata(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gapdata.cli", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=200)


def test_flags_are_frozen():
    commands = typer.main.get_command(cli.app).commands
    assert {name: " ".join(p.name for p in c.params) for name, c in commands.items()} == FLAGS


def test_every_command_and_flag_has_help():
    for name, command in typer.main.get_command(cli.app).commands.items():
        assert command.help, name
        for parameter in command.params:
            assert getattr(parameter, "help", "x"), f"{name} {parameter.name}"


@pytest.fixture(scope="module")
def rooms(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("cli") / "rooms"
    done = gapdata("build", "--source", "synthetic", *ROOMS, "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["scenes"] == 1
    assert "scenes" in done.stderr  # progress
    return out


def test_build_then_look(rooms, tmp_path):
    info = json.loads(gapdata("info", str(rooms), "--json").stdout)
    assert info["counts"]["samples"] == 1
    assert "questions" in gapdata("info", str(rooms)).stdout
    checked = gapdata("check", str(rooms), "--json")
    assert (checked.returncode, json.loads(checked.stdout)["ok"]) == (0, True), checked.stdout
    verified = gapdata("verify", str(rooms), "--json")
    assert verified.returncode == 0, verified.stdout
    assert json.loads(verified.stdout)["contradictions"] == []
    shown = gapdata("preview", str(rooms), "--out", str(tmp_path / "sheet.png"))
    assert shown.returncode == 0, shown.stderr
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_check_exits_1_when_a_byte_is_wrong(rooms, tmp_path):
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(rooms), str(copy)], check=True)
    tar = next((copy / "shards").glob("*.tar"))
    data = bytearray(tar.read_bytes())
    data[len(data) // 2] ^= 1
    tar.write_bytes(data)
    done = gapdata("check", str(copy))
    assert done.returncode == 1
    assert "sha256" in done.stdout


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["build", "--source", "nope", "--out", "OUT"], 2, "unknown source 'nope'"),
        (["build", "--source", "scannet", "--root", "MISSING", "--out", "OUT"], 2, "expected a folder"),
        (["build", "--source", "synthetic", "--out", "OUT", "--size", "640"], 2, "expected WxH"),
        (["build", "--source", "synthetic", "--out", "OUT", "--scenes", "@MISSING"], 2, "one name a line"),
        (["build", "--source", "synthetic", "--out", "OUT", "--views", "0"], 2, "views: expected at least 1"),
        (["build", "--source", "synthetic"], 2, "--out"),
        (["build", "--source", "synthetic", "--out", "OUT", "--world", "moon"], 2, "unknown world 'moon'"),
        (["build", "--source", "synthetic", "--out", "OUT", "--difficulty", "2"], 2, "difficulty of 0 to 1"),
        (["build", "--source", "synthetic", "--out", "OUT", "--world", "street", "--trajectory", "walk"], 2, "of world street expected drive, found 'walk'"),
        (["build", "--source", "scannet", "--root", "MISSING", "--out", "OUT", "--world", "room"], 2, "expected no world"),
        (["info", "MISSING"], 1, "dataset.json"),
        (["check", "MISSING"], 1, "dataset.json"),
        (["verify", "MISSING"], 1, "dataset.json"),
        (["audit", "MISSING"], 1, "dataset.json"),
        (["preview", "MISSING", "--out", "x.png"], 1, "dataset.json"),
        (["build", "--source", "synthetic", "--out", "nosuch://x"], 2, "nosuch"),
    ],
)  # fmt: skip
def test_mistakes_are_told_without_a_traceback(args, code, message, tmp_path):
    places = {"OUT": str(tmp_path / "out"), "MISSING": str(tmp_path / "missing")}
    filled = [
        arg.replace("MISSING", places["MISSING"]).replace("OUT", places["OUT"]) for arg in args
    ]
    done = gapdata(*filled)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    if not done.stderr.startswith("Usage") and "Usage:" not in done.stderr:
        assert len(done.stderr.strip().splitlines()) == 1


def test_sources_and_tasks_are_listed():
    names = [row["name"] for row in json.loads(gapdata("sources", "--json").stdout)]
    assert names == ["scannet", "synthetic"]
    assert len(json.loads(gapdata("tasks", "--json").stdout)) >= 12
    assert "object_count" in gapdata("tasks").stdout
