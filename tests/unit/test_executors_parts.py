"""The executors' small parts: names, cores, pickles, words, interrupts, channels."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from gosset.exceptions import UsageError
from gosset.executors import open_executor
from gosset.executors.channel import Channel, Kind, Stream
from gosset.executors.cores import THREAD_VARIABLES, _cgroup_quota, thread_limits, usable_cores
from gosset.executors.failures import describe_exception, describe_exit
from gosset.executors.interrupts import Uninterrupted


def test_executors_are_opened_by_name() -> None:
    assert open_executor("inline").name == "inline"
    executor = open_executor("processes", 3, preload=["json"])
    assert (executor.name, executor.capacity) == ("processes", 3)
    assert open_executor("processes").capacity == usable_cores()


def test_unknown_names_and_options_are_refused_with_a_hint() -> None:
    with pytest.raises(UsageError, match="no executor 'process'; did you mean 'processes'"):
        open_executor("process")
    with pytest.raises(UsageError, match="no option 'preloads'; did you mean 'preload'"):
        open_executor("processes", preloads=["json"])


@pytest.mark.skipif(sys.platform != "linux", reason="affinity is told on Linux")
def test_usable_cores_respect_the_affinity() -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_thread_limits_share_the_cores_and_keep_what_is_set() -> None:
    limits = thread_limits(10_000, {"MKL_NUM_THREADS": "7", "HOME": "/"})
    assert limits == dict.fromkeys(THREAD_VARIABLES, "1") | {"MKL_NUM_THREADS": "7", "HOME": "/"}
    assert thread_limits(1, {})["OMP_NUM_THREADS"] == str(usable_cores())


def test_the_tightest_quota_of_the_control_groups_counts(tmp_path: Path) -> None:
    membership, root = tmp_path / "cgroup", tmp_path / "root"
    (root / "user" / "job").mkdir(parents=True)
    membership.write_text("0::/user/job\n")
    (root / "user" / "job" / "cpu.max").write_text("max 100000\n")
    assert _cgroup_quota(membership, root) is None
    (root / "user" / "cpu.max").write_text("150000 100000\n")
    assert _cgroup_quota(membership, root) == 1.5
    (root / "cpu.max").write_text("100000 100000\n")
    assert _cgroup_quota(membership, root) == 1.0


def test_the_quota_of_version_one_and_of_a_container_are_found(tmp_path: Path) -> None:
    membership, root = tmp_path / "cgroup", tmp_path / "root"
    (root / "cpu").mkdir(parents=True)
    membership.write_text("3:memory:/m\n4:cpu,cpuacct:/docker/abc\n")
    (root / "cpu" / "cpu.cfs_quota_us").write_text("-1\n")
    (root / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert _cgroup_quota(membership, root) is None
    (root / "cpu" / "cpu.cfs_quota_us").write_text("200000\n")
    assert _cgroup_quota(membership, root) == 2.0
    assert _cgroup_quota(tmp_path / "nothing", root) is None


def test_an_exception_that_cannot_be_shown_is_still_described() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    info = describe_exception(Mute())
    assert info.type.endswith("Mute")
    assert "RuntimeError" in info.message


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exit code 0"), (-15, "signal 15 (SIGTERM)"), (-200, "signal 200")],
)
def test_exit_codes_are_named(code: int, words: str) -> None:
    assert describe_exit(code) == words


def test_ctrl_c_waits_until_the_end_of_an_uninterrupted_block() -> None:
    done = []

    def strike() -> None:
        with Uninterrupted():
            signal.raise_signal(signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        strike()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_program_s_own_is_left_alone() -> None:
    struck = []
    previous = signal.signal(signal.SIGINT, lambda *_: struck.append(True))
    try:
        with Uninterrupted():
            signal.raise_signal(signal.SIGINT)
            assert struck
    finally:
        signal.signal(signal.SIGINT, previous)


def test_a_channel_never_blocks_and_puts_messages_together() -> None:
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    large = os.urandom(3_000_000)
    assert channel.receive() is None
    assert not channel.send(Kind.TASK, large)
    received = bytearray()
    while len(received) < len(large) + 9:
        received += theirs.recv(1 << 20)
        channel.flush()
    assert received[9:] == large
    assert channel.flush()

    for part in (b"\x05\x02\x00\x00", b"\x00\x00\x00\x00\x00o", b"k\x04\x00\x00\x00\x00"):
        theirs.sendall(part)
    theirs.sendall(b"\x00\x00\x00\x00\x05")
    assert channel.receive() == [(Kind.DONE, b"ok"), (Kind.MESSAGE, b"")]
    assert not channel.ended
    theirs.close()
    assert channel.receive() is None
    assert channel.ended
    channel.close()


def test_a_stream_ends_where_a_message_was_cut_off() -> None:
    ours, theirs = socket.socketpair()
    stream = Stream(theirs)
    ours.sendall(
        b"\x01\x02\x00\x00\x00\x00\x00\x00\x00ok" + b"\x01\x09\x00\x00\x00\x00\x00\x00\x00no"
    )
    ours.close()
    assert stream.read() == b"ok"
    assert stream.read() is None
    theirs.close()
