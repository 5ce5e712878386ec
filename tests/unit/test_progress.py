"""What people are told while a launch is at work."""

from __future__ import annotations

import pytest

from gosset.results.progress import ProgressBar


def test_a_warning_after_the_end_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    bar = ProgressBar()
    bar.begin(1, 0)
    bar.end()
    capsys.readouterr()
    bar.warn("[bold] is text")
    assert capsys.readouterr().err == "gosset: warning: [bold] is text\n"
