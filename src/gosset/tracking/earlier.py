"""What earlier executions left with a run, read when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..storage.news import field_place
from .values import Late, OpenValues

if TYPE_CHECKING:
    from ..artifacts import ArtifactStore
    from ..planner.works import RunFacts


def fields_of(facts: RunFacts, artifacts: ArtifactStore | None) -> dict[str, Any]:
    """Return the fields of earlier executions: plain values, and those that are read late."""
    refs = {ref.name: ref for ref in facts.kept}
    found: dict[str, Any] = dict(facts.fields)

    def reading(name: str) -> Callable[[], Any]:
        def read() -> Any:
            from ..artifacts.fields import put_together

            assert artifacts is not None
            return put_together(refs[field_place(name)], facts.kept, artifacts)

        return read

    for name in found:
        if field_place(name) in refs:
            found[name] = Late(reading(name))
    return found


class LeftState(OpenValues):
    """The state of a run, unpickled when somebody looks at it.

    Parameters
    ----------
    pickled : bytes or None
        A mapping, by cloudpickle.
    """

    __slots__ = ("_held", "_pickled")

    def __init__(self, pickled: bytes | None = None) -> None:
        object.__setattr__(self, "_pickled", pickled)
        object.__setattr__(self, "_held", None if pickled else {})

    @property
    def touched(self) -> bool:
        """Whether it may be another than it was."""
        return self._held is not None

    @property
    def _values(self) -> dict[str, Any]:
        if self._held is None:
            import cloudpickle

            object.__setattr__(self, "_held", dict(cloudpickle.loads(self._pickled)))
        held: dict[str, Any] = self._held
        return held

    def __reduce__(self) -> tuple[Any, ...]:
        return OpenValues, (self._values,)
