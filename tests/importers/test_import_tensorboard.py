"""Runs of TensorBoard, from event files that were really written for it."""

import shutil
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from imported_runs import points_of, whole

from gosset import Store
from gosset.entities import Run, Status
from gosset.exceptions import NotFoundError, StoreVersionError
from gosset.importers.tensorboard.records import Damage, Record, crc32c, masked_crc, records

START = 1_700_000_000


@pytest.fixture(scope="module")
def once(written: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("tensorboard") / "logs"
    return folder, written("tensorboard", folder)


@pytest.fixture
def told(once: tuple[Path, Any]) -> Any:
    return once[1]


@pytest.fixture
def logs(once: tuple[Path, Any], tmp_path: Path) -> Path:
    return Path(shutil.copytree(once[0], tmp_path / "logs"))


def run_of(store: Store, name: str) -> Run:
    [run] = [run for run in store.runs() if run.name == name]
    return run


def events_of(logs: Path, name: str) -> Path:
    [file] = (logs / name).glob("events*")
    return file


def test_each_folder_is_a_run_of_one_experiment(logs: Path, store: Store) -> None:
    result = store.import_from(logs)
    assert (result.kind, result.runs) == ("tensorboard", 3)
    names = {run.name for run in store.runs()}
    assert names == {"grid/Ünder 🚀", "grid/Ünder 🚀/hp", "other"}
    assert {run.experiment for run in store.runs()} == {"logs"}
    assert {run.status for run in store.runs()} == {Status.COMPLETE}
    main, inner = run_of(store, "grid/Ünder 🚀"), run_of(store, "grid/Ünder 🚀/hp")
    assert inner.parent == main.id


def test_scalars_are_exact_with_steps_and_times(logs: Path, store: Store, told: Any) -> None:
    store.import_from(logs)
    points = points_of(store, run_of(store, "grid/Ünder 🚀"))
    logged = [
        (step, repr(value), (START + number) * 1_000_000)
        for number, (step, value) in enumerate(told["loss"])
    ]
    assert points["loss/train"] == sorted(logged, key=lambda point: (point[0], point[2]))
    assert len(points_of(store, run_of(store, "other"))["loss"]) == 1000


def test_scalars_of_the_second_generation_are_exact(logs: Path, store: Store) -> None:
    store.import_from(logs)
    points = points_of(store, run_of(store, "grid/Ünder 🚀"))
    found = {name: points[f"v2/{name}"] for name in ("double", "float", "half", "bfloat", "int")}
    values = {"double": 0.1, "float": 0.5, "half": 0.5, "bfloat": 1.5, "int": -(2**62)}
    time = (START + 3) * 1_000_000
    assert found == {name: [(3, repr(value), time)] for name, value in values.items()}


def test_hyperparameters_are_parameters(logs: Path, store: Store) -> None:
    store.import_from(logs)
    run = run_of(store, "grid/Ünder 🚀/hp")
    assert run.params == {"lr": 0.1, "name": "adam", "fast": True}
    assert run.metrics["hp/acc"].value == 0.5


def test_texts_are_fields(logs: Path, store: Store) -> None:
    store.import_from(logs)
    fields = run_of(store, "grid/Ünder 🚀").fields
    assert fields["note"] == "only\none 🚀"
    assert fields["several"] == [{"step": step, "text": f"text {step}"} for step in range(2)]


def test_images_sounds_and_histograms_are_artifacts(logs: Path, store: Store) -> None:
    store.import_from(logs)
    run = run_of(store, "grid/Ünder 🚀")
    kept = store.artifacts_of(run)
    assert set(kept) == {
        "images/picture/7.png",
        "images/v2/image/3.png",
        "images/v2/image/3-2.png",
        "audio/v2/audio/3.wav",
        "histograms/weights",
        "histograms/v2/histogram",
    }
    assert store.artifact(run, "images/picture/7.png").read().startswith(b"\x89PNG\r\n")
    assert store.artifact(run, "images/v2/image/3-2.png").read() == b"\x89PNG two"
    assert store.artifact(run, "audio/v2/audio/3.wav").read() == b"RIFF sound"
    [weights] = store.artifact(run, "histograms/weights")
    assert (weights["step"], weights["num"], weights["sum"]) == (1, 10, 45)
    assert sum(weights["bucket"]) == 10
    [buckets] = store.artifact(run, "histograms/v2/histogram")
    assert buckets["buckets"] == [[0.0, 1.0, 3.0], [1.0, 2.0, 4.0]]
    assert (buckets["step"], buckets["time"]) == (3, (START + 3) * 1_000_000)  # microseconds


def test_what_has_no_place_is_told(logs: Path, store: Store) -> None:
    result = store.import_from(logs)
    assert [(left.what, left.run) for left in result.left_out] == [
        ("what plugin 'pr_curves' shows, of 'curve' (1 times)", "grid/Ünder 🚀")
    ]


def test_importing_twice_or_from_another_place_changes_nothing(logs: Path, store: Store) -> None:
    store.import_from(logs)
    before = whole(store)
    assert store.import_from(logs).unchanged == 3
    elsewhere = logs.rename(logs.parent / "moved")
    again = store.import_from(elsewhere / "other")
    assert (again.runs, again.changed, again.unchanged) == (0, 0, 1)
    assert whole(store) == before


def test_a_folder_with_more_files_is_a_run_that_has_grown(
    logs: Path, store: Store, written: Callable[..., Any]
) -> None:
    store.import_from(logs)
    written("tensorboard", logs, "more")
    result = store.import_from(logs)
    assert (result.runs, result.changed, result.unchanged) == (0, 1, 2)
    series = store.series(run_of(store, "other"), "loss")
    assert series.values.tolist() == [step / 8 for step in range(1500)]


def test_a_file_that_was_cut_gives_what_is_whole_and_later_the_rest(
    logs: Path, store: Store
) -> None:
    file = events_of(logs, "other")
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2 + 3])
    result = store.import_from(logs)
    [left] = [left for left in result.left_out if left.run == "other"]
    assert left.why == "it is cut off"
    count = len(store.series(run_of(store, "other"), "loss"))
    assert 480 < count < 520
    file.write_bytes(data)
    assert store.import_from(logs).changed == 1
    assert len(store.series(run_of(store, "other"), "loss")) == 1000


