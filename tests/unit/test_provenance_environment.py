import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from gosset.provenance import command_line, environment, host, packages, user
from gosset.provenance.environments import owner


def test_packages_are_those_that_the_metadata_names() -> None:
    known = {
        re.sub(r"[-_.]+", "-", distribution.name).lower(): distribution.version
        for distribution in reversed(list(importlib.metadata.distributions()))
    }
    assert packages() == known
    assert list(packages()) == sorted(packages())


def test_the_first_on_the_path_is_the_one_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, version in [("first", "2.0+cpu"), ("second", "1.0")]:
        (tmp_path / place / f"some_thing-{version}.dist-info").mkdir(parents=True)
    old = tmp_path / "second" / "old_one.egg-info"
    old.mkdir()
    (old / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: Old.one\nVersion: 3\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "first"), "gone", str(tmp_path / "second")])
    assert packages() == {"old-one": "3", "some-thing": "2.0+cpu"}


def test_content_says_what_runs_here() -> None:
    content = environment().content
    assert content["python"]["version"] == platform.python_version()  # type: ignore[index,call-overload]
    assert f"blake3=={importlib.metadata.version('blake3')}" in content["packages"]  # type: ignore[operator]
    assert content["os"]["system"] == platform.system()  # type: ignore[index,call-overload]
    assert content["cpu"]["cores"] == os.cpu_count()  # type: ignore[index,call-overload]
    assert content["cpu"]["model"]  # type: ignore[index,call-overload]
    assert isinstance(content["gpus"], list)


def test_the_digest_changes_with_the_content_and_with_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = environment()
    monkeypatch.setenv("SOME_API_KEY", "secret")
    assert environment() == first
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    second = environment()
    assert second.content["threads"]["OMP_NUM_THREADS"] == "3"  # type: ignore[index,call-overload]
    assert second.digest != first.digest


def test_a_virtual_environment_is_named_without_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", "/somewhere/lab-env")
    assert environment().content["variables"]["VIRTUAL_ENV"] == "lab-env"  # type: ignore[index,call-overload]


def test_a_file_of_an_editable_package_has_no_owner() -> None:
    assert owner(Path(environment.__code__.co_filename)) is None
    assert owner(Path(sysconfig.get_path("purelib")) / "nobody.py") is None
    assert owner(Path(pytest.__file__)) == ("pytest", pytest.__version__)


# -- command line, user, host


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_script_is_shown_as_one_would_start_it(tmp_path: Path) -> None:
    script = tmp_path / "train it.py"
    script.write_text("from gosset.provenance import command_line; print(command_line())")
    shown = run(sys.executable, str(script), "--lr", "0.1", "--token", "abc", "API_KEY=x y")
    name = Path(sys.executable).name
    assert shown == f"{name} '{script}' --lr 0.1 --token '***' 'API_KEY=***'"


def test_an_installed_command_is_shown_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    command = str(Path(sys.executable).parent / "gosset")
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, command, "run", "iris.py"])
    assert command_line() == "gosset run iris.py"


def test_a_module_keeps_its_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["/opt/bin/python3", "-m", "gosset", "run"])
    assert command_line() == "python3 -m gosset run"


def test_a_user_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ["LOGNAME", "USER", "LNAME", "USERNAME"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    assert user() == "4000000"
    monkeypatch.setenv("LOGNAME", "student")
    assert user() == "student"


def test_the_host_has_a_name() -> None:
    assert host()
