"""Whose code it is, and what it is called."""

import sysconfig
import traceback
from pathlib import Path

import pytest

import gosset
from gosset.usercode import called_name, is_user_file

HERE = Path(gosset.__file__).parent


@pytest.mark.parametrize(
    "name",
    ["/home/me/fit.py", "fit.py", f"{HERE}_experiments/fit.py", str(HERE.parent / "fit.py")],
)
def test_file_of_the_user(name):
    assert is_user_file(name)


@pytest.mark.parametrize(
    "name",
    [
        "<string>",
        str(HERE),
        str(HERE / "stages.py"),
        traceback.__file__,
        f"{sysconfig.get_path('purelib')}/numpy/__init__.py",
    ],
)
def test_file_of_others(name):
    assert not is_user_file(name)


def test_object_that_can_be_called_goes_by_its_class():
    class Scorer:
        def __call__(self):
            return 1

    assert called_name(Scorer()) == "Scorer"
