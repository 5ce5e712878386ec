"""What is known of a run that nobody logged: what it printed, where it comes from, how busy it was."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gosset as gs
from gosset.provenance.redaction import redact, redact_source, redact_values
from gosset.provenance.suspicion import known_secrets, suspicious, suspicious_values
from gosset.tracking.telemetry import console
from gosset.tracking.telemetry import transcript as transcripts
from gosset.tracking.telemetry.gpus import open_gpus
from gosset.tracking.telemetry.machine import Machine
from gosset.tracking.telemetry.transcript import Transcript

SECRETIVE = """api_key TOKEN pw --password x = : 'v4lue' " sk- hf_ ghp_ 0123456789abcdefghij https://
me:pw@ host AKIA ABCDEFGHIJKLMNOP eyJabcdefgh.abcdefgh.x sessionId Cred ? & privateKey xoxb- AIza
Bearer"""
PIECES = st.sampled_from([*SECRETIVE.split(), " ", "\n"])


@given(st.lists(PIECES, max_size=8).map("".join))
def test_whatever_holds_a_secret_looks_like_it(text: str) -> None:
    found = redact(text) != text or redact_source(text) != text
    assert suspicious(text) or not found


@given(st.dictionaries(PIECES, st.lists(PIECES, max_size=6).map("".join), max_size=3))
def test_whatever_values_hold_a_secret_look_like_it(values: dict[str, str]) -> None:
    assert suspicious_values({"a": [values]}) or redact_values({"a": [values]}) == {"a": [values]}


def test_variables_that_are_named_like_secrets_hold_one_unless_they_hold_a_word() -> None:
    environ = {"A_TOKEN": "correct-horse", "MY_KEY": "production", "B_KEY": "k3y-012345"}
    environ |= {"DB_PASSWORD": "short", "PWD": "/home/me/lab", "TOKENIZERS": "parallel"}
    assert known_secrets(environ) == ["correct-horse", "k3y-012345"]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/lab.db"


def test_secret_parameters_are_the_scripts_alone(url: str, tmp_path: Path) -> None:
    given = {"lr": 0.1, "api_key": "tok-0123456789", "max_tokens": 7, "token": 3}
    config = {"db": {"url": "postgresql://me:hush-hush@host/lab", "password": ["pass-word-9"]}}
    with gs.start_run(params=given, config=config, store=url) as run:
        run.log_params({"secret": "geheim-geheim"})
        run.config.update({"auth_token": "auth-auth-auth"})
        assert dict(run.params) == {**given, "secret": "geheim-geheim"}
        assert run.config.db == config["db"]
    with gs.open_store(url) as store:
        found = store.run(run.id)
        assert found.params == {
            "lr": 0.1, "api_key": "***", "max_tokens": 7, "token": 3, "secret": "***",
        }  # fmt: skip
        assert found.config["db"] == {"url": "postgresql://me:***@host/lab", "password": ["***"]}
        assert found.config["auth_token"] == "***"
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    for secret in (b"tok-0123", b"hush-hush", b"pass-word", b"geheim", b"auth-auth"):
        assert secret not in kept


def test_an_exception_tells_no_secret(url: str) -> None:
    with pytest.raises(ValueError, match="hush"), gs.start_run(store=url) as run:
        raise ValueError("cannot reach postgresql://me:hush-hush@host/lab")
    with gs.open_store(url) as store:
        told = store.run(run.id).exception
    assert told is not None
    assert told.message == "cannot reach postgresql://me:***@host/lab"


def taken(transcript: Transcript, *, last: bool = False) -> str:
    return "".join(text for _, _, text in transcript.take(last=last)[0])


@given(
    st.lists(st.text("ab\r\n", max_size=6), max_size=20),
    st.lists(st.booleans(), min_size=20, max_size=20),
)
def test_however_it_is_cut_lines_are_kept_as_they_ended_up(
    texts: list[str], looks: list[bool]
) -> None:
    transcript = Transcript(lambda: None)
    kept = ""
    for text, look in zip(texts, looks, strict=False):
        transcript.write("stdout", text)
        if look:
            kept += taken(transcript)
    kept += taken(transcript, last=True)
    *ended, open_ = "".join(texts).split("\n")
    lines = [next((p for p in reversed(line.split("\r")) if p), "") for line in (*ended, open_)]
    assert kept == "\n".join(lines)


def test_a_line_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    transcript = Transcript(lambda: None)
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    transcript.write("stdout", "name? ")
    transcript.write("stderr", "\r10%")
    assert taken(transcript) == ""
    now[0] += 2
    assert taken(transcript) == "name? "
    now[0] += 10
    assert taken(transcript) == "10%"
    transcript.write("stderr", "\r20%\r30%")
    assert taken(transcript) == ""
    now[0] += 11
    assert taken(transcript) == "\r30%"
    transcript.write("stderr", "\r99%\r100%\n")
    transcript.write("stdout", "Ada\n")
    assert taken(transcript) == "\r100%\nAda\n"


def test_the_gap_grows_between_head_and_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("HEAD", 100), ("TAIL", 200), ("_SLACK", 50)):
        monkeypatch.setattr(transcripts, name, size)
    transcript = Transcript(lambda: None)
    kept: dict[int, str] = {}
    for number in range(100):
        transcript.write("stdout", f"{number:019}\n")
        pieces, gap = transcript.take()
        kept |= {moment: text for _, moment, text in pieces}
        if gap is not None:
            kept = {m: t for m, t in kept.items() if not gap.start < m <= gap.end}
            kept[gap.start] = gap.text
    lines = "".join(kept.values()).splitlines()
    assert [int(line) for line in lines[:5]] == [0, 1, 2, 3, 4]
    assert [int(line) for line in lines[6:]] == list(range(100 - len(lines[6:]), 100))
    left_out = 100 - 5 - len(lines[6:])
    assert lines[5] == f"[… {left_out * 20:,} characters are left out …]"


def test_of_a_burst_both_ends_are_kept() -> None:
    transcript = Transcript(lambda: None)
    text = "".join(f"{number:07}\n" for number in range(200_000))
    transcript.write("stdout", text)
    kept = taken(transcript)
    assert kept.startswith(text[: transcripts.BURST])
    assert kept.endswith(text[-transcripts.BURST :])
    assert len(kept) < 4 * transcripts.BURST
    assert "characters are left out" in kept


def test_streams_that_let_nobody_listen_are_let_be(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slotted:
        __slots__ = ("texts",)

        def __init__(self) -> None:
            self.texts: list[str] = []

        def write(self, text: str) -> int:
            self.texts.append(text)
            return len(text)

        def flush(self) -> None:
            pass

    stream = Slotted()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", None)
    for capture in (None, True):
        with gs.start_run(store=url, capture=capture):
            print("shown")  # noqa: T201
    assert "".join(stream.texts) == "shown\n" * 2


def test_what_is_listened_to_twice_is_given_back_as_it_was(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = gs.start_run(store=url)
    second = gs.start_run(store=url)
    first.finish()
    print("of the second")  # noqa: T201
    second.finish()
    print("of nobody")  # noqa: T201
    assert "write" not in vars(sys.stdout)
    assert capsys.readouterr().out == "of the second\nof nobody\n"
    with gs.open_store(url) as store:
        assert [piece.text for piece in store.catalog.console(second.id)] == ["of the second\n"]
        assert store.catalog.console(first.id) == []


def test_in_a_notebook_every_cell_is_listened_to(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begin: list[Callable[[object], None]] = []
    events = SimpleNamespace(register=lambda event, work: begin.append(work))
    shell = SimpleNamespace(events=events, user_ns={})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(console, "_cells_watched", False)

    def cell(text: str) -> None:
        """Carry a cell out as IPython does: it notes what is printed by ways of its own."""
        before = sys.stdout.write
        sys.stdout.write = lambda text: before(text)  # type: ignore[method-assign]
        for work in begin:
            work(None)
        print(text)  # noqa: T201
        sys.stdout.write = before  # type: ignore[method-assign]

    before = sys.stdout.write
    run = gs.start_run(store=url)
    sys.stdout.write = before  # type: ignore[method-assign]
    cell("one")
    cell("two")
    run.finish()
    cell("of nobody")
    assert len(begin) == 1
    assert capsys.readouterr().out == "one\ntwo\nof nobody\n"
    with gs.open_store(url) as store:
        kept = "".join(piece.text for piece in store.catalog.console(run.id))
    assert kept == "one\ntwo\n"


def test_gpus_are_looked_at_through_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused(Exception):
        pass

    def refuse(gpu: int) -> float:
        raise Refused

    nvml = ModuleType("pynvml")
    for name, value in {
        "NVMLError": Refused,
        "NVML_TEMPERATURE_GPU": 0,
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 3,
        "nvmlDeviceGetHandleByIndex": lambda number: number,
        "nvmlDeviceGetUUID": lambda gpu: f"GPU-{gpu}{gpu}",
        "nvmlDeviceGetUtilizationRates": lambda gpu: SimpleNamespace(gpu=10 * gpu),
        "nvmlDeviceGetMemoryInfo": lambda gpu: SimpleNamespace(used=1, total=4),
        "nvmlDeviceGetPowerUsage": refuse,
        "nvmlDeviceGetTemperature": lambda gpu, kind: 40 + gpu,
    }.items():
        setattr(nvml, name, value)
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0, GPU-22")
    found = Machine().look()
    assert {name: value for name, value in found.items() if "gpu" in name} == {
        "system/gpu/0": 0, "system/gpu/0/memory": 25, "system/gpu/0/temperature": 40,
        "system/gpu/2": 20, "system/gpu/2/memory": 25, "system/gpu/2/temperature": 42,
    }  # fmt: skip
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert open_gpus() is None


def test_without_nvml_nothing_is_said_of_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert open_gpus() is None
    assert {name for name in Machine().look() if "gpu" in name} == set()


def test_where_nothing_tells_how_busy_a_machine_is_the_extra_is_named(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.raises(gs.GossetError, match=r"gosset\[telemetry\]"):
        gs.start_run(store=url, system_metrics=True)
    with gs.start_run(store=url) as run:
        run.log({"loss": 1})
