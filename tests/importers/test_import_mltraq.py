"""Runs of MLtraq, from databases that it really wrote, and from hostile ones."""

import datetime
import os
import pickle
import shutil
import sqlite3
import uuid
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imported_runs import points_of, whole

from gosset import Store
from gosset.entities import Run, Status
from gosset.exceptions import SerializationError, StorageError, StoreVersionError
from gosset.importers.mltraq import datapak


@pytest.fixture(scope="module")
def once(written: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("mltraq") / "work"
    return folder, written("mltraq", folder / "mltraq.db")


@pytest.fixture
def told(once: tuple[Path, Any]) -> Any:
    return once[1]


@pytest.fixture
def database(once: tuple[Path, Any], tmp_path: Path) -> Path:
    return Path(shutil.copytree(once[0], tmp_path / "work")) / "mltraq.db"


def first_of(store: Store, told: Any) -> Run:
    wanted = f"{told['experiment']}/{told['run']}"
    [run] = [run for run in store.runs() if run.config["imported_from"]["id"] == wanted]  # type: ignore[call-overload, index]
    return run


def changed(database: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement, values)


def test_columns_of_sql_come_back_in_value_and_type(
    database: Path, store: Store, told: Any
) -> None:
    result = store.import_from(database)
    assert (result.kind, result.runs) == ("mltraq", 4)
    run = first_of(store, told)
    assert (run.experiment, run.status) == ("first-run 🚀", Status.COMPLETE)
    fields = store.fields(run)
    for name, value in told["native"].items():
        assert (fields[name], type(fields[name])) == (value, type(value))
    assert fields["raw"] == b"\x00\xff"
    assert fields["when"] == datetime.datetime.fromisoformat("2024-01-02T03:04:05.678901")
    assert fields["day"] == datetime.date(2024, 1, 2)
    assert fields["clock"] == datetime.time(3, 4, 5)


def test_packed_values_come_back_in_value_and_type(database: Path, store: Store, told: Any) -> None:
    store.import_from(database)
    fields = store.fields(first_of(store, told))
    assert fields["nested"] == {"t": (1, 2), "s": {3}, "n": None, "deep": [{"x": 2**70}]}
    assert fields["bunch"] == {"a": 1, "b": {"c": 2}}
    assert fields["array"].dtype == np.float32
    assert fields["array"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert fields["frame"].to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}
    assert fields["series"].tolist() == [1.5, 2.5]
    assert fields["table"].to_pydict() == {"a": [1, 2]}
    moment = np.datetime64("2024-01-02T03:04:05.678901", "us")
    assert fields["ids"] == [uuid.UUID(int=7), moment]
    assert fields["ids"][1].dtype == moment.dtype


def test_sequences_are_series(database: Path, store: Store, told: Any) -> None:
    store.import_from(database)
    run = first_of(store, told)
    points = points_of(store, run)
    local = [datetime.datetime.fromisoformat(time).timestamp() for time in told["times"]]
    times = [round(time * 1e6) for time in local]
    assert points["losses.loss"] == list(
        zip(told["idx"], map(repr, told["loss"]), times, strict=True)
    )
    assert [float(value) for _, value, _ in points["losses.n"]] == [0, 1, 2, 3, 4, 5]
    # Where a column has words, all of the sequence is kept besides.
    assert [float(value) for _, value, _ in points["words.x"]] == [1, 2]
    assert store.fields(run)["words"]["text"].tolist() == ["a", "b"]


def test_large_values_and_archives_come_along(database: Path, store: Store, told: Any) -> None:
    store.import_from(database)
    run = first_of(store, told)
    stored = store.fields(run)["store"]
    assert (stored["big"].tolist(), stored["name"]) == ([1.0, 1.0, 1.0], "kept")
    assert set(store.artifacts_of(run)) == {"archive", "lazy"}
    for name in ("archive", "lazy"):
        archive = store.artifact(run, name)
        assert archive.read("a.txt") == b"in the archive"


def test_fields_of_the_experiment_are_with_each_run(
    database: Path, store: Store, told: Any
) -> None:
    store.import_from(database)
    fields = store.fields(first_of(store, told))
    assert fields["experiment.question"] == "why"
    assert fields["experiment.weights"].tolist() == [0, 1, 2]


def test_kept_arguments_are_parameters_again(database: Path, store: Store, told: Any) -> None:
    store.import_from(database)
    runs = list(store.runs("experiment == 'grid'"))
    assert {run.params["A"] for run in runs} == set(told["grid"].values()) == {1, 2}
    assert all(run.fields["y"] == run.params["A"] * 2 for run in runs)  # type: ignore[operator]


def test_what_cannot_be_taken_over_is_told(database: Path, store: Store) -> None:
    told = {left.what: left.why for left in store.import_from(database).left_out}
    assert "code" in told["the pickle of experiment first-run 🚀"]
    # MLtraq gave the two experiments one table, and lost the runs of the first.
    assert "replaced" in told["1 runs of experiment a-b"]
    assert [run.fields["name"] for run in store.runs("experiment == 'a_b'")] == ["a_b"]
    assert len(told) == 2


def test_importing_twice_changes_nothing(database: Path, store: Store) -> None:
    store.import_from(database)
    before = whole(store)
    again = store.import_from(database)
    assert (again.runs, again.changed, again.unchanged) == (0, 0, 4)
    os.utime(database)
    assert store.import_from(database).unchanged == 4
    assert whole(store) == before


def test_a_database_that_has_grown_gives_what_is_new(
    database: Path, store: Store, written: Callable[..., Any]
) -> None:
    store.import_from(database)
    written("mltraq", database, "more")
    result = store.import_from(database)
    assert (result.runs, result.changed, result.unchanged) == (1, 2, 2)
    runs = list(store.runs("experiment == 'grid'"))
    assert sorted(run.params["A"] for run in runs) == [1, 2, 3]  # type: ignore[type-var]
    assert all(run.metrics["more.v"].value == 1.0 for run in runs)


def test_compressed_values_are_read_which_their_writer_cannot(
    store: Store, written: Callable[..., Any], tmp_path: Path
) -> None:
    written("mltraq", tmp_path / "packed.db", "zlib")
    store.import_from(tmp_path / "packed.db")
    [run] = store.runs()
    assert run.fields["nested"] == {"a": [1, 2, 3] * 100}


def test_null_is_told_and_no_number_is_made_up(database: Path, store: Store, told: Any) -> None:
    changed(database, "UPDATE experiment_first_run SET f = NULL")
    result = store.import_from(database)
    assert "field 'f'" in {left.what for left in result.left_out}
    assert "f" not in first_of(store, told).fields


def test_a_large_value_that_is_gone_is_told(database: Path, store: Store, told: Any) -> None:
    shutil.rmtree(database.parent / "mltraq.datastore")
    told_of = {left.what for left in store.import_from(database).left_out}
    assert {"field 'store'", "field 'lazy'"} <= told_of
    assert "archive" in store.artifacts_of(first_of(store, told))


def test_a_database_that_was_cut_changes_nothing(database: Path, store: Store) -> None:
    data = database.read_bytes()
    for size in (len(data) // 2, len(data) - 4096, 4096):
        database.write_bytes(data[:size])
        with pytest.raises(StorageError, match=r"damaged|cannot be read"):
            store.import_from(database, "mltraq")
        assert len(store.runs()) == 0


def test_another_database_is_refused(store: Store, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    changed(other, "CREATE TABLE experiments (name TEXT)")
    with pytest.raises(StoreVersionError, match="is no database of MLtraq"):
        store.import_from(other, "mltraq")


# -- what somebody else may have put there


class Call:
    """Makes a pickle that calls something when it is read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._path),)


def test_a_pickle_that_would_run_code_is_refused_and_runs_none(
    database: Path, store: Store, told: Any, tmp_path: Path
) -> None:
    payload = pickle.dumps({"a": Call(tmp_path / "done")}, 5)
    changed(database, "UPDATE experiment_first_run SET nested = ?", payload)
    result = store.import_from(database)
    [left] = [left for left in result.left_out if left.what == "field 'nested'"]
    assert "could run code" in left.why
    assert not (tmp_path / "done").exists()
    assert "nested" not in first_of(store, told).fields
    assert "array" in first_of(store, told).fields


@pytest.mark.parametrize("protocol", range(6))
def test_whatever_could_import_is_refused(protocol: int, tmp_path: Path) -> None:
    for value in (Call(tmp_path / "done"), os.system, datetime.date(2024, 1, 2), 1j):
        with pytest.raises(SerializationError, match="could run code"):
            datapak.read(pickle.dumps(value, protocol))
    assert not (tmp_path / "done").exists()


@pytest.mark.parametrize("protocol", range(3, 6))
def test_plain_values_are_read(protocol: int) -> None:
    value = {"a": [1, -(2**80), 0.5, None, True, "ü", b"x", (), (1, 2), {}, []], 3: float("inf")}
    assert datapak.read(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("data", [b"", b"\x80\x05", b"garbage", b"C01garbage", b"\x80\x05K\x01"])
def test_bytes_that_are_no_value_are_an_error(data: bytes) -> None:
    with pytest.raises(SerializationError, match="damaged"):
        datapak.read(data)


def test_a_value_that_grows_without_end_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100):
        value = [value, value]
    with pytest.raises(SerializationError, match="too many parts"):
        datapak.read(pickle.dumps(value))


HOSTILE = {
    "too many parts, or they lie too deep": {
        "tuples in tuples": b"\x80\x04()" + b"\x85" * 400_000 + b"\x91.",
        "each tuple twice in the next": b"\x80\x04()" + b"2\x86" * 45 + b"q\x000(h\x00\x91.",
        "the same, as a key": b"\x80\x04})" + b"2\x86" * 45 + b"Ns.",
        "hashed again and again": b"\x80\x04)"
        + b"2\x86" * 15
        + b"q\0"
        + b"(h\0\x910" * 9999
        + b".",
    },
    "damaged": {
        "remembered far away": b"\x80\x04Nr\xff\xff\xff\x7f.",
        "parts of a number": b"\x80\x04K\x01K\x02a.",
        "nothing to remember": b"\x80\x04q\x00.",
    },
}


@pytest.mark.parametrize(
    ("why", "data"),
    [
        pytest.param(why, data, id=name)
        for why, cases in HOSTILE.items()
        for name, data in cases.items()
    ],
)
def test_a_pickle_that_would_end_or_hold_up_the_process_is_refused(why: str, data: bytes) -> None:
    with pytest.raises(SerializationError, match=why):
        datapak.read(data)


def test_compressed_bytes_that_would_fill_the_memory_are_refused() -> None:
    packing = zlib.compressobj(1)
    data = b"C01" + b"".join(packing.compress(bytes(1 << 24)) for _ in range(17))
    with pytest.raises(SerializationError, match="are more than 268435456 in the end"):
        datapak.read(data + packing.flush())


def test_compressed_bytes_that_were_cut_off_are_damaged() -> None:
    data = b"C01" + zlib.compress(pickle.dumps(list(range(1000))))
    assert datapak.read(data) == list(range(1000))
    with pytest.raises(SerializationError, match="damaged"):
        datapak.read(data[:-9])


@pytest.mark.parametrize("protocol", [4, 5])
def test_values_that_stand_in_several_places_are_read(protocol: int) -> None:
    one = ("a", frozenset([1, (2, 3)]))
    value = {one: [one, one], "s": {one, ()}, "d": [{"k": [one]}] * 50}
    assert datapak.read(pickle.dumps(value, protocol)) == value


def test_an_array_of_objects_is_refused() -> None:
    import io

    file = io.BytesIO()
    np.save(file, np.array([object]), allow_pickle=True)
    sign = {"DATAPAK-0": "numpy.ndarray-0", "value": file.getvalue()}
    with pytest.raises(SerializationError, match="is damaged"):
        datapak.read(pickle.dumps(sign))


def test_an_unknown_kind_is_an_error() -> None:
    for sign in ("numpy.ndarray-1", "new.Kind-0", "plain"):
        with pytest.raises(SerializationError, match="is not known"):
            datapak.read(pickle.dumps({"DATAPAK-0": sign, "value": b""}))


@pytest.mark.parametrize(
    "url", ["file:///../secret", "file:////etc/passwd", "file:///%2e%2e/secret"]
)
def test_a_value_is_looked_for_in_the_store_alone(
    database: Path, store: Store, told: Any, url: str
) -> None:
    (database.parent / "secret").write_bytes(pickle.dumps("secret"))
    payload = pickle.dumps({"DATAPAK-0": "mltraq.DataStore-0", "value": url})
    changed(database, "UPDATE experiment_first_run SET store = ?", payload)
    result = store.import_from(database)
    assert "field 'store'" in {left.what for left in result.left_out}
    assert "store" not in first_of(store, told).fields


def test_a_value_that_is_kept_in_itself_is_told(database: Path, store: Store) -> None:
    sign = pickle.dumps({"DATAPAK-0": "mltraq.DataStore-0", "value": "file:///round"})
    (database.parent / "mltraq.datastore" / "round").write_bytes(sign)
    changed(database, "UPDATE experiment_first_run SET store = ?", sign)
    told = {left.what: left.why for left in store.import_from(database).left_out}
    assert "kept in itself" in told["field 'store'"]


@pytest.mark.parametrize(
    ("statement", "what", "runs"),
    [
        ("UPDATE experiment_first_run SET id_run = 'zz'", "run zz of experiment first-run 🚀", 3),
        ("UPDATE experiments SET fields = 7", "the fields of experiment first-run 🚀", 4),
        (
            "UPDATE experiments SET id_experiment = 'x' WHERE name LIKE 'first%'",
            "experiment first-run 🚀 with its runs",
            3,
        ),
    ],
)
def test_of_what_is_damaged_that_run_or_experiment_alone_is_left_out(
    database: Path, store: Store, statement: str, what: str, runs: int
) -> None:
    changed(database, statement)
    result = store.import_from(database)
    assert what in {left.what for left in result.left_out}
    assert result.runs == runs
