"""Tracking, scenarios 6 to 8: values of every type; hostile names; stores that nobody trusts."""

from __future__ import annotations

import io
import json
import os
import pickle
import sqlite3
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from workplace import Workplace, files_in

import gosset as gs
from gosset.exceptions import GossetError, SerializationError

# -- 6: types

VALUES = """
    import datetime as dt
    import decimal
    import math
    import uuid
    from zoneinfo import ZoneInfo

    import numpy as np
    import pandas as pd
    import pyarrow as pa

    def simple():
        return {
            "bool": True, "int": -7, "big": 2**70, "huge": 10**400, "float": 0.1 + 0.2,
            "tiny": 5e-324, "nan": math.nan, "inf": -math.inf, "minus zero": -0.0,
            "str": "one\\ntwo 🚀", "bytes": b"\\x00\\xff", "none": None,
            "complex": 1 - 2j, "decimal": decimal.Decimal("0.10"), "uuid": uuid.UUID(int=7),
            "datetime": dt.datetime(2026, 1, 2, 3, 4, 5, 678901),
            "aware": dt.datetime(2026, 1, 2, 3, tzinfo=ZoneInfo("Europe/Berlin")),
            "date": dt.date(2026, 1, 2), "time": dt.time(3, 4, 5), "delta": dt.timedelta(1, 2, 3),
            "int32": np.int32(1), "int64": np.int64(2**62), "float32": np.float32(0.1),
            "float64": np.float64(0.1), "numpy bool": np.bool_(True),
            "datetime64": np.datetime64("2026-01-02T03:04:05.678901", "us"),
            "timestamp": pd.Timestamp("2026-01-02 03:04:05.123456789", tz="UTC"),
        }

    def containers():
        return {
            "list": [1, (2, 3), {"a": [4]}], "tuple": (1, (2, [3])), "set": {1, "a"},
            "frozenset": frozenset([1, (2, 3)]), "dict": {1: "one", (2, 3): {"x": 2**70}},
            "empty": [(), [], {}, set(), frozenset(), ""],
        }

    def large():
        index = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["letter", "number"])
        return {
            "array": np.arange(6, dtype=np.float32).reshape(2, 3),
            "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
            "empty array": np.empty((0, 3), dtype=np.int8),
            "frame": pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
            "indexed": pd.DataFrame({"a": [1.5, math.nan]}, index=index),
            "series": pd.Series([1.5, 2.5], index=["p", "q"], name="named"),
            "table": pa.table({"a": [1, None], "b": [["x"], []]}),
        }

    def all_values():
        every = {**simple(), **containers(), **large()}
        every["all of them, nested"] = [dict(every), {"deep": (simple(), large())}]
        return every

    def same(one, other):
        if type(one) is not type(other):
            return False
        if isinstance(one, dict):
            return list(one) == list(other) and all(same(one[k], other[k]) for k in one)
        if isinstance(one, (list, tuple)):
            return len(one) == len(other) and all(map(same, one, other))
        if isinstance(one, np.ndarray):
            alike = (one.dtype, one.shape) == (other.dtype, other.shape)
            return alike and one.tobytes("A") == other.tobytes("A")
        if isinstance(one, pd.DataFrame):
            pd.testing.assert_frame_equal(one, other)
            return True
        if isinstance(one, pd.Series):
            pd.testing.assert_series_equal(one, other)
            return True
        if isinstance(one, pa.Table):
            return one.equals(other)
        if isinstance(one, (float, complex, np.floating)):
            return repr(one) == repr(other)
        if isinstance(one, dt.datetime) and one.tzinfo:
            return one == other and str(one.tzinfo) == str(other.tzinfo)
        return one == other
"""

KEEP = {
    "tracked": """
        import gosset as gs, values

        with gs.start_run("kinds") as run:
            run.fields.update(values.all_values())
    """,
    "steps": """
        import gosset as gs, values

        def keep(run):
            run.fields.update(values.all_values())

        if __name__ == "__main__":
            gs.Experiment("kinds").execute(steps=[keep], executor="processes", jobs=1).raise_for_status()
    """,
    "live": """
        import gosset as gs, values

        if __name__ == "__main__":
            experiment = gs.Experiment("kinds")
            run = experiment.add_run()
            for name, value in values.all_values().items():
                if name != "list":
                    run.fields[name] = value
            experiment.execute(steps=[lambda run: None])
            run.fields["list"] = values.all_values()["list"]
    """,
}

