"""Runs that wandb really wrote offline, taken over."""

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from imported_runs import points_of, whole

from gosset import Store, open_store
from gosset.entities import Run, Status
from gosset.exceptions import NotFoundError, StoreVersionError
from gosset.importers import kind_of
from gosset.importers.wandb_log import Log

Written = Callable[..., Any]
NAME = "name 🚀\nof two lines"
BLOCK = 1 << 15


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wandb") / "project"


@pytest.fixture(scope="module")
def logged(written: Written, place: Path) -> Any:
    return written("wandb", place, "whole")


@pytest.fixture(scope="module")
def kill(written: Written, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wandb") / "killed"
    written("wandb", place, "killed", 3000)
    return place


@pytest.fixture(scope="module")
def several(written: Written, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wandb") / "several"
    written("wandb", place, "several", 12)
    return place


@pytest.fixture
def killed(kill: Path, tmp_path: Path) -> Path:
    """A copy of the log of a run that was killed, cut in its last record.

    Whether it is so by itself hangs on how much the process that writes it had still got.
    """
    [log] = kill.glob("wandb/offline-*/*.wandb")
    copy = tmp_path / log.name
    copy.write_bytes(log.read_bytes()[:-5])
    return copy


@pytest.fixture
def source(logged: Any, place: Path) -> Path:
    return place


def run_of(store: Store, name: str) -> Run:
    [run] = [run for run in store.runs() if run.name == name]
    return run


def values_of(store: Store, run: Run, name: str) -> list[tuple[int, str]]:
    return [(step, value) for step, value, _ in points_of(store, run)[name]]


def expected(logged: Any) -> dict[str, list[tuple[int, str]]]:
    """Return the points that the rows say."""
    found: dict[str, list[tuple[int, str]]] = {}

    def add(name: str, value: Any, step: int) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                add(f"{name}.{key}", inner, step)
        elif not isinstance(value, str | list):
            found.setdefault(name, []).append((step, repr(value)))

    for step, row in logged["rows"]:
        for name, value in row.items():
            add(name, value, step)
    return found


def test_every_number_is_there_with_its_step(store: Store, source: Path, logged: Any) -> None:
    store.import_from(source)
    run = run_of(store, NAME)
    # wandb itself logs what is the step of a metric beside each of its values.
    wanted = expected(logged) | {"epoch": [(0, "0"), (1, "0"), (7, "2")], "best": [(0, "0.5")]}
    assert {name: values_of(store, run, name) for name in wanted} == wanted
    assert {name for name in run.metrics if not name.startswith("system/")} == set(wanted)


def test_times_are_those_of_the_rows(store: Store, source: Path) -> None:
    store.import_from(source)
    run = run_of(store, NAME)
    times = [time for _, _, time in points_of(store, run)["loss"]]
    assert run.started is not None
    assert run.ended is not None
    began, ended = (round(moment.timestamp() * 1e6) for moment in (run.started, run.ended))
    assert [began, *sorted(times), ended] == sorted([began, *times, ended])
    assert len(set(times)) == 5


def test_configuration_tags_and_notes_are_there(store: Store, source: Path, logged: Any) -> None:
    store.import_from(source)
    run = run_of(store, NAME)
    assert (run.project, run.experiment, run.status) == ("größe 1", "group ü", Status.COMPLETE)
    assert run.config["imported_from"]["id"] == f"größe 1/{logged['ids'][0]}"
    assert run.params == {
        "lr": 0.1,
        "big": 2**60 + 1,
        "nested.layers": [8, 4],
        "nested.act.kind": "mine",
        "nested.act.kind'": "relu",
        "nested.act.none": None,
        "inf": math.inf,
        "empty": {},
        "text": "one\ntwo ü",
        "late.r": 1,
    }
    assert set(run.tags) == {"blue", "a=b"}
    assert run.notes == "A note\nof two lines"
    assert run.fields["words.of"] == "summary"
    assert run.fields["alerts"] == [{"title": "Careful", "text": "of this", "level": "WARN"}]
    assert run.fields["wandb"] == {
        "job_type": "train",
        "exit_code": 0,
        "summary": {"deep.x": 17},
        "metrics": {"val/*": {"step_metric": "epoch"}, "loss": {"summary": ["min"]}},
    }


def test_a_failed_run_is_failed(store: Store, source: Path) -> None:
    store.import_from(source)
    run = run_of(store, "failed")
    assert (run.status, run.fields["wandb"]) == (Status.FAILED, {"exit_code": 3})
    assert run.experiment == "größe 1"


def test_what_was_printed_is_there(store: Store, source: Path) -> None:
    store.import_from(source)
    printed = store.catalog.console(run_of(store, NAME).id)
    assert [(each.stream, each.text) for each in printed] == [
        ("stdout", "printed ü\n"),
        ("stderr", "complained\n"),
    ]


def test_system_metrics_have_the_names_that_gosset_gives(store: Store, source: Path) -> None:
    store.import_from(source)
    points = points_of(store, run_of(store, NAME))
    for name in ("cpu", "memory", "disk", "process/memory"):
        steps = [step for step, _, _ in points[f"system/{name}"]]
        assert steps == list(range(len(steps)))
        assert len(steps) > 1
    assert "system/proc.cpu.threads" in points


def test_media_tables_and_files_become_artifacts(store: Store, source: Path) -> None:
    store.import_from(source)
    run = run_of(store, NAME)
    for name in ("image", "table", "html"):
        [said] = store.artifact(run, f"{name}.json")
        [original] = source.glob(f"wandb/offline-*/files/{said['value']['path']}")
        assert store.artifact(run, said["value"]["path"]).read() == original.read_bytes()
    [histogram] = store.artifact(run, "histogram.json")
    assert histogram["value"] == {"_type": "histogram", "values": [1, 3], "bins": [0, 0.5, 1]}
    [listed], [said] = store.artifact(run, "listed.json"), store.artifact(run, "said.json")
    assert (listed["step"], listed["value"]) == (9, [1, "b"])
    assert (said["step"], said["value"]) == (9, "words\nü")
    assert store.artifact(run, "model.txt").read() == b"weights"
    assert store.artifact(run, "model/model.txt").read() == b"weights"


def test_what_cannot_be_taken_over_is_told(store: Store, source: Path) -> None:
    imported = store.import_from(source)
    assert [str(left) for left in imported.left_out] == [
        f"artifact 'model/data.csv' of run {NAME}: it lies at https://example.org/data.csv"
    ]


def test_bytes_that_are_no_longer_those_that_were_logged_are_told(
    store: Store, source: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(source, tmp_path / "copy")
    [log] = [
        log
        for log in copy.glob("wandb/offline-*/*.wandb")
        if (log.parent / "files/model.txt").exists()
    ]
    staged = {path: path.read_bytes() for path in (source / "artifacts/staging").iterdir()}
    try:
        for path in staged:
            path.chmod(0o600)
            path.write_bytes(b"WEIGHTS" if staged[path] == b"weights" else staged[path])
        imported = store.import_from(log)
    finally:
        for path, data in staged.items():
            path.write_bytes(data)
    assert "artifact 'model/model.txt'" in [left.what for left in imported.left_out]
    assert "model/model.txt" not in store.artifacts_of(run_of(store, NAME))


def test_a_log_a_run_or_a_folder_of_runs_can_be_named(store: Store, source: Path) -> None:
    log = next(source.glob("wandb/offline-*/*.wandb"))
    places = [source, source / "wandb", log.parent, log]
    assert [kind_of(place) for place in places] == ["wandb"] * 4
    assert [store.import_from(place).runs for place in reversed(places)] == [1, 0, 1, 0]


def test_to_take_over_again_changes_nothing(store: Store, source: Path) -> None:
    store.import_from(source)
    before = whole(store)
    again = store.import_from(source)
    assert (again.runs, again.changed, again.unchanged) == (0, 0, 2)
    assert whole(store) == before


def test_a_resumed_run_is_one_and_gets_what_is_new(
    store: Store, tmp_path: Path, several: Path
) -> None:
    first, second = sorted(several.glob("wandb/*-goes-on"))
    shutil.copytree(first, tmp_path / first.name)
    store.import_from(tmp_path)
    run = run_of(store, "resumed")
    assert run.status is Status.FAILED
    assert values_of(store, run, "loss") == [(0, "0.0"), (1, "0.1"), (2, "0.2")]
    shutil.copytree(second, tmp_path / second.name)
    imported = store.import_from(tmp_path)
    assert (imported.runs, imported.changed) == (0, 1)
    run = run_of(store, "resumed")
    assert run.status is Status.COMPLETE
    assert run.params == {"from 0": 0, "from 1": 1}
    assert [value for _, value in values_of(store, run, "loss")] == (
        ["0.0", "0.1", "0.2", "1.0", "1.1", "1.2"]
    )
    assert values_of(store, run, "best") == [(0, "0.5"), (1, "1.5")]


def test_a_run_taken_over_while_at_work_is_in_the_end_as_if_taken_at_once(
    store: Store, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree(source, tmp_path / "copy", symlinks=True)
    [log] = [log for log in copy.glob("wandb/offline-*/*.wandb") if log.stat().st_size > 5000]
    data = log.read_bytes()
    monkeypatch.setattr("gosset.importers.taking.LEASE", 3600)
    for share in (0.5, 0.7, 0.9):
        log.write_bytes(data[: int(share * len(data))])
        assert store.import_from(log).unfinished == {NAME: "running"}
    monkeypatch.setattr("gosset.importers.taking.LEASE", 0)
    log.write_bytes(data[:-3])
    assert store.import_from(log).unfinished == {NAME: "crashed"}
    log.write_bytes(data)
    assert store.import_from(log).unfinished == {}
    with open_store(f"sqlite:///{tmp_path / 'other.db'}") as other:
        other.import_from(log)
        assert whole(store) == whole(other)


def test_of_a_forked_run_the_origin_is_told(store: Store, several: Path) -> None:
    imported = store.import_from(several)
    assert run_of(store, "forked").fields["wandb"]["branch_point"] == {"run": "elder", "_step": 5}
    assert [left.what for left in imported.left_out] == ["what was logged before the fork"]


def test_a_killed_run_is_crashed_with_all_that_reached_the_disk(
    store: Store, killed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gosset.importers.taking.LEASE", 0)
    imported = store.import_from(killed)
    run = run_of(store, "killed")
    assert run.status is Status.CRASHED
    assert imported.unfinished == {"killed": "crashed"}
    values = values_of(store, run, "loss")
    assert len(values) > 300
    assert values == [(step, repr(step / 3)) for step in range(len(values))]
    told = {left.what: left.why for left in imported.left_out}
    assert told["what was logged last"].endswith("ends in the middle of a record")
    assert told["file 'requirements.txt'"] == "it is not in the folder"


def test_wherever_a_log_is_cut_all_before_is_taken(killed: Path) -> None:
    data = killed.read_bytes()[: 3 * BLOCK]
    every = list(Log(killed).records())
    counts = []
    for end in sorted([*range(7, len(data), 1999), BLOCK - 3, BLOCK, BLOCK + 3]):
        killed.write_bytes(data[:end])
        log = Log(killed)
        records = list(log.records())
        assert records == every[: len(records)]
        assert not log.damaged
        counts.append(len(records))
    assert counts == sorted(counts)
    assert len(set(counts)) > len(counts) / 2


def test_a_damaged_record_is_told_and_what_follows_in_later_blocks_is_taken(
    store: Store, killed: Path
) -> None:
    data = bytearray(killed.read_bytes())
    at = data.index(b"0.3333333333333333")
    data[at] ^= 1
    killed.write_bytes(data)
    imported = store.import_from(killed)
    steps = [step for step, _ in values_of(store, run_of(store, "killed"), "loss")]
    assert 0 < len(steps) < max(steps)
    assert "1 records" in [left.what for left in imported.left_out]
    assert any("is damaged at" in left.why for left in imported.left_out)


def test_a_run_of_which_nothing_was_written_is_told(
    store: Store, tmp_path: Path, killed: Path
) -> None:
    (tmp_path / "run-empty.wandb").write_bytes(killed.read_bytes()[:7])
    imported = store.import_from(tmp_path)
    assert imported.runs == 1
    told = [str(left) for left in imported.left_out]
    assert f"the run of {tmp_path}/run-empty.wandb: nothing of it has reached the disk" in told


def test_many_runs_are_all_there(store: Store, several: Path) -> None:
    assert store.import_from(several).runs == 12 + 2
    many = [run for run in store.runs() if run.name.startswith("many")]
    assert {run.name for run in many} == {f"many {number}" for number in range(12)}
    for run in many:
        [(step, value)] = values_of(store, run, "loss")
        assert (run.name, step, float(value)) == (
            f"many {run.params['number']}",
            0,
            run.params["number"] / 3,
        )


def record(*fields: bytes) -> bytes:
    data = b"".join(fields)
    head = crc32(b"\1" + data).to_bytes(4, "little") + len(data).to_bytes(2, "little")
    return head + b"\1" + data


def varint(number: int) -> bytes:
    head = b""
    while number > 127:
        head, number = head + bytes([number & 127 | 128]), number >> 7
    return head + bytes([number])


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def whole_number(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def row(**values: str) -> bytes:
    """Return a record of history from what JSON says."""
    items = ((field(1, key.encode()), field(16, value.encode())) for key, value in values.items())
    return field(2, b"".join(field(1, key + value) for key, value in items))


def printed(text: str) -> bytes:
    return field(13, whole_number(1, 1) + field(3, text.encode()))


RUN = field(17, field(1, b"abc") + field(3, b"odd") + field(17, b"\x08\x01"))
EXIT = field(18, whole_number(1, 0))


def log_of(folder: Path, *records: bytes) -> Path:
    log = folder / "run-abc.wandb"
    log.write_bytes(b":W&B\xe1\xbe\0" + b"".join(map(record, records)))
    return log


HUGE = "1" + "0" * 400


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (row(_timestamp='"soon"', x="1"), "a time of the run is 'soon', which is none"),
        (row(_timestamp="1e999", x="1"), "a time of the run is inf, which is none"),
        (row(_timestamp="1e300", x="1"), "beyond what the calendar has"),
        (row(_timestamp=HUGE, x="1"), "beyond what the calendar has"),
        (row(_step="null", x="1"), "a step of the run is None, which is none"),
        (row(_step="1e999", x="1"), "a step of the run is inf, which is none"),
        (row(x="[" * 20_000), "its parts lie too deep"),
        (
            field(2, field(1, field(2, b"x") * 9999 + field(16, b"1"))),
            "its parts lie too deep",
        ),
        (
            field(5, field(2, field(2, b"lr") + field(2, b"inner"))),
            "it removes 'lr.inner', which lies in what has no parts",
        ),
        (
            field(13, field(2, whole_number(1, 2**62)) + field(3, b"words")),
            "beyond what the calendar has",
        ),
    ],
)
def test_an_odd_record_is_left_out_alone_and_told(
    store: Store, tmp_path: Path, bad: bytes, why: str
) -> None:
    config = field(5, field(1, field(1, b"lr") + field(16, b"0.5")))
    good = [row(_step=str(step), loss="0.5") for step in range(2)]
    log = log_of(tmp_path, RUN, config, good[0], bad, good[1], EXIT)
    [left] = store.import_from(log).left_out
    assert left.what == "1 records of run-abc.wandb"
    assert why in left.why
    [run] = store.runs()
    assert values_of(store, run, "loss") == [(0, "0.5"), (1, "0.5")]
    assert (run.params, run.status, set(run.metrics)) == ({"lr": 0.5}, Status.COMPLETE, {"loss"})


def test_integers_of_any_size_are_taken(store: Store, tmp_path: Path) -> None:
    item = field(1, field(1, b"x") + field(16, HUGE.encode()))
    log = log_of(tmp_path, RUN, row(_step="0", x=HUGE, loss="0.5"), field(3, item), EXIT)
    assert store.import_from(log).left_out == ()
    [run] = store.runs()
    assert values_of(store, run, "loss") == [(0, "0.5")]
    assert values_of(store, run, "x") == [(0, HUGE)]


def test_a_record_that_is_damaged_before_the_run_is_named_is_counted_once(
    store: Store, tmp_path: Path
) -> None:
    log = log_of(tmp_path, field(22, bytes(BLOCK - 7 - 7 - 5)), RUN, row(loss="0.5"), EXIT)
    data = bytearray(log.read_bytes())
    data[100] ^= 1
    log.write_bytes(data)
    assert [left.what for left in store.import_from(log).left_out] == ["1 records"]


def test_a_line_that_goes_on_is_taken_over_when_it_is_whole(store: Store, tmp_path: Path) -> None:
    def lines() -> list[str]:
        [run] = store.runs()
        return [line.text for line in store.catalog.console(run.id)]

    records = [RUN, row(loss="0.5"), printed("first\n"), printed("sec")]
    [left] = store.import_from(log_of(tmp_path, *records)).left_out
    assert (left.what, lines()) == ("the line that was printed last", ["first\n"])
    assert left.why.endswith("'sec'")
    records += [printed("ond\n"), printed("third")]
    store.import_from(log_of(tmp_path, *records))
    assert lines() == ["first\n", "second\n"]
    imported = store.import_from(log_of(tmp_path, *records, EXIT))
    assert (imported.left_out, lines()) == ((), ["first\n", "second\n", "third"])


def test_a_summary_before_its_history_leaves_no_field_behind(store: Store, tmp_path: Path) -> None:
    said = field(3, field(1, field(1, b"said") + field(16, b'"words"')))
    store.import_from(log_of(tmp_path, RUN, said))
    [run] = store.runs()
    assert run.fields == {"wandb": {"summary": {"said": "words"}}}
    store.import_from(log_of(tmp_path, RUN, said, row(said='"words"'), EXIT))
    [run] = store.runs()
    assert run.fields == {"wandb": {"exit_code": 0}}
    assert set(store.artifacts_of(run)) == {"said.json"}


def test_values_of_several_types_and_older_keys_are_read(store: Store, tmp_path: Path) -> None:
    """The schema knows more ways to write an item than the installed version uses."""

    def item(key: str, *value: bytes) -> bytes:
        return field(1, field(1, key.encode()) + b"".join(value))

    run = field(17, field(1, b"abc") + field(3, b"old") + field(17, b"\x08\x01"))
    items = [
        item("none", b"\x18\x00"),
        item("boolean", b"\x20\x01"),
        item("integer", b"\x28\x03"),  # zigzag
        item("number", b"\x31" + bytes(6) + b"\xf8\x3f"),
        item("text", field(7, b"words")),
        item("json", field(8, b"[1]")),
        item("nan", field(16, b'"NaN"')),
        item("_timestamp", field(16, b"2.5")),
    ]
    log = tmp_path / "run-abc.wandb"
    history = field(2, b"".join(items) + field(2, b"\x08\x04"))
    log.write_bytes(b":W&B\xe1\xbe\0" + record(run) + record(history) + record(field(60, b"")))
    imported = store.import_from(log)
    [taken] = store.runs()
    assert points_of(store, taken) == {
        "boolean": [(4, "True", 2_500_000)],
        "integer": [(4, "-2", 2_500_000)],
        "number": [(4, "1.5", 2_500_000)],
        "nan": [(4, "nan", 2_500_000)],
    }
    for name, value in {"none": None, "text": "words", "json": [1]}.items():
        [said] = store.artifact(taken, f"{name}.json")
        assert said["value"] == value
    assert "1 records of kind 60" in [left.what for left in imported.left_out]


def test_a_path_that_is_something_else_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no file or folder"):
        store.import_from(tmp_path / "nothing", "wandb")
    with pytest.raises(StoreVersionError, match="has no log of a wandb run"):
        store.import_from(tmp_path, "wandb")
    words = tmp_path / "run-words.wandb"
    words.write_text("words")
    with pytest.raises(StoreVersionError, match="is no log of a wandb run"):
        store.import_from(words, "wandb")
    words.write_bytes(b":W&B\xe1\xbe\1")
    with pytest.raises(StoreVersionError, match="another version of the format"):
        store.import_from(words, "wandb")


def test_something_else_among_the_logs_is_told(store: Store, source: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(source, tmp_path / "copy", symlinks=True)
    (copy / "wandb" / "offline-run-x").mkdir()
    (copy / "wandb" / "offline-run-x" / "run-x.wandb").write_text("words")
    imported = store.import_from(copy)
    assert imported.runs == 2
    assert any("no log of a wandb run" in left.why for left in imported.left_out)
