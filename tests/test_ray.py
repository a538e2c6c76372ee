"""Builds on a real Ray of this machine: the same bytes, whatever is lost on the way."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest

from gapdata.build import build
from gapdata.build_config import BuildConfig
from gapdata.errors import ConfigError, GapdataError
from gapdata.executors import open_executor
from gapdata.shards.storage import open_storage
from tests.test_build import SMALL, hashes

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'gapdata[ray]'")
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A Ray of two processors, for all tests here; its workers are this machine's processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
        ray.init(num_cpus=2, include_dashboard=False, logging_level="error", log_to_driver=False, object_store_memory=100 << 20)  # fmt: skip
        yield
        ray.shutdown()


def workers() -> list[psutil.Process]:
    """Ray's processes of this test that run a job."""
    children = psutil.Process().children(recursive=True)
    return [p for p in children if "_task" in " ".join(p.cmdline()[:1])]


def fail(job, report) -> None:
    raise ConfigError("job: cannot be done")


def kill(job, report) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_bytes_are_those_of_a_local_build_whatever_is_killed(cluster, tmp_path, s3_url) -> None:
    settings = {**SMALL, "num_scenes": 6}
    build(BuildConfig(**settings, out=str(tmp_path / "local")))
    seen, killed, stop = [], [], threading.Event()

    def kill_workers() -> None:
        while not stop.wait(1.0) and len(killed) < 2:
            for process in workers()[:1]:
                process.kill()
                killed.append(process.pid)
                stop.wait(1.5)

    killer = threading.Thread(target=kill_workers)
    killer.start()
    try:
        build(
            BuildConfig(**settings, out=s3_url, executor="ray"),
            on_progress=lambda done, total: seen.append((done, total)),
        )
    finally:
        stop.set()
        killer.join()
    storage = open_storage(s3_url)
    expected = hashes(tmp_path / "local")
    assert storage.names() == sorted(expected)
    for name in expected:
        assert storage.read(name) == (tmp_path / "local" / name).read_bytes()
    assert killed
    assert seen[0] == (0, 6)
    assert seen == sorted(seen)
    assert json.loads(storage.read("dataset.json"))["failures"] == []


def test_a_job_that_fails_raises_its_own_error(cluster) -> None:
    with pytest.raises(ConfigError, match=r"^job: cannot be done$"):
        list(open_executor("ray", workers=2).run(fail, [1, 2, 3], lambda n: None))


def test_a_job_that_always_takes_its_worker_down_ends_in_one_line(cluster, monkeypatch) -> None:
    monkeypatch.setattr("gapdata.executors.ray._RETRIES", 1)
    start = time.monotonic()
    with pytest.raises(
        GapdataError, match=r"worker was lost 2 times .* run the same command"
    ) as caught:
        list(open_executor("ray", workers=2).run(kill, [1], lambda n: None))
    assert "\n" not in str(caught.value)
    assert time.monotonic() - start < 60


def test_an_address_without_ray_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected with --executor ray"):
        open_executor("local", workers=1, address="10.0.0.1:6379")