COMPARE = """
    import gosset as gs, values

    expected = values.all_values()
    with gs.open_store() as store:
        found = store.fields(store.run("latest"))
    loaded = dict(gs.Experiment.load("kinds").runs.first.fields)
    assert set(found) == set(expected) == set(loaded)
    wrong = [name for name in expected if not values.same(expected[name], found[name])]
    wrong += [name for name in expected if not values.same(expected[name], loaded[name])]
    print(wrong)
"""


@pytest.mark.parametrize("way", KEEP)
def test_every_type_comes_back_in_value_and_in_type(workplace: Workplace, way: str) -> None:
    """Scenario 6: top level and nested, set by a script, in a step, and by who holds the run."""
    workplace.write("values.py", VALUES)
    workplace.python(workplace.write("keep.py", KEEP[way]))
    assert workplace.python(workplace.write("compare.py", COMPARE)) == "[]\n"


REFUSED = """
    import json, threading
    import gosset as gs

    class Own: ...

    WRONG = {
        "function": len, "lambda": lambda: 1, "lock": threading.Lock(), "object": Own(),
        "class": Own, "generator": (n for n in [1]), "module": json,
    }

    def refused(run):
        told = {}
        for name, value in WRONG.items():
            for nested, path in ((value, f"fields['{name}']"), ({"a": [1, value]}, f"fields['{name}']['a'][1]")):
                try:
                    run.fields[name] = nested
                except gs.UsageError as error:
                    assert path in str(error), (path, str(error))
                else:
                    told[name] = "was taken"
        return told

    def step(run):
        run.fields["told"] = refused(run)

    if __name__ == "__main__":
        with gs.start_run("refused") as run:
            run.fields["told"] = refused(run)
        gs.Experiment("steps").execute(steps=[step]).raise_for_status()
        live = gs.Experiment.load("refused").runs.first
        print(refused(live), sorted(live.fields))
"""


def test_what_cannot_be_kept_is_refused_where_it_is_set_and_nothing_is_written(
    workplace: Workplace,
) -> None:
    """Scenario 6: the path of the very part is named."""
    assert workplace.python(workplace.write("refused.py", REFUSED)) == "{} ['told']\n"
    with workplace.store() as store:
        assert [run.fields for run in store.runs()] == [{"told": {}}] * 2
        assert [store.artifacts_of(run) for run in store.runs()] == [{}] * 2


# -- 7: names

HOSTILE = [
    "a-b",
    "a_b",
    "A_B",
    "a b",
    "änderung",
    "实验",
    "🚀",
    "runs",
    "select",
    "'; DROP TABLE runs; --",
]

NAMED = """
    import json, sys
    import gosset as gs

    for number, name in enumerate(json.loads(sys.argv[1])):
        with gs.start_run(name, name=name, params={name: number}) as run:
            run.log({name: number, "loss": number / 2})
            run.fields[name] = number
            run.set_tags(name)

    with gs.start_run("mixed", name="first") as run:
        run.fields.update(value=1, id="mine", id_run=2, run_id=3, Loss="upper", loss="lower")
    with gs.start_run("mixed", name="second") as run:
        run.fields.update(value=[1, {"a": None}], other=2**63)
    with gs.start_run("mixed", name="third") as run:
        run.fields.update(value="text")
        run.fields.update({f"field {n}": n for n in range(2500)})
    with gs.start_run("mixed", name="empty") as run:
        pass
"""


@pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def test_names_never_collide_and_nothing_is_invented(
    workplace: Workplace, kind: str, request: pytest.FixtureRequest
) -> None:
    """Scenario 7: names that look alike or like SQL; fields that differ from run to run."""
    url = f"sqlite:///{workplace.folder / 'lab.db'}"
    if kind == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    workplace.variables["GOSSET_STORE"] = url
    workplace.python(workplace.write("named.py", NAMED), json.dumps(HOSTILE))
    with gs.open_store(url) as store:
        for number, name in enumerate(HOSTILE):
            [run] = gs.Experiment.load(name, store=store).runs.values()
            kept = run.entity
            assert (kept.name, kept.params, kept.tags) == (name, {name: number}, (name,))
            assert kept.fields == {name: number}
            assert kept.metrics[name].value == number
            assert store.series(kept, name).values.tolist() == [number]
        runs = {run.name: run for run in store.runs("experiment == 'mixed'")}
        assert runs["first"].fields == {
            "value": 1,
            "id": "mine",
            "id_run": 2,
            "run_id": 3,
            "Loss": "upper",
            "loss": "lower",
        }
        assert runs["second"].fields == {"value": [1, {"a": None}], "other": 2**63}
        assert type(store.fields(runs["first"])["value"]) is int
        assert runs["third"].fields == {"value": "text"} | {f"field {n}": n for n in range(2500)}
        assert runs["empty"].fields == {}
        assert [run.name for run in store.runs("fields.id_run == 2")] == ["first"]
    shown = workplace.json("show", "mixed#1")
    assert shown["fields"]["id_run"] == 2
    listed = workplace.json("list", "runs", "experiment == 'a_b'", "--all")
    assert [run["name"] for run in listed] == ["a_b"]
    assert len(workplace.json("list", "experiments", "--all")) == len(HOSTILE) + 1


