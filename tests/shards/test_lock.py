"""One writer at a time: the second is refused, one that is gone is replaced, whatever the clocks say."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gapdata.errors import ConfigError, GapdataError
from gapdata.shards.lock import LOCK_NAME, Lock, LockTiming
from gapdata.shards.storage import open_storage

QUICK = LockTiming(heartbeat_s=0.1, gone_s=0.6, settle_s=0.05)


@pytest.fixture(params=["file", "s3", "gs"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return (
        str(tmp_path)
        if request.param == "file"
        else request.getfixturevalue(f"{request.param}_url")
    )


def lock(url: str) -> Lock:
    return Lock(open_storage(url), timing=QUICK)


def record(url: str, **changes) -> dict:
    """The lock's record, changed as if another machine had written it."""
    storage = open_storage(url)
    found = json.loads(storage.read(LOCK_NAME)) | changes
    storage.write(LOCK_NAME, json.dumps(found).encode())
    return found


def test_the_second_is_refused_until_the_first_is_done(url: str) -> None:
    first, second = lock(url), lock(url)
    first.acquire()
    with pytest.raises(
        ConfigError, match=r"process \d+ on .* is writing there; wait until"
    ) as caught:
        second.acquire()
    assert "\n" not in str(caught.value)
    first.release()
    assert open_storage(url).names() == []
    second.acquire()
    second.release()
    second.release()


def leave(url: str, **changes) -> None:
    """The lock of an owner that does not beat."""
    mine = lock(url)
    assert mine.storage.create(LOCK_NAME, mine._record())
    record(url, **changes)


def test_an_owner_on_another_machine_that_beats_is_respected(url: str) -> None:
    """Its beats are told from the count alone: nothing in the lock is a time."""
    leave(url, machine="elsewhere", host="node7", token="other")
    stop = threading.Event()

    def beat() -> None:
        count = 0
        while not stop.wait(0.1):
            count += 1
            record(url, count=count)

    beating = threading.Thread(target=beat)
    beating.start()
    try:
        with pytest.raises(ConfigError, match="on node7 is writing there"):
            lock(url).acquire()
    finally:
        stop.set()
        beating.join()


def test_an_owner_whose_lock_was_taken_over_notices(url: str) -> None:
    first = lock(url)
    first.acquire()
    first.require_held()
    deadline = time.monotonic() + 20
    while not first._lost and time.monotonic() < deadline:
        record(url, machine="elsewhere", token="other")
        time.sleep(0.05)
    with pytest.raises(GapdataError, match="another run took this place over"):
        first.require_held()
    first.release()
    assert open_storage(url).exists(LOCK_NAME)  # it is no longer the first one's to remove


def test_an_owner_elsewhere_that_stands_still_is_replaced(url: str, caplog) -> None:
    leave(url, machine="elsewhere", host="node7", token="other")
    second = lock(url)
    start = time.monotonic()
    with caplog.at_level(logging.WARNING, "gapdata"):
        second.acquire()
    assert time.monotonic() - start > QUICK.gone_s
    assert "taking over from process" in caplog.text
    assert "on node7, which is gone" in caplog.text
    second.release()


def test_a_killed_owner_on_this_machine_is_replaced_at_once(tmp_path: Path) -> None:
    code = (
        "from gapdata.shards.lock import Lock; from gapdata.shards.storage import open_storage\n"
        f"Lock(open_storage({str(tmp_path)!r})).acquire(); print('mine', flush=True)\n"
        "import time; time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"mine\n"
    with pytest.raises(ConfigError, match=f"process {process.pid} on"):
        Lock(open_storage(str(tmp_path))).acquire()
    process.kill()
    process.wait()
    process.stdout.close()
    second = Lock(open_storage(str(tmp_path)))
    start = time.monotonic()
    second.acquire()
    assert time.monotonic() - start < 3
    second.release()


def test_a_process_number_that_was_given_out_again_is_no_owner(tmp_path: Path) -> None:
    leave(str(tmp_path), started="1")
    mine = lock(str(tmp_path))
    mine.acquire()
    mine.release()


def test_of_many_that_find_a_dead_lock_one_gets_it(url: str) -> None:
    leave(url, started="1", token="dead")
    won, start = [], threading.Barrier(4)

    def take() -> None:
        mine = lock(url)
        start.wait()
        try:
            mine.acquire()
            won.append(mine)
        except ConfigError:
            pass

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(3 * QUICK.heartbeat_s)
    held = [mine for mine in won if not mine._lost]
    assert len(held) == 1
    for mine in won:
        mine.release()


def test_a_damaged_lock_is_watched_and_replaced(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).write_text("{")
    mine = lock(str(tmp_path))
    mine.acquire()
    mine.release()
    assert list(tmp_path.iterdir()) == []
