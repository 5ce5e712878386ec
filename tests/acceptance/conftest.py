"""Fixtures of the acceptance scenarios."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from workplace import Workplace


@pytest.fixture(scope="module")
def new_workplace(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Workplace]:
    """Make a workplace: ``new_workplace(executor="processes")``."""

    def make(*, executor: str = "inline") -> Workplace:
        return Workplace(tmp_path_factory.mktemp("workplace"), executor=executor)

    return make


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    """A workplace for one test."""
    return Workplace(tmp_path)
