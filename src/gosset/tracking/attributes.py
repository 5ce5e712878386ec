"""Which attributes the handle of a run has: any other is an error that says what was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

GIVEN: Final = {
    "id": "it is the run's for ever",
    "name": "start_run(name=…)",
    "seed": "start_run(seed=…)",
    "params": "run.log_params({name: value})",
    "config": "run.config.update({name: value})",
    "fields": "run.fields[name] = value",
    "tags": "run.set_tags(…)",
    "status": "run.finish(status)",
}
"""What is told to the store otherwise than by being set."""


class Attributes:
    """Refuses attributes that there are not, and to set those that the store would not have."""

    __slots__ = ()

    if not TYPE_CHECKING:  # what reads types knows them anyway

        def __getattr__(self, name):
            raise AttributeError(f"a run has no {name!r}{_meant(self, name)}")

        def __setattr__(self, name, value):
            hint = GIVEN.get(name)
            if hint is None:
                try:
                    object.__setattr__(self, name, value)
                    return
                except AttributeError:
                    if not hasattr(type(self), name):
                        raise AttributeError(f"a run has no {name!r}{_meant(self, name)}") from None
                    hint = "it follows from what the run does"
            raise AttributeError(f"{name!r} of a run cannot be set; {hint}")

    def _put(self, **values: Any) -> None:
        """Set what others may not."""
        for name, value in values.items():
            object.__setattr__(self, name, value)


def _meant(run: object, name: str) -> str:
    if name.startswith("_"):
        return ""  # asked by machinery, such as copy and pickle
    from ..exceptions import did_you_mean

    known = [known for known in dir(type(run)) if not known.startswith("_")]
    return f"; {did_you_mean(name, known)}"
