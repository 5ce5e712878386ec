"""The settings and the values that they take."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ..exceptions import SettingsError, did_you_mean
from .places import STORE_FOLDER, default_store_url, sqlite_path

_CHOICES = {
    "capture": ("print", "all", "off"),
    "durability": ("process", "power"),
    "progress": ("auto", "on", "off"),
}

DEFAULT_PROJECT = "default"
"""Of what is declared or tracked without naming one."""

SYSTEM_METRICS = 10.0
"""Seconds."""


class Settings(NamedTuple):
    """Every setting, each with the place where its value came from.

    Attributes
    ----------
    store : str or None
        URL of the store; None: ``.gosset/store.db`` in the root.
    artifacts : str or None
        URL or folder of the artifacts; None: beside the catalog.
    project : str or None
        Name of the active project.
    experiment : str or None
        Name of the active experiment.
    executor : str
        What carries computations out: ``"processes"``, ``"inline"``, …
    jobs : int or None
        How many computations run at once; None: as many as there are cores.
    progress : str
        Whether progress is shown: ``"auto"`` (on a terminal), ``"on"`` or ``"off"``.
    capture : str
        What a tracked run keeps of what is printed: ``"print"`` (by Python), ``"all"`` (also by
        compiled code and other programs) or ``"off"``.
    durability : str
        What survives, of what is in the store: ``"process"``, that the process is killed, or
        ``"power"``, that the power fails too: then each run waits for the disk.
    system_metrics : float
        Seconds between looks at how busy the machine of a tracked run is; 0 or ``"off"``: none.
    root : Path
        The folder that these settings are for; not itself a setting.
    origins : mapping
        Name → where its value came from; names that kept their default are not there.
    """

    store: str | None = None
    artifacts: str | None = None
    project: str | None = None
    experiment: str | None = None
    executor: str = "processes"
    jobs: int | None = None
    progress: str = "auto"
    capture: str = "print"
    durability: str = "process"
    system_metrics: float = SYSTEM_METRICS
    root: Path = Path()
    origins: Mapping[str, str] = {}

    def origin(self, name: str) -> str:
        """Return where the value of `name` came from, e.g. ``"default"`` or a file's path."""
        check_name(name)
        return self.origins.get(name, "default")

    @property
    def store_url(self) -> str:
        """URL of the store, the default one where none is set."""
        return self.store or default_store_url(self.root)


NAMES = tuple(name for name in Settings._fields if name not in ("root", "origins"))
"""The names of all settings."""


def artifacts_url(store_url: str, settings: Settings) -> str:
    """Return where the artifacts of a store lie.

    Parameters
    ----------
    store_url : str
        URL of the store.
    settings : Settings
        Its ``artifacts`` win; its root is where a database server's artifacts lie.

    Returns
    -------
    str
        A folder or a URL: beside an SQLite file (``lab.db`` → ``lab-artifacts``), in
        ``.gosset/artifacts`` of the root for a database server, the store itself where it
        is reached over HTTP or is in memory.

    Examples
    --------
    >>> settings = Settings(root=Path("/lab"))
    >>> artifacts_url("sqlite:////lab/.gosset/store.db", settings)
    '/lab/.gosset/artifacts'
    >>> artifacts_url("sqlite:////lab/iris.db", settings)
    '/lab/iris-artifacts'
    >>> artifacts_url("postgresql://host/lab", settings)
    '/lab/.gosset/artifacts'
    """
    if settings.artifacts:
        return settings.artifacts
    scheme = store_url.partition(":")[0]
    if scheme in ("memory", "http", "https"):
        return store_url
    path = sqlite_path(store_url)
    if path is None:
        if scheme.startswith("sqlite"):
            return "memory://"
        return str(settings.root / STORE_FOLDER / "artifacts")
    path = settings.root / path
    if path.parent.name == STORE_FOLDER:
        return str(path.parent / "artifacts")
    return str(path.with_name(f"{path.stem}-artifacts"))


def check_name(name: str, origin: str = "") -> None:
    """Raise SettingsError unless `name` is a setting."""
    if name not in NAMES:
        where = f"{origin}: " if origin else ""
        raise SettingsError(f"{where}there is no setting {name!r}", hint=did_you_mean(name, NAMES))


def checked(name: str, value: object, origin: str) -> object:
    """Return `value` as the setting `name` takes it.

    Parameters
    ----------
    name : str
    value : object
        Text that is a number is taken as one where the setting is a number.
    origin : str
        For the message.

    Raises
    ------
    SettingsError
        An unknown name, or a value of the wrong type or outside what can be chosen.
    """
    check_name(name, origin)
    if name == "jobs":
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise SettingsError(
                f"{origin}: {name} is {value!r}", hint="it is a whole number, 1 or more"
            )
        return value
    if name == "system_metrics":
        return _seconds(name, value, origin)
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(f"{origin}: {name} is {value!r}", hint="it is a text")
    if name == "store" and "://" not in value:
        raise SettingsError(
            f"{origin}: {name} is {value!r}", hint=f"it is a URL, such as 'sqlite:///{value}'"
        )
    choices = _CHOICES.get(name)
    if choices and value not in choices:
        raise SettingsError(f"{origin}: {name} is {value!r}", hint=did_you_mean(value, choices))
    return value


def _seconds(name: str, value: object, origin: str) -> float:
    known = {"on": SYSTEM_METRICS, True: SYSTEM_METRICS, "off": 0.0, False: 0.0}
    given = value.strip().lower() if isinstance(value, str) else value
    if isinstance(given, bool) or given in ("on", "off"):
        return known[given]
    try:
        seconds = float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise SettingsError(
            f"{origin}: {name} is {value!r}", hint="it is a number of seconds, 'on' or 'off'"
        )
    return seconds
