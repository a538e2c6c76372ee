"""Stores: whole objects or none, damage found, passing trouble waited out, mistakes in one line, no secret in any."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import fsspec
import pytest

from gapdata.errors import ConfigError
from gapdata.shards import storage as storage_module
from gapdata.shards.storage import open_storage, staged_file, write_file
from gapdata.shards.writer import ShardWriter
from tests.fixtures.samples import room_sample
from tests.fixtures.stores import READER_KEY, READER_SECRET, SECRET, Store, free_ports

CHUNK = 1 << 16


@pytest.fixture(params=["file", "memory", "s3", "gs"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param in ("s3", "gs"):
        return request.getfixturevalue(f"{request.param}_url")
    return str(tmp_path) if request.param == "file" else f"memory://{os.urandom(8).hex()}"


@contextmanager
def another_client(**environment: str):
    """Inside, clients are made anew with these variables set."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        try:
            yield
        finally:
            fsspec.get_filesystem_class("s3").clear_instance_cache()


def test_files_come_back_whole_and_in_parts(url: str) -> None:
    data = os.urandom(100_000)
    storage = open_storage(url)
    assert storage.names() == []
    assert storage.stat("a/b.bin") is None
    storage.write("a/b.bin", data)
    assert storage.read("a/b.bin") == data
    assert storage.read("a/b.bin", 5, 77) == data[5:77]
    assert storage.read("a/b.bin", 99_990, 200_000) == data[99_990:]
    assert storage.stat("a/b.bin").size == len(data)
    assert not storage.exists("a")
    assert storage.names() == storage.names("a") == ["a/b.bin"]
    with storage.open("a/b.bin") as file:
        file.seek(99_000)
        assert file.read() == data[99_000:]
    with pytest.raises(FileNotFoundError):
        storage.read("a/c.bin")
    storage.remove("a")
    storage.remove("a")
    assert storage.names() == []


def test_a_version_changes_with_the_content(url: str) -> None:
    storage = open_storage(url)
    storage.write("x", b"one")
    first = storage.stat("x")
    assert storage.stat("x") == first
    time.sleep(0.01)
    storage.write("x", b"two")
    assert storage.stat("x").size == first.size
    assert storage.stat("x").version != first.version


