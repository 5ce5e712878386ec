"""What an exception says of how a run ended."""

from __future__ import annotations


def status_of(error: BaseException | None) -> str:
    """Return the status of a run that an exception, or none, ended."""
    if error is None:
        return "complete"
    if isinstance(error, SystemExit):
        # 130 and 143 are how shells tell SIGINT and SIGTERM.
        endings: dict[object, str] = {
            None: "complete",
            0: "complete",
            130: "stopped",
            143: "stopped",
        }
        return endings.get(error.code, "failed")
    stopped = isinstance(error, KeyboardInterrupt) or type(error).__name__ == "CancelledError"
    return "stopped" if stopped else "failed"


def told_of(error: BaseException) -> tuple[str, str, str]:
    """Return type, message and traceback of an exception."""
    if type(error) is KeyboardInterrupt:
        # Nothing is loaded here: it can make Python forget that it is to end by the signal.
        return "KeyboardInterrupt", str(error), ""
    import traceback

    from .telemetry.secrets import masked_text

    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ != "builtins":
        name = f"{kind.__module__}.{name}"
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - a broken __str__ must not hide the failure
        message = "(its message could not be made)"
    told = "".join(traceback.format_exception(error))
    return name, masked_text(message), masked_text(told)
