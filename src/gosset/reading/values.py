"""What the artifacts of a store hold: outputs, fields, kept values, folds and datasets of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from ..artifacts.base import ArtifactStore
from ..artifacts.values import load
from ..entities import ArtifactRef, Computation, Dataset, Experiment, Launch, Run
from ..exceptions import NotFoundError, did_you_mean
from ..storage.base import Catalog
from ..storage.news import field_place
from ..types import JSONValue

if TYPE_CHECKING:
    import pandas as pd

    from ..datasets import Data
    from ..splits import Fold


class ValueReader:
    """Reads the values that belong to runs. What :class:`gosset.Store` is besides the rest.

    Attributes
    ----------
    catalog : Catalog
    artifacts : ArtifactStore
    """

    catalog: Catalog
    artifacts: ArtifactStore

    def run(self, reference: str) -> Run:
        """Return the one run that `reference` names: an id, ``EXPERIMENT#NUMBER``, ``latest``."""
        return cast("Run", self.catalog.find("runs", reference))

    def load(self, artifact: ArtifactRef, *, trust: bool = False) -> Any:
        """Return the value that an artifact holds.

        Parameters
        ----------
        artifact : ArtifactRef
        trust : bool
            Reading a pickled value runs code: say that you trust whoever wrote the store.

        Raises
        ------
        ArtifactMissingError, ArtifactDamagedError, SerializationError
        """
        return load(artifact, self.artifacts, trust=trust)

    def output(
        self, run: Run | Launch | str, name: str, *, fold: int | None = None, trust: bool = False
    ) -> Any:
        """Return what a stage of a run gave under the name `name`.

        Parameters
        ----------
        run : Run, Launch or str
            The launch for the outputs of a stage over runs.
        name : str
            The output's name, e.g. ``"results"`` or ``"model"``.
        fold : int, optional
            Position of the fold; needed where there are several.

        Raises
        ------
        NotFoundError
            No such output, on that fold or at all, or several; or a stage failed before.
        """
        if isinstance(run, Launch):
            owner, computations = "the launch", self.catalog.computations(launch_id=run.id)
        else:
            entity = run if isinstance(run, Run) else self.run(run)
            owner, computations = f"run {entity.name}", self.catalog.computations(entity.id)
        found = [
            (computation, artifact)
            for computation in computations
            for artifact in computation.outputs
            if artifact.name == name and fold in (None, computation.fold)
        ]
        if not found:
            raise _no_output(owner, name, fold, computations)
        if len(found) > 1:
            raise NotFoundError(
                f"{owner} has {name!r} on {len(found)} folds", hint="say which: fold=0"
            )
        return self.load(found[0][1], trust=trust)

    def artifacts_of(self, run: Run | str) -> dict[str, ArtifactRef]:
        """Return what was kept with a run by ``log_artifact`` and the like: name → reference.

        The values of fields are read by :meth:`fields`.
        """
        # An id names its run already; whether there is one is asked where nothing was kept.
        id_ = run.id if isinstance(run, Run) else run
        kept = self.catalog.artifacts(id_) or self.catalog.artifacts(self.run(id_).id)
        return {ref.name: ref for ref in kept if not ref.name.startswith("fields[")}

    def artifact(self, run: Run | str, name: str, *, trust: bool = False) -> Any:
        """Return what was kept with a run under a name.

        Parameters
        ----------
        run : Run or str
        name : str
            As it was given to ``log_artifact``. A file comes back as a
            :class:`~gosset.serializers.files.File`, a folder as an
            :class:`~gosset.serializers.files.Archive`: nothing is written or unpacked before
            it is asked.
        trust : bool
            Reading a pickled value runs code: say that you trust whoever wrote the store.

        Raises
        ------
        NotFoundError
            There is none of that name.
        ArtifactMissingError, ArtifactDamagedError, SerializationError
        """
        found = self.artifacts_of(run)
        if name not in found:
            raise NotFoundError(
                f"the run has no artifact {name!r}",
                hint=did_you_mean(name, found) or f"it has {len(found)}: see artifacts_of(run)",
            )
        return self.load(found[name], trust=trust)

    def fields(self, run: Run | str, *names: str) -> dict[str, Any]:
        """Return the fields of a run, in value and in type as they were set.

        ``run.fields`` has them as plain JSON.

        Parameters
        ----------
        run : Run or str
        *names : str
            By default all.

        Raises
        ------
        NotFoundError
            The run has no such field.
        ArtifactMissingError, ArtifactDamagedError, SerializationError
        """
        from ..artifacts.fields import put_together

        entity = self.run(run if isinstance(run, str) else run.id)
        kept = {ref.name: ref for ref in self.catalog.artifacts(entity.id)}
        found: dict[str, Any] = {}
        for name in names or entity.fields:
            if name not in entity.fields:
                hint = did_you_mean(name, entity.fields)
                raise NotFoundError(f"run {entity.name} has no field {name!r}", hint=hint)
            ref = kept.get(field_place(name))
            found[name] = (
                entity.fields[name]
                if ref is None
                else put_together(ref, kept.values(), self.artifacts)
            )
        return found

    def folds(self, run: Run | str) -> tuple[Fold, ...]:
        """Return the folds that a run was carried over; empty where it had none.

        Raises
        ------
        NotFoundError, ArtifactMissingError, ArtifactDamagedError
        """
        from ..splits import folds_from_bytes

        entity = run if isinstance(run, Run) else self.run(run)
        if entity.split is None:
            return ()
        return folds_from_bytes(self.load(self.catalog.split(entity.split).artifact))

    def dataset(self, reference: str) -> Data:
        """Return a version of a dataset: ``NAME``, ``NAME@VERSION`` or a digest.

        Raises
        ------
        NotFoundError, ArtifactMissingError, ArtifactDamagedError
        """
        from ..datasets import from_entity

        return from_entity(
            cast("Dataset", self.catalog.find("datasets", reference)), self.artifacts
        )

    def results(self, run: Run | str, *, fold: int = 0) -> pd.DataFrame:
        """Return the per-row results of an estimator on one fold.

        Returns
        -------
        DataFrame
            One row per part and row of the data: ``part``, ``row``, ``truth``,
            ``predicted`` and ``probability:LABEL`` or ``decision``.

        Raises
        ------
        NotFoundError
            The run has no such results.
        """
        found: pd.DataFrame = self.output(run, "results", fold=fold)
        return found

    def results_record(self, run: Run | str, *, fold: int = 0) -> dict[str, JSONValue]:
        """Return the results on one fold as a JSON record.

        Returns
        -------
        dict
            ``dataset``, ``training_samples``, ``testing_samples``, ``split_num``,
            ``training_indices``, ``testing_indices``, ``type`` and ``predictions``, which
            maps a row of the test part to ``truth``, ``predicted`` and ``probabilities``.
        """
        from ..estimators import results_record

        entity = run if isinstance(run, Run) else self.run(run)
        experiment = cast(
            "Experiment",
            self.catalog.find("experiments", entity.experiment, project=entity.project),
        )
        return results_record(
            self.results(entity, fold=fold),
            dataset=entity.dataset or "",
            fold=self.folds(entity)[fold],
            split_num=fold,
            task=str(experiment.definition.get("task", "")),
        )

    def computations(self, run: Run | str) -> list[Computation]:
        """Return the computations of a run."""
        entity = run if isinstance(run, Run) else self.run(run)
        return self.catalog.computations(entity.id)


def _no_output(
    owner: str, name: str, fold: int | None, computations: Sequence[Computation]
) -> NotFoundError:
    """Return the error that says why there is no output of that name."""
    folds = {c.fold for c in computations if c.fold is not None}
    if fold is not None and folds and fold not in folds:
        last = max(folds)
        return NotFoundError(
            f"{owner} has no fold {fold}; {f'its folds are 0–{last}' if last else 'its only one is 0'}"
        )
    failures = [
        (c.stage, c.exception) for c in computations if c.exception and fold in (None, c.fold)
    ]
    where = "" if fold is None else f" on fold {fold}"
    why = "".join(f": stage {s!r} failed with {e.line}" for s, e in failures[:1])
    outputs = {artifact.name for c in computations for artifact in c.outputs}
    known = {output for output in outputs if not output.startswith("@")}  # those are Gosset's own
    # What failed tells more than the names of what did not.
    hint = "" if failures or name in known else did_you_mean(name, known)
    return NotFoundError(f"{owner} has no output {name!r}{where}{why}", hint=hint)