def test_of_several_who_create_a_file_one_succeeds(url: str) -> None:
    storage, done = open_storage(url), []
    start = threading.Barrier(4)

    def create(number: int) -> None:
        start.wait()
        done.append((open_storage(url).create("lock", b"%d" % number), number))

    threads = [threading.Thread(target=create, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [number for made, number in done if made]
    assert len(winners) == 1
    assert storage.read("lock") == b"%d" % winners[0]


def test_an_upload_that_fails_leaves_nothing(url: str) -> None:
    def fail() -> None:
        with staged_file(url, "shards/a.tar") as path:
            path.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert open_storage(url).names() == []


def test_no_reader_sees_half_an_object(s3_url: str) -> None:
    """While an object of several parts is written again and again, it is always one of the whole ones."""
    storage, stop, seen = open_storage(s3_url), threading.Event(), set()
    contents = [bytes([i]) * (20 << 20) for i in range(3)]

    def watch() -> None:
        watching = open_storage(s3_url)
        while not stop.is_set():
            stat = watching.stat("big")
            if stat is not None:
                data = watching.read("big", stat.size - CHUNK) + watching.read("big", 0, CHUNK)
                seen.add((stat.size, data[:1], data[-1:], len(data)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for content in contents:
        storage.write("big", content)
    stop.set()
    watcher.join()
    assert {(size, length) for size, _, _, length in seen} <= {(20 << 20, 2 * CHUNK)}
    assert storage.read("big") == contents[-1]


def test_what_is_damaged_on_the_way_up_is_found(s3_url: str, monkeypatch) -> None:
    """A disk that returns other bytes to the upload than to the hash."""
    storage = open_storage(s3_url)
    monkeypatch.setattr(storage_module, "FIRST_PATIENCE_S", 0.0)
    monkeypatch.setattr(storage_module, "PATIENCE_S", 0.0)
    monkeypatch.setattr(storage_module, "_md5", lambda path: b"0" * 16)
    with pytest.raises(ConfigError, match="cannot be reached"):
        storage.write("a", b"content")
    assert not storage.exists("a")


MISTAKES = {
    "no bucket": ({}, "s3://nosuch/rooms", "there is no such bucket"),
    "wrong secret": ({"AWS_SECRET_ACCESS_KEY": "other-secret-42"}, "", "check the credentials"),
    "unknown key": ({"AWS_ACCESS_KEY_ID": "nobody"}, "", r"does not permit|check the credentials"),
    "only a reader": (
        {"AWS_ACCESS_KEY_ID": READER_KEY, "AWS_SECRET_ACCESS_KEY": READER_SECRET}, "", r"does not permit that it is written \(AccessDenied\)",
    ),
    "no server": ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "", "cannot be reached"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_without_a_secret(s3_url: str, monkeypatch, name: str) -> None:
    environment, url, message = MISTAKES[name]
    monkeypatch.setattr(storage_module, "FIRST_PATIENCE_S", 0.0)
    monkeypatch.setattr(storage_module, "PATIENCE_S", 0.0)
    with another_client(**environment), pytest.raises(ConfigError, match=message) as caught:
        write_file(url or s3_url, "a.bin", b"x")
    assert "\n" not in str(caught.value)
    text = "".join(traceback.format_exception(caught.value))
    for secret in (SECRET, READER_SECRET, "other-secret-42"):
        assert secret not in text


def test_a_clock_that_is_wrong_is_among_what_to_check(s3_url: str, monkeypatch) -> None:
    """Signatures hold for minutes: the server refuses requests of a machine that is an hour ahead."""
    auth = pytest.importorskip("botocore.auth")
    now = auth.get_current_datetime
    monkeypatch.setattr(auth, "get_current_datetime", lambda: now() + timedelta(hours=1))
    with (
        another_client(),
        pytest.raises(ConfigError, match=r"\(RequestTimeTooSkewed\).* this machine's clock"),
    ):
        write_file(s3_url, "a.bin", b"x")


def test_without_credentials_the_line_says_where_they_belong(s3_url, monkeypatch, tmp_path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with (
        another_client(AWS_EC2_METADATA_DISABLED="true"),
        pytest.raises(ConfigError, match="set them in the environment"),
    ):
        open_storage(s3_url).read("a")


def test_a_url_with_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match=r"s3://\*\*\*@bucket/rooms: holds a password") as caught:
        open_storage("s3://key:hunter2@bucket/rooms")
    assert "hunter2" not in str(caught.value)


def test_the_command_prints_no_secret(s3_url: str) -> None:
    """Two commands as a user would run them: a wrong key in the environment, and a wrong place."""
    for environment, url in (({"AWS_SECRET_ACCESS_KEY": "other-secret-42"}, s3_url), ({}, s3_url)):
        done = subprocess.run(
            [sys.executable, "-m", "gapdata.cli", "info", url],
            capture_output=True, text=True, env={**os.environ, **environment}, timeout=120,
        )  # fmt: skip
        assert done.returncode != 0
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        assert done.stderr.startswith("gapdata: s3://")
        assert SECRET not in done.stderr + done.stdout
        assert "other-secret-42" not in done.stderr + done.stdout


class Gate:
    """Passes connections on to a server, or refuses them while it is shut."""

    def __init__(self, target: int) -> None:
        self.target, (self.port,) = target, free_ports(1)
        self.open()

    def open(self) -> None:
        self._passing: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._socket,), daemon=True).start()

    def shut(self) -> None:
        for end in (self._socket, *self._passing):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            self._passing += [client, server]
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(1 << 16):
                other.sendall(data)
        except OSError:
            pass
        finally:
            for end in (one, other):
                end.close()


def test_a_store_that_is_away_for_a_while_is_waited_for(s3_store: Store, s3_url: str) -> None:
    gate = Gate(int(s3_store.endpoint.rpartition(":")[2]))
    with another_client(AWS_ENDPOINT_URL=f"http://127.0.0.1:{gate.port}"):
        storage = open_storage(s3_url)
        storage.write("before", b"x")
        gate.shut()
        threading.Timer(3.0, gate.open).start()
        start = time.monotonic()
        with ShardWriter(s3_url, "shards/a.tar") as writer:
            writer.write(writer.encode(room_sample(height=48, width=64)))
        assert time.monotonic() - start > 2.0
        assert storage.stat("shards/a.tar").size == writer.record.info.bytes
    gate.shut()


def test_a_clients_background_tasks_print_no_traceback_of_a_broken_connection(
    s3_url, caplog
) -> None:
    loop = open_storage(s3_url).filesystem.loop
    for error in (ConnectionResetError("broken"), ZeroDivisionError("a mistake")):
        told = threading.Event()
        context = {"message": "Task exception was never retrieved", "exception": error}
        loop.call_soon_threadsafe(loop.call_exception_handler, context)
        loop.call_soon_threadsafe(told.set)
        assert told.wait(10)
    assert "a mistake" in caplog.text
    assert "broken" not in caplog.text


def test_a_file_in_the_making_is_not_taken_for_what_another_left(tmp_path: Path) -> None:
    """Names that begin alike are staged side by side."""
    storage = open_storage(str(tmp_path))
    leftover = tmp_path / ".a.tar.99-0123abcd.part"
    leftover.write_bytes(b"of a run that was killed")
    with storage.staged("a.tar.idx") as path:
        path.write_bytes(b"index")
        storage.write("a.tar", b"tar")
    assert storage.names() == ["a.tar", "a.tar.idx"]
