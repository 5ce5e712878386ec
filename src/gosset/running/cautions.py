"""What whoever launches something is told, because the results do not show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from ..compiling.prepared import Prepared
from ..entities import ArtifactRef, Run
from ..fingerprint import codes_in, dynamic_ways
from .measuring import Measured

FILES_SHOWN = 3
"""Of the files that a stage read, so many are named."""

Results: TypeAlias = tuple[object, ...]
"""Stage, fold and identities of the outputs, of every computation of a run; and what it logged."""


def unseen_code(prepared: Prepared) -> Iterator[str]:
    """Tell of code that is settled only when it runs: the cache cannot see it change."""
    content: Mapping[str, Any] = prepared.code.content
    counted = {
        component
        for name, stage in prepared.pipeline.stages.items()
        if stage.cache and not stage.version and name in content["stages"]
        for component in content["stages"][name]["parts"]
    }
    ways = {
        component: found
        for component, found in dynamic_ways(content["unresolved"]).items()
        if component in counted
    }
    for value in _values(prepared):
        for code in codes_in(value):
            ways |= dynamic_ways(code.unresolved)
    for component, found in sorted(ways.items()):
        yield (
            f"{component} reaches code by {', '.join(found)}, which no cache key sees: "
            "when that code changes, the stage is not carried out anew, unless it names what it "
            "reaches so: @gs.stage(depends=[…])"
        )


def _values(prepared: Prepared) -> Iterable[object]:
    """Return the values that may hold code: those that were given, and of one run all."""
    given = [value for run in prepared.runs for value in run.params.values()]
    stages = prepared.runs[0].assigned if prepared.runs else {}
    of_first = [value for assigned in stages.values() for value in assigned.values()]
    return {id(value): value for value in (*given, *of_first)}.values()


def undeclared(stage: str, reads: Sequence[str]) -> str:
    """Tell of files that a stage read, although the cache does not know their content.

    Examples
    --------
    >>> undeclared("words", ["book.txt"])
    "stage 'words' read book.txt, whose content is no part of its cache key: ..."
    """
    told = ", ".join(reads[:FILES_SHOWN])
    more = f" and {len(reads) - FILES_SHOWN} more files" * (len(reads) > FILES_SHOWN)
    return (
        f"stage {stage!r} read {told}{more}, whose content is no part of its cache key: "
        f"give it as a parameter, such as file=gosset.File({reads[0]!r}), or as a dataset"
    )


class Repeats:
    """Finds runs of several seeds that came out the same in all that they gave."""

    def __init__(self) -> None:
        self._seeds: dict[tuple[str, Results], set[int]] = defaultdict(set)

    def add(
        self,
        run: Run,
        outputs: Iterable[tuple[str, int | None, tuple[ArtifactRef, ...]]],
        measured: Measured,
    ) -> None:
        """Take what the computations of a run gave: stage, fold and outputs of each."""
        # What was logged bears the time at which it was; here its values count.
        logged = ({m.name: (m.value, m.folds) for m in measured.metrics}, measured.fields)
        results: Results = (
            *(
                (stage, fold, *(ref.identity for ref in refs if not ref.name.startswith("@")))
                for stage, fold, refs in outputs
            ),
            repr(logged),
        )
        self._seeds[run.group, results].add(run.seed or 0)

    def told(self) -> Iterator[str]:
        """Tell of seeds that changed nothing: their runs are one, however often it is counted."""
        repeated = [seeds for seeds in self._seeds.values() if len(seeds) > 1]
        if repeated:
            most = max(map(sorted, repeated), key=len)
            seeds = ", ".join(map(str, most))
            yield (
                f"runs of seeds {seeds} came out alike in everything, because nothing in them "
                "depends on the seed: they repeat one result and say nothing of its spread (an "
                "estimator with a fixed random_state takes no seed; leave it None)"
            )
