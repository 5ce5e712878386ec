"""The entry point: parses, carries out a command, and turns errors into exit codes."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from ..exceptions import ExecutionError, GossetError
from .call import Call
from .output import say

DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130
"""Exit codes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command and return the exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Returns
    -------
    int
        0: done. 1: the work failed. 2: the call was wrong. 130: interrupted.
    """
    words = _hoisted(sys.argv[1:] if arguments is None else arguments)
    signal.signal(signal.SIGTERM, _like_ctrl_c)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal without ± shows ?, rather than no table at all.
            stream.reconfigure(errors="replace")
    try:
        code = _command().main(args=words or ["--help"], prog_name="gosset", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else DONE
    except (KeyboardInterrupt, typer.Abort):
        say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away, as head does. Nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:  # noqa: BLE001 - the last place where an error can be told
        if "--debug" in words:
            import traceback

            traceback.print_exception(error)
        return _tell(error, as_json="--json" in words)


def build() -> typer.Typer:
    """Return the application with all its commands."""
    from . import (
        cache,
        comparing,
        config,
        data,
        doctor,
        exporting,
        listing,
        metrics,
        projects,
        run,
        showing,
        syncing,
        tail,
    )

    app = typer.Typer(
        name="gosset",
        cls=_Commands,
        help="Define an experiment in plain Python, run it anywhere, trust the comparison.",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(_global_options)
    run.register(app)
    listing.register(app)
    showing.register(app)
    tail.register(app)
    comparing.register(app)
    metrics.register(app)
    cache.register(app)
    data.register(app)
    exporting.register(app)
    syncing.register(app)
    projects.register(app)
    config.register(app)
    doctor.register(app)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"gosset {version('gosset')}\n")
        raise typer.Exit


def _global_options(
    context: typer.Context,
    store: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The store, e.g. sqlite:///lab.db or postgresql://…"),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", is_eager=True, callback=_version
        ),
    ] = False,
) -> None:
    context.obj = Call(store)


class _Commands(typer.core.TyperGroup):
    """The commands; an interrupt that none of them told of ends them with a word."""

    def invoke(self, ctx: Any) -> Any:
        """Carry out a command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            # Typer itself would make an exit code of it, without a word.
            raise typer.Abort from error


def _command() -> Any:
    return typer.main.get_command(build())


def _hoisted(words: Sequence[str]) -> list[str]:
    """Return the words with the global options first: they may stand anywhere."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            rest += [word, *waiting]
        elif word == "--debug" or word.startswith("--store="):
            front.append(word)
        elif word == "--store":
            front += [word, *(value for value in [next(waiting, None)] if value is not None)]
        else:
            rest.append(word)
    return front + rest


def _like_ctrl_c(number: int, frame: object) -> None:
    if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None):
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)


def _tell(error: Exception, *, as_json: bool) -> int:
    """Write an error on standard error and return the exit code."""
    message, hint, code = str(error), "", FAILED
    if isinstance(error, GossetError):
        message, hint = error.message, error.hint
        code = FAILED if isinstance(error, ExecutionError) else WRONG
    elif hasattr(error, "format_message"):
        # What the parser raises: its class has other homes in other releases of Typer.
        message, code = error.format_message(), WRONG
        context = getattr(error, "ctx", None)
        hint = f"see {context.command_path} --help" if context is not None else ""
        if type(error).__name__ == "NoArgsIsHelpError":
            if not as_json:
                sys.stderr.write(f"{message}\n")
                return WRONG
            message = "no command is given"
    else:
        from ..usercode import user_line

        where = user_line(error)
        message = f"{type(error).__name__}: {message}" + (f" ({where})" if where else "")
        hint = "--debug shows the traceback"
    if as_json:
        content = {"type": type(error).__name__, "message": message, "hint": hint}
        sys.stderr.write(json.dumps({"error": content}) + "\n")
    else:
        say(f"error: {message}{f'; {hint}' if hint else ''}")
    return code
