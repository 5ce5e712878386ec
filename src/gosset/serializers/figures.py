"""Matplotlib figures, drawn once: as PNG and as SVG."""

from __future__ import annotations

import io
import sys
import zipfile
from dataclasses import dataclass
from typing import Any, BinaryIO

from .base import Sink


@dataclass(frozen=True, slots=True)
class Figure:
    """What was drawn; notebooks show it.

    Attributes
    ----------
    png : bytes
    svg : str
    """

    png: bytes
    svg: str

    def _repr_png_(self) -> bytes:
        return self.png

    def _repr_svg_(self) -> str:
        return self.svg


class FigureSerializer:
    """A ``matplotlib.figure.Figure``, which comes back as a :class:`Figure`.

    This is the one serializer that does not give back what it took: a figure is made to
    be looked at, and its Python objects would tie it to one version of Matplotlib. The
    file is an uncompressed ZIP archive of ``figure.png`` and ``figure.svg``.
    """

    name = "figure"
    extension = ".zip"
    safe = True

    def takes(self, value: object) -> bool:
        """Whether `value` is a figure, drawn or to be drawn."""
        figures = sys.modules.get("matplotlib.figure")
        return type(value) is Figure or (
            figures is not None and isinstance(value, getattr(figures, "Figure", ()))
        )

    def dump(self, value: Any, file: Sink) -> None:
        """See :meth:`Serializer.dump`."""
        drawn = value if isinstance(value, Figure) else draw(value)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            # A ZipInfo of its own has a fixed date.
            archive.writestr(zipfile.ZipInfo("figure.png"), drawn.png)
            archive.writestr(zipfile.ZipInfo("figure.svg"), drawn.svg.encode())
        file.write(buffer.getbuffer())

    def load(self, file: BinaryIO) -> Figure:
        """See :meth:`Serializer.load`."""
        with zipfile.ZipFile(file) as archive:
            return Figure(archive.read("figure.png"), archive.read("figure.svg").decode())


def draw(figure: Any) -> Figure:
    """Draw a Matplotlib figure without dates or random ids in the files."""
    import matplotlib as mpl

    png, svg = io.BytesIO(), io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "gosset"}):
        figure.savefig(png, format="png", metadata={"Software": None})
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return Figure(png.getvalue(), svg.getvalue().decode())
