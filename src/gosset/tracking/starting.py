"""Starting a run: from the call to a handle, and the writer that it shares with others."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from ..identifiers import new_id, short_name
from ..settings import (
    DEFAULT_PROJECT,
    NAMES,
    Settings,
    load_settings,
    prepare_store_folder,
    sqlite_path,
)
from ..storage.news import Beginning, Opening, Sink, TakenUp
from ..types import JSONValue
from . import context, ending
from .given import as_config, as_parameters, as_seed, as_tags, as_text, checked, microseconds
from .run import TrackedRun
from .spool import Spool, spool_folders, take_in_spooled
from .telemetry import console, origin
from .telemetry.secrets import masked_command, masked_values
from .writer import Writer

_FRESH = 1.0
"""Seconds."""

_VARIABLES = ("HOME", "XDG_CONFIG_HOME", *(f"GOSSET_{name.upper()}" for name in NAMES))

_latest: tuple[tuple[object, ...], float, Settings] | None = None

_making = threading.Lock()
_writers: dict[tuple[str, bool, str], Writer] = {}
_launches: dict[tuple[str, str, str], Opening] = {}


def start_run(
    experiment: str | None = None,
    *,
    project: str | None = None,
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    tags: Iterable[str] = (),
    seed: int | None = None,
    notes: str = "",
    store: str | None = None,
    strict: bool = False,
    monotonic: bool = False,
    resume: str | bool | None = None,
    capture: bool | None = None,
    system_metrics: bool | float | None = None,
    durability: str | None = None,
) -> TrackedRun:
    """Start a run and return it; use it in a ``with`` block, or call ``finish()``.

    Parameters
    ----------
    experiment : str, optional
        Made where it is not there; by default the active one, else ``"default"``.
    project : str, optional
        Likewise.
    name : str, optional
        By default six characters that follow from the id.
    params : mapping, optional
        What is varied: name → value.
    config : mapping, optional
        What is the same in all runs.
    tags : iterable of str
    seed : int, optional
        Runs that differ in it alone form a group.
    notes : str
    store : str, optional
        URL; by default that of the settings.
    strict : bool
        Raise trouble with the store where it would be told and worked around.
    monotonic : bool
        Refuse steps that go backwards.
    resume : str or bool, optional
        Take up a run in place of starting one: its id or name, or True for the latest of the
        experiment (of the `name`, where one is given) that did not complete, which may be
        none. Its steps go on; what else is given is added to it.
    capture : bool, optional
        Whether what is printed is kept with the run: True keeps all, also of compiled code and
        of other programs; by default it is what Python prints, or as the settings say.
    system_metrics : bool or float, optional
        Whether the series ``system/…`` tell how busy the machine is, or every how many seconds.
        By default they do from the tenth second on, or as the settings say.
    durability : {"process", "power"}, optional
        What survives of a run that has ended, and of what was logged 250 ms ago: that this
        process is killed, or that the power fails, too, for which the disk is waited for. By
        default the former, or as the settings say. A database server answers for itself.

    Returns
    -------
    TrackedRun

    Raises
    ------
    UsageError
        A name or a value that no store takes; a run to resume at which another process that
        lives is at work.
    NotFoundError
        There is no run to resume.
    StorageError
        The store cannot be opened.
    MissingExtraError
        System metrics are asked for, but nothing that is installed can tell them.

    Examples
    --------
    >>> import gosset as gs
    >>> with gs.start_run("baseline", params={"lr": 0.1}, store="memory://") as run:
    ...     for step in range(3):
    ...         run.log({"loss": 1 / (step + 1)}, step=step)
    >>> run.status
    'complete'
    """
    settings = _settings(store, project)
    seconds = _seconds(settings, system_metrics)
    url = settings.store_url
    if experiment is None:
        experiment = settings.experiment or "default"
    launch = _launch(url, settings.project or DEFAULT_PROJECT, experiment)
    writer = _writer(url, strict=strict, durability=_durability(settings, durability))
    parent = context.parent_id()
    params = as_parameters({} if params is None else params)
    config = as_config({} if config is None else config)
    tags, seed, notes = as_tags(tags), as_seed(seed), as_text("notes", notes)
    facts = _taken_up(resume, launch, name, writer) if resume else None
    id_ = facts.id if facts else new_id()
    begins = None
    if facts is None:
        begins = Beginning(
            launch=launch,
            name=checked("a run", name) if name is not None else short_name(id_),
            group=_group(masked_values(params)),
            seed=seed,
            params=masked_values(params),
            config=masked_values(config),
            tags=tags,
            notes=notes,
            parent=parent,
            moment=microseconds(),
        )
    run = TrackedRun(
        id_,
        writer,
        begins=begins,
        writer_id=_writer_id(),
        store=url,
        params=params,
        config=config,
        monotonic=monotonic,
    )
    if facts is not None:
        run.take_up(facts, launch, params=params, config=config, tags=tags, notes=notes)
    context.entered(run)
    kept = settings.capture if capture is None else "all" if capture else "off"
    if kept != "off":
        run.transcript = console.listen(run, everything=kept == "all")
    if seconds:
        writer.later(0 if system_metrics else max(seconds - 1, 0), partial(_sample, run, seconds))
    origin.expect(run, writer)
    ending.watch()
    ending.watch_signals()
    return run


def _seconds(settings: Settings, given: bool | float | None) -> float:
    """Return the seconds between looks at how busy the machine is; 0 where nobody looks."""
    if given is None:
        return settings.system_metrics
    from ..settings.values import checked

    seconds = float(str(checked("system_metrics", given, "start_run()")))
    if seconds:
        from .telemetry.machine import reader

        reader()  # or raise
    return seconds


def _durability(settings: Settings, given: str | None) -> str:
    if given is None:
        return settings.durability
    from ..settings.values import checked

    return str(checked("durability", given, "start_run()"))


def _sample(run: TrackedRun, seconds: float) -> None:
    if not run.ended:
        from .telemetry.sampling import begin

        begin(run, seconds)


def _settings(store: str | None, project: str | None) -> Settings:
    """Return the settings; those of the last second hold on, or many short runs would read them."""
    global _latest
    key = (os.getcwd(), store, project, *map(os.environ.get, _VARIABLES))
    moment = time.monotonic()
    if _latest is None or _latest[0] != key or moment - _latest[1] > _FRESH:
        found = load_settings(arguments={"store": store, "project": project})
        _latest = key, moment, found
    return _latest[2]


def _taken_up(
    resume: str | bool, launch: Opening, name: str | None, writer: Writer
) -> TakenUp | None:
    """Take up the run that is meant; return None where any would do and there is none."""
    from ..filters import And, Comparison, Name, equal
    from ..storage import open_catalog

    catalog = open_catalog(writer.store)
    try:
        if isinstance(resume, str):
            found: Any = catalog.find("runs", resume, project=launch.project)
        else:
            named = {"name": name} if name else {}
            same = equal(project=launch.project, experiment=launch.experiment, **named)
            open_ = Comparison(Name(("status",)), "!=", "complete")
            runs = catalog.select("runs", where=And((same, open_)), limit=1)
            found = runs[0] if runs else None
    finally:
        catalog.close()
    return None if found is None else writer.sink.take_up(found.id, launch)


def attach(run: str, store: str) -> TrackedRun:
    """Return a handle on a run that another process started: it logs, and ends nothing."""
    found = TrackedRun(
        run,
        _writer(store, strict=False, durability=_settings(store, None).durability),
        begins=None,
        writer_id=_writer_id(),
        store=store,
    )
    context._started.insert(0, found)
    ending.watch_signals()
    return found


def finish(status: str = "complete") -> None:
    """End the run that the calling code works for; see :meth:`TrackedRun.finish`."""
    context.current_run().finish(status)


def _writer(url: str, *, strict: bool, durability: str) -> Writer:
    """Return the writer of this process for a store."""
    with _making:
        found = _writers.get((url, strict, durability))
        if found is None:
            sink = _sink(url, durability)
            take_in_spooled(url, lambda: sink)
            spool = Spool(spool_folders(url), sync=durability == "power")
            found = Writer(sink, spool, store=url, strict=strict, durability=durability)
            _writers[url, strict, durability] = found
        return found


def _sink(url: str, durability: str) -> Sink:
    """Return what takes news in."""
    path = sqlite_path(url)
    if path is not None and ("?" not in url or durability == "power"):
        from ..storage.direct import DirectSink, Unready

        if not path.parent.is_dir():
            prepare_store_folder(path.parent)
        try:
            return DirectSink(path, durability=durability)
        except Unready:
            pass  # it is to be brought to another version, or to be looked at
    from ..storage import open_catalog
    from .courier import Courier

    catalog = open_catalog(url)
    if path is not None and durability == "power":
        catalog.close()
        return DirectSink(path, durability=durability)
    return Courier(catalog.sink())


def _launch(url: str, project: str, experiment: str) -> Opening:
    """Return the launch of this process for an experiment."""
    key = (url, checked("a project", project), checked("an experiment", experiment))
    found = _launches.get(key)
    if found is None or found.pid != os.getpid():
        fingerprint, sources = _code()
        found = _launches[key] = Opening(
            id=new_id(),
            project=project,
            experiment=experiment,
            fingerprint=fingerprint,
            code={"stages": {}, "sources": sources, "unresolved": []},
            command=masked_command(sys.argv),
            user=os.environ.get("USER") or os.environ.get("USERNAME") or "",
            host=_host(),
            pid=os.getpid(),
            moment=microseconds(),
            provenance=origin.at_once(),
        )
    return found


def _host() -> str:
    if hasattr(os, "uname"):
        return os.uname().nodename
    import socket

    return socket.gethostname()


def _code() -> tuple[str, dict[str, JSONValue]]:
    """Return the fingerprint of the script that is at work, and its text."""
    from blake3 import blake3

    sources = origin.sources()
    text = "\0".join(sources.values())
    return blake3(b"gosset-script/1\0" + text.encode()).hexdigest(), origin.masked(sources)


def _group(params: Mapping[str, Any]) -> str:
    from ..fingerprint.plainly import plain_digest

    return plain_digest(params)


def _writer_id() -> int:
    return int.from_bytes(os.urandom(8), "big") >> 1
