"""The files that a source names: those in the folder that was named, wherever links lead."""

from __future__ import annotations

from pathlib import Path


def refused(place: Path, root: Path) -> str | None:
    """Return why what lies at a place is not read; None of a file in the folder `root`.

    Examples
    --------
    >>> refused(Path("/etc/../etc/passwd"), Path("/home"))
    'it lies at /etc/passwd, outside of /home'
    """
    try:
        real, root = place.resolve(), root.resolve()
        if not real.is_relative_to(root):
            return f"it lies at {real}, outside of {root}"
        if real.is_file():
            return None
        return "it is no file" if real.exists() else f"{real} is not there"
    except (OSError, RuntimeError) as error:  # links in a circle
        return f"it cannot be reached: {error}"


def files_in(folder: Path, root: Path, left_out: list[tuple[str, str]]) -> dict[str, Path]:
    """Return the files of a folder by their paths in it.

    Parameters
    ----------
    folder : Path
    root : Path
        What lies outside of it is not read.
    left_out : list of (what, why)
        Gets the rest: what lies elsewhere, pipes, devices.
    """
    files: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() and not path.is_symlink():
            continue
        if why := refused(path, root):
            left_out.append((f"file {name!r}", why))
        else:
            files[name] = path
    return files
