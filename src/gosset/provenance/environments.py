"""Python, packages, operating system and hardware that this process runs on."""

from __future__ import annotations

import functools
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from ..entities import Environment
from ..types import JSONValue

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Variables that limit the threads of numerical libraries; they can change last digits."""

VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "CUBLAS_WORKSPACE_CONFIG",
    "NVIDIA_TF32_OVERRIDE",
    "OPENBLAS_CORETYPE",
    "PYTHONHASHSEED",
    "PYTHONOPTIMIZE",
    "CONDA_DEFAULT_ENV",
    "TZ",
    "LANG",
    "LC_ALL",
)
"""Variables that are kept. Any other is left out: it may hold a secret."""

COMMAND_TIMEOUT = 2.0
"""Seconds that a command that asks for hardware may take."""


def environment() -> Environment:
    """Return the environment of this process.

    Returns
    -------
    Environment
        ``content`` has ``python``, ``packages`` (``name==version``, sorted), ``os``,
        ``cpu``, ``memory`` (bytes), ``gpus``, ``threads`` and ``variables``; ``digest`` is
        the BLAKE3 of it as JSON, so that equal environments are kept once.
    """
    from blake3 import blake3

    content: dict[str, JSONValue] = {
        "python": {
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
            "compiler": platform.python_compiler(),
        },
        "packages": [f"{name}=={version}" for name, version in packages().items()],
        **_machine(),
        "threads": _chosen(THREAD_VARIABLES),
        "variables": {**_chosen(VARIABLES), **_virtual_environment()},
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Environment(digest=blake3(text.encode()).hexdigest(), content=content)


def packages() -> dict[str, str]:
    """Return the installed distributions: normalised name → version, sorted by name.

    Read from the names of the metadata folders, which is a hundred times faster than
    reading the metadata. What is found first on ``sys.path`` is what is imported.
    """
    found: dict[str, str] = {}
    for entry in sys.path:
        for folder in _metadata_folders(entry or "."):
            found.setdefault(*_name_and_version(folder))
    return dict(sorted(found.items()))


def owner(path: Path) -> tuple[str, str] | None:
    """Return name and version of the distribution that installed a file, None if none did.

    A package installed in editable mode does not own its files: they change under it.
    """
    path = path.resolve()
    for entry in sys.path:
        place = Path(entry).resolve()
        if place.name not in ("site-packages", "dist-packages") or not path.is_relative_to(place):
            continue
        line = f"\n{path.relative_to(place).as_posix()},"
        for folder in _metadata_folders(entry):
            record = folder / "RECORD"
            if record.is_file() and line in f"\n{record.read_text(encoding='utf-8')}":
                return _name_and_version(folder)
    return None


def _metadata_folders(entry: str) -> list[Path]:
    if not os.path.isdir(entry):
        return []
    with os.scandir(entry) as files:
        return [Path(f.path) for f in files if f.name.endswith((".dist-info", ".egg-info"))]


def _name_and_version(folder: Path) -> tuple[str, str]:
    name, _, version = folder.stem.partition("-")
    if folder.suffix == ".egg-info":
        # Old ones also name the Python version, or lack the version.
        from importlib.metadata import PathDistribution

        metadata = PathDistribution(folder)
        name, version = metadata.name or name, metadata.version or ""
    return re.sub(r"[-_.]+", "-", name).lower(), version


def _chosen(names: tuple[str, ...]) -> dict[str, JSONValue]:
    return {name: os.environ[name] for name in names if name in os.environ}


def _virtual_environment() -> dict[str, JSONValue]:
    # The folder's name says which one it is; its path says only where this machine has it.
    path = os.environ.get("VIRTUAL_ENV")
    return {"VIRTUAL_ENV": Path(path).name} if path else {}


@functools.cache
def _machine() -> dict[str, JSONValue]:
    """What cannot change while the process lives."""
    return {
        "os": {
            "system": platform.system(),
            "release": platform.release(),
            "name": _system_name(),
            "machine": platform.machine(),
        },
        "cpu": {"model": _cpu_model(), "cores": os.cpu_count(), "usable": _usable_cores()},
        "memory": _memory(),
        "gpus": _gpus(),
    }


def _system_name() -> str:
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return platform.version()


def _cpu_model() -> str:
    if sys.platform == "darwin":
        return _output("sysctl", "-n", "machdep.cpu.brand_string").strip()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            # The first core speaks for all; a file of hundreds is not read to its end.
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        return platform.processor()
    return platform.machine()


def _usable_cores() -> int | None:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _gpus() -> list[JSONValue]:
    """Name, memory in MiB and driver of each NVIDIA GPU; empty where there is no driver."""
    if not shutil.which("nvidia-smi"):
        return []
    names = ("name", "memory", "driver")
    text = _output(
        "nvidia-smi",
        "--query-gpu=name,memory.total,driver_version",
        "--format=csv,noheader,nounits",
    )
    rows = [[cell.strip() for cell in line.split(",")] for line in text.splitlines()]
    return [dict(zip(names, row, strict=True)) for row in rows if len(row) == len(names)]


def _output(*command: str) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
