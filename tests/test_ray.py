"""Builds on a real Ray of this machine: the same bytes, whatever is lost on the way."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gapdata.build import build
from gapdata.build_config import BuildConfig
from gapdata.errors import ConfigError, GapdataError
from gapdata.executors import open_executor
from gapdata.shards.storage import open_storage
from tests.fixtures.stores import free_ports
from tests.test_build import SMALL, hashes

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'gapdata[ray]'")
from ray.cluster_utils import Cluster  # noqa: E402

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head node and another one of one processor each, for all tests here; all are this machine's processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
        node = {"num_cpus": 1, "object_store_memory": 100 << 20}
        head = {**node, "include_dashboard": False}
        running = Cluster(initialize_head=True, head_node_args=head)
        ray.init(address=running.address, logging_level="error", log_to_driver=False)
        running.add_node(**node)  # after the driver has joined the head, so that it can be lost
        yield running
        ray.shutdown()
        running.shutdown()


def workers() -> list[psutil.Process]:
    """Ray's processes of this test that run a job."""
    children = psutil.Process().children(recursive=True)
    return [p for p in children if "_task" in " ".join(p.cmdline()[:1])]


def fail(job, report) -> None:
    raise ConfigError("job: cannot be done")


def kill(job, report) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_bytes_are_those_of_a_local_build_whatever_is_killed(cluster, tmp_path, s3_url) -> None:
    """A worker is killed as soon as it is at a shard, then the node that is not the driver's."""
    settings = {**SMALL, "world": "shapes"}
    build(BuildConfig(**settings, out=str(tmp_path / "local")))
    seen, killed = [], []

    def kill_worker_and_node() -> None:
        while not (running := workers()):
            time.sleep(0.1)
        running[0].kill()
        killed.append("worker")
        while not open_storage(s3_url).names("shards"):
            time.sleep(0.1)
        cluster.remove_node(*cluster.worker_nodes, allow_graceful=False)
        killed.append("node")

    killer = threading.Thread(target=kill_worker_and_node, daemon=True)
    killer.start()
    build(
        BuildConfig(**settings, out=s3_url, executor="ray"),
        on_progress=lambda done, total: seen.append((done, total)),
    )
    killer.join(timeout=30)
    assert killed == ["worker", "node"]
    storage, expected = open_storage(s3_url), hashes(tmp_path / "local")
    assert storage.names() == sorted(expected)
    for name in expected:
        assert storage.read(name) == (tmp_path / "local" / name).read_bytes()
    total = settings["num_scenes"]
    assert (seen[0], seen[-1]) == ((0, total), (total, total))
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


def test_an_address_where_nobody_listens_is_one_line_at_once(monkeypatch) -> None:
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    (port,) = free_ports(1)
    executor = open_executor("ray", workers=2, address=f"127.0.0.1:{port}")
    with pytest.raises(
        ConfigError, match=rf"--ray-address 127.0.0.1:{port}: no Ray cluster"
    ) as caught:
        list(executor.run(fail, [1], lambda n: None))
    assert "\n" not in str(caught.value)


def test_an_address_without_ray_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected with --executor ray"):
        open_executor("local", workers=1, address="10.0.0.1:6379")