# -- 8: untrusted input


class Evil:
    """What it is unpickled to leaves a file behind."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.system, (f"touch '{self.mark}'",)


@pytest.fixture
def crafted(workplace: Workplace) -> Iterator[tuple[Workplace, Path]]:
    """A store in which somebody replaced values by such as run code; and what that leaves."""
    workplace.python(
        workplace.write(
            "good.py",
            """
            import gosset as gs, numpy as np
            with gs.start_run("crafted") as run:
                run.fields["value"] = (1, 2)
                run.fields["array"] = np.arange(3)
                run.fields["object"] = (3, 4)
                run.log_artifact((1, 2), "model")
                run.log_artifact(np.arange(3), "array")
            """,
        )
    )
    mark = workplace.folder / "executed"
    payload = pickle.dumps(Evil(mark))
    array = io.BytesIO()
    np.save(array, np.array([Evil(mark)], dtype=object), allow_pickle=True)
    wrong = {
        "fields['value']": ("pickle", payload),
        "fields['array']": ("npy", array.getvalue()),
        "fields['object']": ("json", json.dumps({"$pickle": payload.hex()}).encode()),
        "model": ("pickle", payload),
        "array": ("npy", array.getvalue()),
    }
    store = sqlite3.connect(workplace.folder / ".gosset" / "store.db")
    for name, (format, data) in wrong.items():
        changed = store.execute(
            "UPDATE artifact_links SET format = ?, digest = ?, size = ?, inline = ? WHERE name = ?",
            (format, digest(data), len(data), data, name),
        )
        assert changed.rowcount == 1
    store.commit()
    store.close()
    yield workplace, mark
    assert not mark.exists(), "a crafted value was executed"


def digest(data: bytes) -> str:
    from blake3 import blake3

    return blake3(data).hexdigest()


def test_crafted_values_execute_nothing_when_they_are_read(crafted: tuple[Workplace, Path]) -> None:
    """Scenario 8: pickles in fields and artifacts are refused, and listed all the same."""
    place, _ = crafted
    with place.store() as store:
        run = store.run("latest")
        for name in ("value", "array", "object"):
            with pytest.raises(GossetError):
                assert store.fields(run, name) is None
        for name in ("model", "array"):
            with pytest.raises(SerializationError):
                store.artifact(run, name)
        assert run._repr_html_()
        assert store._repr_html_()
        store.runs().to_pandas()
        experiment = gs.Experiment.load("crafted", store=store)
        assert experiment.runs._repr_html_()
        experiment.runs.to_frame()
        with pytest.raises(GossetError):
            _ = experiment.runs.first.fields


def test_crafted_values_execute_nothing_on_their_way(
    crafted: tuple[Workplace, Path], tmp_path: Path
) -> None:
    """Scenario 8: neither shown, copied, pushed nor exported."""
    place, _ = crafted
    place.gosset("list", "runs")
    assert place.json("show", "latest")["name"]
    place.gosset("list", "artifacts")
    place.gosset("tail", "latest")
    place.gosset("doctor", code=None)
    place.gosset("push", f"sqlite:///{tmp_path}/other.db")
    place.gosset("export", "runs.gosset", "--format", "gosset")
    place.gosset("export", "tables", "--format", "parquet")
    place.gosset("import", "runs.gosset", "--store", f"sqlite:///{tmp_path}/third.db", code=None)
    with gs.open_store(f"sqlite:///{tmp_path}/other.db") as other:
        run = other.run("latest")
        with pytest.raises(SerializationError):
            other.artifact(run, "model")
        gs.Experiment.load("crafted", store=other).copy("copied")


def tar_with(name: str) -> bytes:
    """Return an archive with one member of that name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = 4
        archive.addfile(member, io.BytesIO(b"evil"))
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/tmp/gosset-evil", ".."])
def test_an_archive_that_reaches_outside_is_refused(
    workplace: Workplace, tmp_path: Path, name: str
) -> None:
    """Scenario 8: nothing is unpacked by itself, and nothing at all from such an archive."""
    workplace.write("inside/file.txt", "good")
    workplace.python(
        workplace.write(
            "keep.py",
            """
            import gosset as gs
            with gs.start_run("kept") as run:
                run.log_artifact("inside", "folder")
            """,
        )
    )
    data = tar_with(name)
    store = sqlite3.connect(workplace.folder / ".gosset" / "store.db")
    store.execute(
        "UPDATE artifact_links SET digest = ?, size = ?, inline = ? WHERE name = 'folder'",
        (digest(data), len(data), data),
    )
    store.commit()
    store.close()
    before = files_in(tmp_path, but=[".gosset"])
    with workplace.store() as opened:
        folder = opened.artifact(opened.run("latest"), "folder")
        for does in (folder.names, lambda: folder.extract(tmp_path / "out")):
            with pytest.raises(SerializationError):
                does()
    assert files_in(tmp_path, but=[".gosset"]) == before
    assert not Path("/tmp/gosset-evil").exists()


