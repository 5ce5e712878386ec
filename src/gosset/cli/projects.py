"""``gosset init``, ``use``, ``project create`` and ``experiment create``."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Annotated, cast

import typer

from .call import call_of
from .options import Json
from .output import emit, emit_json

_TEMPLATE = '''"""{name}: say here what the experiment asks.

Run it with ``gosset run {file}``.
"""

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import gosset as gs

project = gs.Project({project})


@project.experiment(
    name={quoted},
    dataset=gs.datasets.load_iris(),
    splits=gs.splits.stratified(5, seed=0),
    parameters={{"model.C": [0.1, 1.0, 10.0]}},
    metrics=["accuracy", "f1_macro"],
)
def {function}():
    return Pipeline([("scale", StandardScaler()), ("model", LogisticRegression(max_iter=500))])
'''


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("init")(init)
    app.command("use")(use)
    projects = typer.Typer(help="Projects.", rich_markup_mode=None)
    projects.command("create")(create_project)
    projects.callback()(lambda: None)
    app.add_typer(projects, name="project")
    experiments = typer.Typer(help="Experiments.", rich_markup_mode=None)
    experiments.command("create")(create_experiment)
    experiments.callback()(lambda: None)
    app.add_typer(experiments, name="experiment")


def init(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder.")] = Path("."),
    as_json: Json = False,
) -> None:
    """Make a store in a folder, where there is none yet."""
    from ..exceptions import UsageError
    from ..settings import default_store_url, sqlite_path
    from ..store import open_store

    if call_of(context).store is not None:
        raise UsageError(
            "init makes the store of a folder, not one that --store names",
            hint="name the folder: gosset init PATH; what --store names is made by its first run",
        )
    url = default_store_url(path.resolve())
    file = sqlite_path(url)
    assert file is not None
    new = not file.exists()
    open_store(url, artifacts=str(file.parent / "artifacts")).close()
    if as_json:
        emit_json({"store": url, "created": new})
    else:
        emit(f"{'made' if new else 'there is already'} a store in {file.parent}")


def use(
    context: typer.Context,
    place: Annotated[
        str | None, typer.Argument(metavar="PROJECT[/EXPERIMENT]", help="What to work on.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Work on no project any more.")] = False,
    as_json: Json = False,
) -> None:
    """Set the active project and experiment, to which lists and names are narrowed."""
    from ..exceptions import UsageError
    from ..settings.editing import set_value

    call = call_of(context)
    if clear and place is not None:
        raise UsageError("--clear takes no project")
    if clear or place is not None:
        project, experiment = (None, None) if place is None else _place(context, place)
        set_value("local", "project", project)
        set_value("local", "experiment", experiment)
    settings = call.settings()
    if as_json:
        emit_json({"project": settings.project, "experiment": settings.experiment})
    else:
        names = [name for name in (settings.project, settings.experiment) if name]
        emit(f"active: {'/'.join(names)}" if names else "no active project")


def create_project(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    description: Annotated[str, typer.Option(metavar="TEXT")] = "",
    as_json: Json = False,
) -> None:
    """Make a project in the store, where there is none of this name yet."""
    from ..compiling.checks import name_of
    from ..exceptions import NotFoundError
    from ..results.wire import to_json

    name_of("a project", name)
    with call_of(context).writing() as store:
        try:
            store.catalog.find("projects", name)
            new = False
        except NotFoundError:
            new = True
        project = store.catalog.ensure_project(name, description=description)
    if as_json:
        emit_json({**to_json(project), "new": new})
    else:
        emit(f"{'made' if new else 'there is already'} the project {name}")


def create_experiment(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    path: Annotated[
        Path | None, typer.Option(metavar="FILE", help="By default NAME.py in this folder.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over the file.")] = False,
    as_json: Json = False,
) -> None:
    """Write a file with an experiment to begin with, which can be run as it is."""
    from ..compiling.checks import name_of
    from ..exceptions import UsageError

    name_of("an experiment", name)
    function = re.sub(r"\W+", "_", name.strip()).strip("_").lower() or "experiment"
    if function[0].isdecimal():
        function = f"experiment_{function}"
    file = path or Path(f"{function}.py")
    if file.exists() and not force:
        raise UsageError(f"{file} is there already", hint="--force writes over it")
    project = call_of(context).settings().project or "default"
    text = _TEMPLATE.format(
        name=name.replace("\\", "").replace('"', "'"),
        file=file,
        project=_quoted(project),
        quoted=_quoted(name),
        function=function,
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    if as_json:
        emit_json({"experiment": name, "project": project, "file": os.fspath(file)})
    else:
        emit(f"wrote {file}; run it with: gosset run {file}")


def _place(context: typer.Context, place: str) -> tuple[str, str | None]:
    """Return the project and the experiment that `place` names; both may hold slashes."""
    from ..entities import Experiment
    from ..exceptions import NotFoundError
    from ..queries.lookup import find

    with call_of(context).reading() as store:
        try:
            find(store, place, ["projects"])
            return place, None
        except NotFoundError:
            if "/" not in place:
                raise
        found = cast("Experiment", find(store, place, ["experiments"])[1])
        return found.project, found.name


def _quoted(text: str) -> str:
    # A JSON string is a Python string too, in the quotes that formatters like.
    return json.dumps(text, ensure_ascii=False)
