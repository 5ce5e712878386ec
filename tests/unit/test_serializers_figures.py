"""Figures."""

from __future__ import annotations

import io
import zipfile

from matplotlib.figure import Figure as Drawing

from gosset.serializers import choose, get
from gosset.serializers.figures import Figure


def drawing() -> Drawing:
    figure = Drawing(figsize=(2, 2))
    axes = figure.subplots()
    axes.plot([1, 2, 3], label="loss")
    axes.legend()
    return figure


def dumped(value: object) -> bytes:
    buffer = io.BytesIO()
    choose(value, format="figure").dump(value, buffer)
    return buffer.getvalue()


def test_a_figure_comes_back_as_what_was_drawn() -> None:
    back = get("figure").load(io.BytesIO(dumped(drawing())))
    assert isinstance(back, Figure)
    assert back._repr_png_().startswith(b"\x89PNG")
    assert "<svg" in back._repr_svg_()


def test_neither_dates_nor_random_ids_are_in_the_bytes() -> None:
    assert dumped(drawing()) == dumped(drawing())


def test_the_file_is_an_archive_of_two_images() -> None:
    with zipfile.ZipFile(io.BytesIO(dumped(drawing()))) as archive:
        assert archive.namelist() == ["figure.png", "figure.svg"]


def test_a_loaded_figure_can_be_kept_again() -> None:
    figure = Figure(b"png", "<svg/>")
    assert choose(figure).name == "figure"
    assert get("figure").load(io.BytesIO(dumped(figure))) == figure
