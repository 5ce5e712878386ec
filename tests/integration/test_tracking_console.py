"""What a script prints stands with its run, and is shown as before."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tracked import Place

import gosset as gs
from gosset.entities import Run, Status


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def printed(place: Place, run: Run | None = None, stream: str | None = None) -> str:
    """Return what the store has of what a run printed."""
    with gs.open_store(place.url) as store:
        pieces = store.catalog.console((run or place.run()).id)
    return "".join(piece.text for piece in pieces if stream in (None, piece.stream))


EVERYTHING = """
    import ctypes, os, subprocess, sys

    run = gs.start_run(capture=True)
    print("by Python")
    print("to errors", file=sys.stderr)
    ctypes.CDLL(None).puts(b"by C")
    os.write(2, b"past Python\\n")
    subprocess.run(["echo", "by another program"], check=True)
    run.finish()
    print("after the run")
"""


def test_everything_that_is_printed_is_kept_and_shown(place: Place) -> None:
    status, output, errors = place.carry_out(EVERYTHING)
    assert (status, errors) == (0, "to errors\npast Python\n")
    lines = ["by Python", "by C", "by another program"]
    assert sorted(output.splitlines()) == sorted([*lines, "after the run"])
    assert sorted(printed(place, stream="stdout").splitlines()) == sorted(lines)
    assert printed(place, stream="stderr") == errors


def test_by_default_it_is_what_python_prints(place: Place) -> None:
    status, output, errors = place.carry_out("""
        import logging, subprocess, sys

        with gs.start_run():
            print("one", 2, end="!\\n")
            sys.stdout.writelines(["three\\n", "four\\n"])
            logging.warning("five")
            subprocess.run(["echo", "somebody else"], check=True)
        print("after the run")
    """)
    assert (status, errors) == (0, "WARNING:root:five\n")
    assert output.endswith("after the run\n")
    assert printed(place, stream="stdout") == "one 2!\nthree\nfour\n"
    assert printed(place, stream="stderr") == errors


def test_nothing_is_kept_where_nothing_is_to_be(place: Place) -> None:
    place.carry_out("""
        with gs.start_run(capture=False):
            print("not mine")
    """)
    place.environment["GOSSET_CAPTURE"] = "off"
    place.carry_out("""
        with gs.start_run():
            print("nor this")
    """)
    assert [printed(place, run) for run in place.runs()] == ["", ""]


def test_the_streams_are_left_as_they_were(place: Place) -> None:
    status, output, errors = place.carry_out("""
        import os, sys

        before = [os.fstat(fd) for fd in (1, 2)], sys.stdout.write, len(os.listdir("/proc/self/fd"))
        for capture in (True, None):
            with gs.start_run(capture=capture), gs.start_run(capture=capture):
                print("inside")
        after = [os.fstat(fd) for fd in (1, 2)], sys.stdout.write
        assert [s[:3] for s in after[0]] == [s[:3] for s in before[0]]
        assert after[1] == before[1]
        print("left")
    """)
    assert (status, output, errors) == (0, "inside\ninside\nleft\n", "")


def test_what_a_crash_prints_is_shown_and_the_rest_kept(place: Place) -> None:
    status, _, errors = place.carry_out("""
        import ctypes, sys

        run = gs.start_run(capture=True)
        print("so far", flush=True)
        import time; time.sleep(1)
        ctypes.string_at(0)
    """)
    assert status == -11
    assert "Fatal Python error: Segmentation fault" in errors
    assert printed(place) == "so far\n"


def test_code_that_holds_pythons_lock_may_print_much(place: Place) -> None:
    status, output, _ = place.carry_out("""
        import ctypes

        with gs.start_run(capture=True):
            # Unlike CDLL it keeps the lock.
            puts = ctypes.PyDLL(None).puts
            for _ in range(3000):
                puts(b"x" * 99)
    """)
    assert status == 0
    assert output == ("x" * 99 + "\n") * 3000
    assert printed(place) == output


def test_what_is_printed_is_there_while_the_run_goes_on(place: Place) -> None:
    for count, capture in enumerate((None, True)):
        process = place.start(f"""
            import sys

            run = gs.start_run(capture={capture})
            print("at work", flush=True)
            sys.stdin.read()
        """)
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        deadline = time.monotonic() + 10
        while len(place.runs()) == count or not printed(place, place.runs()[-1]):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert place.runs()[-1].status == Status.RUNNING
        process.communicate(timeout=30)
        assert printed(place, place.runs()[-1]) == "at work\n"


def test_each_of_several_runs_has_what_it_printed(place: Place) -> None:
    place.carry_out("""
        import threading

        def work(name):
            with gs.start_run(name=name):
                for number in range(100):
                    print(f"{name} {number}")

        threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
    """)
    for run in place.runs():
        assert set(re.findall(r"[abc]", printed(place, run))) == {run.name}
        for number in range(100):
            assert f"{run.name} {number}" in printed(place, run)


def test_a_run_inside_another_takes_what_is_printed_meanwhile(place: Place) -> None:
    for capture in (None, True):
        place.carry_out(f"""
            with gs.start_run(name="outer", capture={capture}):
                print("before", flush=True)
                with gs.start_run(name="inner", capture={capture}):
                    print("inside", flush=True)
                print("behind", flush=True)
        """)
    found = [(run.name, printed(place, run)) for run in place.runs()]
    assert found == [("outer", "before\nbehind\n"), ("inner", "inside\n")] * 2


def test_children_print_into_the_run_of_their_parent(place: Place) -> None:
    for capture in (None, True):
        status, output, _ = place.carry_out(f"""
            import multiprocessing, sys

            def work(number):
                sys.stdout.write(f"child {{number}}\\n")

            if __name__ == "__main__":
                context = multiprocessing.get_context("fork")
                with gs.start_run(capture={capture}):
                    print("parent")
                    children = [context.Process(target=work, args=(n,)) for n in range(3)]
                    for child in children: child.start()
                    for child in children: child.join()
                print("over")
        """)
        assert status == 0
        run = place.runs()[-1]
        lines = ["child 0", "child 1", "child 2", "parent"]
        assert sorted(printed(place, run).splitlines()) == lines
        assert sorted(output.splitlines()) == sorted([*lines, "over"])


def test_of_too_much_the_head_and_the_tail_are_kept(place: Place) -> None:
    status, output, _ = place.carry_out("""
        import time

        with gs.start_run():
            for number in range(60_000):
                print(f"{number:099}")
                if number % 1000 == 0:
                    time.sleep(0.03)
    """)
    assert status == 0
    assert output.count("\n") == 60_000
    kept = printed(place)
    assert kept.startswith(output[:100_000])
    assert kept.endswith(output[-100_000:])
    assert len(kept) < 2_000_000
    assert re.search(r"\[… [\d,]+ characters are left out …\]\n", kept)


def test_of_a_progress_bar_the_last_state_is_kept(place: Place) -> None:
    for capture in (None, True):
        place.carry_out(f"""
            import sys, time

            with gs.start_run(capture={capture}):
                print("start", flush=True)
                for percent in range(101):
                    sys.stderr.write(f"\\r{{percent}}%")
                    sys.stderr.flush()
                    time.sleep(0.002)
                sys.stderr.write("\\n")
        """)
    for run in place.runs():
        assert printed(place, run, "stderr") == "100%\n"
        assert printed(place, run, "stdout") == "start\n"


def test_a_secret_of_the_environment_is_not_kept_where_it_is_printed(place: Place) -> None:
    place.environment["LAB_TOKEN"] = "tok-0123456789"
    for capture in (None, True):
        _, output, _ = place.carry_out(f"""
            import os

            with gs.start_run(capture={capture}, params={{"password": os.environ["LAB_TOKEN"]}}):
                print("the token is", os.environ["LAB_TOKEN"], "and", "sk-" + 20 * "x")
        """)
        assert "tok-0123456789" in output
    assert {printed(place, run) for run in place.runs()} == {"the token is *** and ***\n"}
    kept = b"".join(path.read_bytes() for path in place.folder.rglob("*.db*"))
    assert b"tok-0123456789" not in kept


@pytest.mark.skipif(sys.platform == "win32", reason="there are no terminals of this kind")
def test_a_terminal_remains_one(place: Place) -> None:
    script = place.folder / "terminal.py"
    script.write_text("""
