"""``gosset run`` and ``gosset resume``."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .call import Call, call_of
from .options import Json, split_list
from .output import emit_json, reserved, say

if TYPE_CHECKING:
    from ..experiment import Experiment
    from ..results.outcome import LaunchResult
    from ..store import Store

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Jobs = Annotated[
    int | None,
    typer.Option(
        "-j", "--jobs", min=1, metavar="N", help="Worker processes; one a core by default."
    ),
]
On = Annotated[
    str | None, typer.Option("--on", metavar="EXECUTOR", help="What carries computations out.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("run")(run)
    app.command("resume")(resume)


def run(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE[::EXPERIMENT]", help="A Python file with experiments.")
    ],
    param: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--param",
            metavar="NAME=V1,V2",
            help="Alternatives of a parameter, in the place of those declared: numbers, True, None, "
            "[lists], 1:4 for 1,2,3,4; any other word is text, none as well. Repeatable.",
        ),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say what would be computed; write nothing.")
    ] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Compute everything anew.")] = False,
    jobs: Jobs = None,
    on: On = None,
    seeds: Annotated[
        str | None, typer.Option(metavar="0,1,2", help="Run every parameter set with each seed.")
    ] = None,
    notes: Annotated[str, typer.Option(metavar="TEXT", help="Kept with the launch.")] = "",
    metrics: Annotated[
        str | None, typer.Option(metavar="A,B", help="In the place of those declared.")
    ] = None,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop everything once a run fails.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run the experiments that a file declares."""
    call = call_of(context)
    what = _Given(param, seeds, metrics, cache=not no_cache)
    if plan:
        from .rendering import emit_plans

        # Importing the user's modules must not leave compiled ones behind either.
        sys.dont_write_bytecode = True
        with reserved(as_json):
            plans = [_planned(experiment, call, what) for experiment in _loaded(file, what)]
        emit_plans(plans, as_json=as_json)
        return
    with reserved(as_json):
        how = {"executor": on, "jobs": jobs, "progress": _progress(call, quiet=quiet)}
        how |= {"store": call.store, "notes": notes, "fail_fast": fail_fast, **what.all}
        results: list[LaunchResult] = []
        for experiment in _loaded(file, what):
            results.append(_carried_out(experiment, experiment.execute, **how))
            if fail_fast and not _good(results[-1]):
                break
    _report(results, as_json=as_json, quiet=quiet)