def test_a_damaged_record_is_told_and_those_behind_it_are_there(logs: Path, store: Store) -> None:
    file = events_of(logs, "other")
    found = [record for record in records(file) if isinstance(record, Record)]
    data = bytearray(file.read_bytes())
    data[found[500].offset + 20] ^= 1
    file.write_bytes(data)
    result = store.import_from(logs)
    [left] = [left for left in result.left_out if left.run == "other"]
    assert left.why == "its bytes are not those that were written"
    assert len(store.series(run_of(store, "other"), "loss")) == 999


def test_a_file_without_one_event_is_told(logs: Path, store: Store) -> None:
    events_of(logs, "other").write_bytes(b"\x01\x02")
    result = store.import_from(logs)
    assert result.runs == 2
    assert "run other" in {left.what for left in result.left_out}


def varint(number: int) -> bytes:
    number &= 2**64 - 1
    head = b""
    while number > 127:
        head, number = head + bytes([number & 127 | 128]), number >> 7
    return head + bytes([number])


def whole_number(field: int, number: int) -> bytes:
    return varint(field << 3) + varint(number)


def piece(field: int, data: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(data)) + data


def framed(data: bytes) -> bytes:
    head = struct.pack("<Q", len(data))
    checked = head + struct.pack("<I", masked_crc(head))
    return checked + data + struct.pack("<I", masked_crc(data))


def event(*values: bytes) -> bytes:
    """Return an event of step 4 with values of a summary."""
    wall = b"\x09" + struct.pack("<d", START)
    summary = b"".join(piece(1, value) for value in values)
    return framed(wall + whole_number(2, 4) + piece(5, summary))


def scalar(tag: str, number: float) -> bytes:
    return piece(1, tag.encode()) + b"\x15" + struct.pack("<f", number)


def shown(tag: str, plugin: bytes, tensor: bytes) -> bytes:
    metadata = piece(1, piece(1, plugin))
    return piece(1, tag.encode()) + piece(8, tensor) + piece(9, metadata)


def shaped(*sizes: int) -> bytes:
    return piece(2, b"".join(piece(2, whole_number(1, size)) for size in sizes))


ONE = b"\x2d" + struct.pack("<f", 1.5)
FLOAT, UINT8 = whole_number(1, 1), whole_number(1, 4)


