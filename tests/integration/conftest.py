"""Fixtures: a small project in a folder; experiments on a fresh store."""

from __future__ import annotations

import shutil

import pytest
from projects import Folder, Heard, tell

import gosset as gs


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "project")


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """The file of a store in which nothing is; a copy costs less than to make it."""
    path = tmp_path_factory.mktemp("empty") / "lab.db"
    gs.open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path, empty_store):
    """A fresh store, with the catalog in SQLite and in PostgreSQL."""
    if request.param == "sqlite":
        url = f"sqlite:///{shutil.copy(empty_store, tmp_path / 'lab.db')}"
    else:
        url = request.getfixturevalue("postgresql_url")
    with gs.open_store(url, artifacts=str(tmp_path / "artifacts")) as opened:
        yield opened


@pytest.fixture
def carry_out(store):
    """Carry out stages on a fresh store, inline; return the result and what was done."""

    def carry_out(*stages, name="e", executor="inline", **options):
        declared = {
            option: options.pop(option)
            for option in ("dataset", "splits", "parameters", "metrics", "seeds", "seed", "config")
            if option in options
        }
        heard = Heard()
        experiment = gs.Experiment(name, stages=stages, **declared)
        result = experiment.execute(store=store, executor=executor, progress=heard, **options)
        return result, tell(result, heard.warnings)

    return carry_out