def resume(
    context: typer.Context,
    launch: Annotated[
        str, typer.Argument(metavar="LAUNCH", help="An id, EXPERIMENT#NUMBER or latest.")
    ] = "latest",
    jobs: Jobs = None,
    on: On = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Carry out the runs of a launch that did not complete."""
    call = call_of(context)
    with reserved(as_json):
        from ..discovery import experiment_of
        from ..entities import Launch
        from ..queries.lookup import find

        store = call.reading()
        found = find(store, launch, ["launches"], settings=call.settings())[1]
        assert isinstance(found, Launch)
        experiment = experiment_of(found)
        how = {"executor": on, "jobs": jobs, "progress": _progress(call, quiet=quiet)}
        result = _carried_out(experiment, experiment.resume, found, store=store, **how)
    _report([result], as_json=as_json, quiet=quiet)


class _Given:
    """What the command line says in the place of the declaration."""

    def __init__(
        self, param: list[str] | None, seeds: str | None, metrics: str | None, *, cache: bool
    ) -> None:
        from ..exceptions import UsageError
        from ..parameters import parse_option

        vary: dict[str, list[object]] = {}
        for text in param or ():
            name, values = parse_option(text)
            if name in vary:
                raise UsageError(f"parameter {name!r} is given twice", hint=f"write {name}=V1,V2")
            vary[name] = values
        self.declared: dict[str, Any] = {
            "vary": vary,
            "seeds": None if seeds is None else _seeds(seeds),
            "metrics": split_list(metrics),
        }
        self.given = bool(vary or metrics)
        self.all = {**self.declared, "cache": cache}


def _seeds(text: str) -> list[object]:
    """Return the seeds that ``--seeds`` lists; whether they are good ones is for others to say."""
    from ..exceptions import UsageError
    from ..parameters import parse_option

    seeds = parse_option(f"seeds={text}")[1]
    for seed in seeds:
        if isinstance(seed, str):
            raise UsageError(
                f"--seeds {text}: {seed!r} is no seed", hint="write 0,1,2,3 or, the same, 0:3"
            )
    return seeds


def _loaded(file: str, what: _Given) -> list[Experiment]:
    """Return the experiments of a file; raise where not all of several can do what is asked."""
    from ..discovery import load_experiments

    experiments = load_experiments(file)
    if len(experiments) > 1:
        _check(file, experiments, what)
    return experiments


def _planned(experiment: Experiment, call: Call, what: _Given) -> dict[str, Any]:
    from ..results.wire import plan_to_json

    plan = experiment.plan(**what.all, store=call.store)
    return {
        "project": experiment.project_name,
        "experiment": experiment.name,
        **plan_to_json(plan),
    }


def _carried_out(
    experiment: Experiment, work: Callable[..., LaunchResult], *what: Any, **how: Any
) -> LaunchResult:
    """Do the work; when it is interrupted, say how to take it up again."""
    try:
        return work(*what, **how)
    except KeyboardInterrupt:
        number = _number_of_own_launch(experiment, how["store"])
        go_on = f"carry on with: gosset resume {experiment.name}#{number}"
        say(f"interrupted; {go_on if number else 'nothing had begun'}")
        raise typer.Exit(130) from None


def _number_of_own_launch(experiment: Experiment, place: Store | str | None) -> int | None:
    """Return the number of the launch that this process worked on; None before it began."""
    from ..entities import Launch
    from ..exceptions import NotFoundError
    from ..filters import equal
    from ..store import Store, open_store

    try:
        store = (
            place
            if isinstance(place, Store)
            else open_store(place or experiment.store, create=False)
        )
    except NotFoundError:
        return None
    with store:
        within = equal(project=experiment.project_name, experiment=experiment.name)
        for launch in store.select("launches", within):
            assert isinstance(launch, Launch)
            if (launch.pid, launch.host) == (os.getpid(), socket.gethostname()):
                return launch.number
    return None


def _check(file: str, experiments: Sequence[Experiment], what: _Given) -> None:
    """Raise, before anything is written, for what not all experiments of a file can do."""
    from ..exceptions import UsageError

    refused: dict[str, UsageError] = {}
    for experiment in experiments:
        try:
            experiment.prepare(**what.declared)
        except UsageError as error:
            refused[experiment.name] = error
    if not refused:
        return
    name, first = next(iter(refused.items()))
    able = [experiment.name for experiment in experiments if experiment.name not in refused]
    hint = first.hint
    if able and what.given:
        hint = f"only {', '.join(able)} can: gosset run {file}::{able[0]}"
    where = f"experiment {name!r}"
    message = first.message if where in first.message else f"{where}: {first.message}"
    raise type(first)(message, hint=hint) from first


def _progress(call: Call, *, quiet: bool) -> bool | None:
    if quiet:
        return False
    return {"auto": None, "on": True, "off": False}[call.settings().progress]


def _report(results: list[LaunchResult], *, as_json: bool, quiet: bool) -> None:
    if as_json:
        documents = [result.to_dict() for result in results]
        emit_json(documents[0] if len(documents) == 1 else list(documents))
    elif not quiet:
        from .rendering import emit_result

        for result in results:
            emit_result(result)
    for result in results:
        result.store.close()
    if not all(map(_good, results)):
        raise typer.Exit(1)


def _good(result: LaunchResult) -> bool:
    from ..entities import Status

    return result.status is Status.COMPLETE