@pytest.mark.parametrize(
    ("plugin", "tensor", "why"),
    [
        (b"histograms", FLOAT + shaped(10**8, 3) + ONE, "stands for 300000000"),
        (b"histograms", FLOAT + shaped(-1, -1) + ONE, "a shape that none has"),
        (b"scalars", FLOAT + shaped(-1) + ONE, "a shape that none has"),
        (b"scalars", FLOAT + shaped(*[2**60] * 99) + ONE, "a shape that none has"),
        (b"scalars", FLOAT + piece(4, b"abc"), "numbers of a tensor are damaged"),
        (b"scalars", UINT8 + whole_number(7, 300), "numbers of a tensor are damaged"),
        (b"scalars", whole_number(1, 19) + whole_number(13, 2**40), "tensor are damaged"),
    ],
)
def test_of_a_hostile_tensor_that_value_alone_is_left_out(
    store: Store, tmp_path: Path, plugin: bytes, tensor: bytes, why: str
) -> None:
    values = scalar("before", 0.5), shown("bad", plugin, tensor), scalar("after", 0.25)
    (tmp_path / "events.out.tfevents.1.host").write_bytes(event(*values))
    [left] = store.import_from(tmp_path, "tensorboard").left_out
    assert "'bad'" in left.what
    assert why in left.why
    [run] = store.runs()
    assert {name: metric.value for name, metric in run.metrics.items()} == {
        "before": 0.5,
        "after": 0.25,
    }
    assert not store.artifacts_of(run)


def test_a_number_that_stands_for_many_is_no_scalar_and_takes_no_memory(
    store: Store, tmp_path: Path
) -> None:
    data = event(shown("many", b"scalars", FLOAT + shaped(3 * 10**8) + ONE))
    (tmp_path / "events.out.tfevents.1.host").write_bytes(data)
    tracemalloc.start()
    try:
        [left] = store.import_from(tmp_path, "tensorboard").left_out
        assert tracemalloc.get_traced_memory()[1] < 10**8
    finally:
        tracemalloc.stop()
    assert "of 'many'" in left.what


def test_one_number_may_stand_for_all_of_a_histogram(store: Store, tmp_path: Path) -> None:
    data = event(shown("empty", b"histograms", FLOAT + shaped(2, 3) + ONE))
    (tmp_path / "events.out.tfevents.1.host").write_bytes(data)
    store.import_from(tmp_path, "tensorboard")
    [told] = store.artifact(store.runs()[0], "histograms/empty")
    assert told["buckets"] == [[1.5] * 3] * 2


def test_a_first_record_that_is_no_event_is_told_and_the_others_come(
    store: Store, tmp_path: Path
) -> None:
    number = varint(2 << 3) + varint(2**40)  # of 32 bits in its field
    bad = event(piece(1, b"wide") + number)
    data = framed(b"\x0b\x0c") + bad + event(scalar("loss", 0.5))
    (tmp_path / "events.out.tfevents.1.host").write_bytes(data)
    told = [left.what.split(" of ")[0] for left in store.import_from(tmp_path).left_out]
    assert told == ["the event at byte 12", "'wide' in the event at byte 30"]
    assert store.runs()[0].metrics["loss"].value == 0.5


def test_what_is_no_folder_of_events_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(StoreVersionError, match="has no event files"):
        store.import_from(tmp_path, "tensorboard")
    with pytest.raises(NotFoundError, match="there is no"):
        store.import_from(tmp_path / "nowhere", "tensorboard")


@pytest.mark.parametrize("size", [0, 1, 9, 16_383, 16_384, 16_385, 100_003])
def test_checksums_are_those_of_the_standard_whatever_the_length(size: int) -> None:
    data = bytes(i * 7 % 251 for i in range(size))
    crc = 0xFFFF_FFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    assert crc32c(data) == crc ^ 0xFFFF_FFFF


def test_behind_a_damaged_length_nothing_is_read(tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_bytes(framed(b"one") + b"\0" * 12 + framed(b"two"))
    first, damage = records(file)
    assert first == Record(12, b"one")
    assert damage == Damage(19, "its length is damaged")


def test_a_length_beyond_the_file_takes_no_memory(tmp_path: Path) -> None:
    head = struct.pack("<Q", 1 << 62)
    file = tmp_path / "events"
    file.write_bytes(head + struct.pack("<I", masked_crc(head)) + b"short")
    assert list(records(file)) == [Damage(0, "it is cut off")]