import gosset as gs, os, sys
with gs.start_run(capture=True):
    print(sys.stdout.isatty(), os.get_terminal_size().columns)
    os.system("echo from a shell; test -t 1 && echo to a terminal")
""")
    master, slave = os.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 77, 0, 0))
    process = subprocess.Popen(
        [sys.executable, str(script)], stdout=slave, stderr=slave, env=place.environment
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            block = os.read(master, 4096)
        except OSError:
            break
        if not block:
            break
        shown += block
    os.close(master)
    assert process.wait(30) == 0
    assert shown == b"True 77\r\nfrom a shell\r\nto a terminal\r\n"
    assert printed(place) == "True 77\nfrom a shell\nto a terminal\n"


def test_where_there_is_no_tee_it_is_what_python_prints(place: Place) -> None:
    place.environment["PATH"] = str(place.folder)
    status, output, _ = place.carry_out("""
        import os
        with gs.start_run(capture=True):
            print("by Python")
            os.write(1, b"past it\\n")
    """)
    assert (status, sorted(output.splitlines())) == (0, ["by Python", "past it"])
    assert printed(place) == "by Python\n"


def test_a_process_that_is_left_behind_does_not_hold_the_script_up(place: Place) -> None:
    began = time.monotonic()
    status, output, _ = place.carry_out("""
        import subprocess
        with gs.start_run(capture=True):
            print("started")
            subprocess.Popen("sleep 3; echo late", shell=True, start_new_session=True)
        print("ended")
        with open("ended", "w"): pass
    """)
    # Its output is shown as before, to whoever waits for it.
    assert time.monotonic() - began > 3
    assert (status, output.split()) == (0, ["started", "ended", "late"])
    ended = (place.folder / "ended").stat().st_mtime
    assert time.time() - ended > 1.5
    assert printed(place) == "started\n"


def test_who_reads_no_more_does_not_stop_the_script(place: Place) -> None:
    script = place.folder / "much.py"
    script.write_text("""
import gosset as gs, signal
with gs.start_run(capture=True) as run:
    try:
        for number in range(100_000):
            print(number)
    except BrokenPipeError:
        run.fields["broken"] = True
        import os, sys
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
""")
    done = subprocess.run(
        f"{sys.executable} {script} | head -n 2",
        shell=True,
        capture_output=True,
        text=True,
        env=place.environment,
        timeout=60,
        check=False,
    )
    assert done.stdout == "0\n1\n"
    assert place.run().status.ended


def test_show_tells_the_last_lines(place: Place) -> None:
    place.carry_out("""
        with gs.start_run():
            for number in range(50):
                print("line", number)
    """)
    command = [sys.executable, "-c", "from gosset.cli import main; raise SystemExit(main())"]
    shown = subprocess.run(
        [*command, "show", "latest"], env=place.environment, capture_output=True, text=True
    ).stdout
    section = shown.partition("\nCONSOLE\n")[2].splitlines()
    assert section[0] == "  … 10 lines before; --json has all"
    assert section[1:] == [f"  line {number}" for number in range(10, 50)]
