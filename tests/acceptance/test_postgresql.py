"""The main job with its catalog in a real PostgreSQL server."""

import shutil

from workplace import EXAMPLES, Workplace


def test_the_main_job_on_postgresql(workplace: Workplace, postgresql_url: str) -> None:
    shutil.copy(EXAMPLES / "iris_svc.py", workplace.folder)
    workplace.variables["GOSSET_STORE"] = postgresql_url
    first = workplace.json("run", "iris_svc.py")
    assert first["status"] == "complete"
    assert len(first["runs"]) == 9
    assert first["computations"]["computed"] == 360
    again = workplace.json("run", "iris_svc.py")
    assert again["computations"] == {"computed": 0, "cached": 360, "failed": 0, "skipped": 0}
    assert [run["metrics"] for run in again["runs"]] == [run["metrics"] for run in first["runs"]]
    best = workplace.json(
        "list", "runs", "params.SVC.C >= 0.5 and status == 'complete'", "--sort=-metrics.accuracy"
    )
    assert len(best) == 12
    assert best[0]["metrics"]["accuracy"] == first["best"]["value"]
    shown = workplace.json("show", "iris_svc#1")
    assert {c["status"] for c in shown["computations"]} == {"computed"}
    assert "first time" in workplace.gosset("cache", "explain", "iris_svc#1", "fit").stdout
    workplace.gosset("delete", "iris_svc#1", "--yes")
    assert len(workplace.json("list", "runs")) == 17
    # The catalog is the server's; only the artifacts lie in the folder.
    assert not (workplace.folder / ".gosset" / "store.db").exists()