def test_a_crafted_export_changes_nothing(workplace: Workplace, tmp_path: Path) -> None:
    """Scenario 8: members that reach outside, other bytes than the digest says, mere garbage."""
    workplace.python(
        workplace.write(
            "keep.py",
            """
            import gosset as gs, numpy as np
            with gs.start_run("kept") as run:
                run.log_artifact(np.arange(1000), "array")
            """,
        )
    )
    workplace.gosset("export", "good.gosset", "--format", "gosset")
    with zipfile.ZipFile(workplace.folder / "good.gosset") as good:
        members = {name: good.read(name) for name in good.namelist()}
    bytes_of = next(name for name in members if name.startswith("artifacts/"))
    wrong = {
        "outside": {**members, "../evil": b"evil", "/tmp/gosset-evil": b"evil"},
        "other bytes": {**members, bytes_of: b"evil" * 2000},
        "another name": {
            ("artifacts/../../evil" if n == bytes_of else n): d for n, d in members.items()
        },
        "no database": {**members, "store.db": b"garbage" * 1000},
        "no manifest": {n: d for n, d in members.items() if n != "manifest.json"},
    }
    other = f"sqlite:///{tmp_path}/other/lab.db"
    (tmp_path / "other").mkdir()
    for case, content in wrong.items():
        file = tmp_path / "wrong.gosset"
        with zipfile.ZipFile(file, "w") as made:
            for name, data in content.items():
                made.writestr(name, data)
        with gs.open_store(other) as store:
            if case != "outside":
                with pytest.raises(GossetError):
                    store.import_from(file)
                assert len(store.runs()) == 0, case
    file.write_bytes(os.urandom(5000))
    told = workplace.gosset("import", file, "--store", other, code=2)
    assert "Traceback" not in told.stderr
    assert not list(tmp_path.rglob("evil"))
    assert not Path("/tmp/gosset-evil").exists()


IDLE = """
    import sys, time
    import gosset as gs

    run = gs.start_run("idle")
    run.log({"loss": 1})
    run.flush()
    time.sleep(3)  # where it comes from is found out meanwhile
    print("idle", flush=True)
    sys.stdin.readline()
"""


def test_a_run_that_says_nothing_costs_next_to_nothing(workplace: Workplace) -> None:
    """Scenario 8: a process that holds an open run for five seconds works less than 1 % of them."""
    process = subprocess.Popen(
        [sys.executable, workplace.write("idle.py", IDLE)],
        cwd=workplace.folder,
        env=workplace.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "idle\n"
        before = worked(process.pid)
        time.sleep(5)
        after = worked(process.pid)
        process.communicate("\n")
    assert after - before < 0.05
    assert workplace.json("list", "runs")[0]["status"] == "complete"


def worked(pid: int) -> float:
    """Return the seconds that a process at work has worked."""
    if sys.platform == "linux":
        facts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(facts[11]) + int(facts[12])) / os.sysconf("SC_CLK_TCK")
    import psutil

    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)
