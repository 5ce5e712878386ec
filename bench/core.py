"""The speed of the core, beside what it is measured against, in one run.

Run ``python bench/core.py`` for all, or name some: ``python bench/core.py iris many``.
Each line gives two medians of times measured in turn, and their ratio: on a shared machine
the ratio is what counts.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

Timed = Callable[[], float]
"""Does the work once and returns the seconds that count."""


def compare(title: str, ours: Timed, theirs: Timed, limit: float, *, rounds: int = 5) -> None:
    """Print the medians of `ours` and `theirs`, measured in turn, and their ratio."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    mine, other = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{title:<58} {mine:9.4f} s {other:9.4f} s  ratio {ratio:5.2f} (aim ≤ {limit:g})")


def alone(title: str, ours: Timed, limit: float, *, rounds: int = 5) -> None:
    """Print the median of `ours`, beside what it is meant to stay under."""
    times = [ours() for _ in range(rounds)]
    print(
        f"{title:<58} {statistics.median(times):9.4f} s            "
        f"min {min(times):.4f} s (aim ≤ {limit:g} s)"
    )


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def process(*arguments: str) -> float:
    """Return the seconds that a process takes from start to end."""
    return timed(lambda: subprocess.run(arguments, check=True, capture_output=True))


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Make a folder for the length of a block."""
    made = Path(tempfile.mkdtemp(prefix="gosset-bench-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def bench_import() -> None:
    """``import gosset`` beside an interpreter that imports a few standard modules."""
    compare(
        "import gosset | dataclasses, pathlib, json",
        lambda: process(sys.executable, "-c", "import gosset"),
        lambda: process(sys.executable, "-c", "import dataclasses, pathlib, json"),
        2.0,
        rounds=15,
    )


def bench_help() -> None:
    """``gosset --help``."""
    command = str(Path(sys.executable).with_name("gosset"))
    alone("gosset --help", lambda: process(command, "--help"), 0.3, rounds=9)


def bench_iris() -> None:
    """45 fits of the iris grid, scored on both parts, beside a plain loop of the same work."""
    from joblib import Parallel, delayed
    from sklearn.base import clone
    from sklearn.datasets import load_iris
    from sklearn.decomposition import PCA
    from sklearn.metrics import accuracy_score, f1_score
    from sklearn.model_selection import ParameterGrid, StratifiedKFold
    from sklearn.pipeline import Pipeline
    from sklearn.svm import SVC

    import gosset as gs

    frame = load_iris(as_frame=True)
    X, y = frame.data, frame.target
    splits = StratifiedKFold(5, shuffle=True, random_state=1)
    estimator = Pipeline([("PCA", PCA()), ("SVC", SVC(probability=True))])
    grid = {"SVC__C": [0.1, 0.5, 1.0], "PCA__n_components": [1, 2, 3]}

    def one(params: dict[str, float], train: object, test: object) -> list[float]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = clone(estimator).set_params(**params).fit(X.iloc[train], y.iloc[train])
            scores = []
            for rows in (train, test):
                predicted = model.predict(X.iloc[rows])
                model.predict_proba(X.iloc[rows])
                scores += [
                    accuracy_score(y.iloc[rows], predicted),
                    f1_score(y.iloc[rows], predicted, average="macro"),
                ]
            return scores

    def loop(jobs: int) -> float:
        fits = [(p, *fold) for p in ParameterGrid(grid) for fold in splits.split(X, y)]
        if jobs == 1:
            return timed(lambda: [one(*fit) for fit in fits])
        with Parallel(n_jobs=jobs) as parallel:
            parallel(delayed(one)(*fit) for fit in fits[:4])  # start-up does not count
            return timed(lambda: parallel(delayed(one)(*fit) for fit in fits))

    experiment = gs.Experiment(
        "iris",
        dataset=gs.datasets.from_frame(
            frame.frame.rename(columns={"target": "species"}), name="iris", target="species"
        ),
        splits=splits,
        estimator=estimator,
        parameters={"SVC.C": [0.1, 0.5, 1.0], "PCA.n_components": [1, 2, 3]},
        metrics=["accuracy", "f1_macro"],
    )

    def ours(jobs: int, *, cached: bool = False) -> float:
        with folder() as place, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            url = f"sqlite:///{place}/lab.db"
            how = {"executor": "inline"} if jobs == 1 else {"executor": "processes", "jobs": jobs}
            result = experiment.execute(store=url, progress=False, **how)
            if cached:
                result.store.close()
                return timed(lambda: experiment.execute(store=url, progress=False, **how))
            result.raise_for_status()
            # From the first piece of work to the end of the last: without start-up.
            first = min(run.started for run in result.runs)
            last = max(run.ended for run in result.runs)
            result.store.close()
            return (last - first).total_seconds()

    compare("iris grid, 45 fits, 1 process | plain loop", lambda: ours(1), lambda: loop(1), 1.5)
    compare("iris grid, 45 fits, 2 processes | joblib", lambda: ours(2), lambda: loop(2), 1.5)
    alone("iris grid, fully cached, whole launch", lambda: ours(2, cached=True), 1.0)


def bench_many() -> None:
    """1000 parameter sets × 3 trivial stages, cold and cached, and twice as many."""
    import gosset as gs

    def experiment(count: int) -> gs.Experiment:
        return gs.Experiment(
            "many",
            stages=[gs.stage(f) for f in (_first, _second, _third)],
            parameters={"n": list(range(count))},
        )

    for count in (1000, 2000):
        made = experiment(count)
        for executor in ("inline", "processes"):
            with folder() as place:
                url = f"sqlite:///{place}/lab.db"

                def launch(
                    url: str = url, executor: str = executor, made: gs.Experiment = made
                ) -> float:
                    return timed(
                        lambda: made.execute(
                            store=url, executor=executor, progress=False
                        ).raise_for_status()
                    )

                title = f"{count} sets × 3 stages, {executor}"
                alone(f"{title}, cold", launch, 10 * count / 1000, rounds=1)
                alone(f"{title}, fully cached", launch, 2 * count / 1000, rounds=3)


def _first(n: int = 0) -> int:
    return n


def _second(_first: int, k: int = 2) -> int:
    return _first * k


def _third(_second: int) -> int:
    return _second + 1


def bench_digest() -> None:
    """The digest of an 800 MB array beside the bare hash function."""
    import numpy as np
    from blake3 import blake3

    from gosset.fingerprint import digest

    array = np.random.default_rng(0).random(100_000_000)

    def bare() -> float:
        hasher = blake3(max_threads=blake3.AUTO)
        return timed(lambda: hasher.update(memoryview(array).cast("B")))

    compare("digest of 800 MB | BLAKE3", lambda: timed(lambda: digest(array)), bare, 1.5)


def bench_dataset() -> None:
    """Memory that adding an 800 MB dataset takes, beside the data itself."""
    code = (
        "import resource, sys, numpy as np, gosset as gs\n"
        "from gosset.datasets import from_arrays, to_entity\n"
        "from gosset.artifacts import open_artifacts\n"
        "X = np.random.default_rng(0).random((1_000_000, 100))\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "data = from_arrays(X, name='large').load()\n"
        "to_entity('large', data, open_artifacts(sys.argv[1]))\n"
        "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print((after - before) * 1024 / X.nbytes)\n"
    )
    with folder() as place:
        done = subprocess.run(
            [sys.executable, "-c", code, str(place)], check=True, capture_output=True, text=True
        )
    print(
        f"{'adding an 800 MB dataset: further copies in memory':<58} {float(done.stdout):9.2f}"
        "              (aim ≤ 1)"
    )


def bench_list() -> None:
    """The first page of 100 000 runs, filtered by a parameter and sorted by a metric."""
    from gosset.entities import Direction, Metric, Status
    from gosset.storage import open_catalog
    from gosset.storage.changes import Batch, NewRun, RunUpdate

    count = 100_000
    with folder() as place:
        url = f"sqlite:///{place}/lab.db"
        catalog = open_catalog(url)
        experiment = catalog.ensure_experiment("bench", "many")
        execution = catalog.ensure_execution(experiment.id, "f", {})
        launch = catalog.add_launch(experiment.id, execution=execution.number)
        for start in range(0, count, 10_000):
            numbers = range(start, start + 10_000)
            runs = catalog.add_runs(
                launch.id,
                [NewRun(params={"lr": n / count, "k": n % 7}, group=str(n)) for n in numbers],
            )
            updates = [
                RunUpdate(
                    id=run.id,
                    status=Status.COMPLETE,
                    metrics=[
                        Metric(
                            name="accuracy",
                            value=(n * 7919 % count) / count,
                            direction=Direction.MAXIMIZE,
                        )
                    ],
                )
                for n, run in zip(numbers, runs, strict=True)
            ]
            catalog.record(Batch(runs=updates))
        catalog.close()
        command = str(Path(sys.executable).with_name("gosset"))
        query = ("list", "runs", "params.lr > 0.5", "--sort", "-metrics.accuracy", "--limit", "50")
        compare(
            "gosset list runs, 100 000 runs | gosset list projects",
            lambda: process(command, "--store", url, *query, "--json"),
            lambda: process(command, "--store", url, "list", "projects", "--json"),
            float("nan"),
        )


BENCHES = {
    name.removeprefix("bench_"): function
    for name, function in list(globals().items())
    if name.startswith("bench_")
}


def main() -> None:
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], help="which; all by default")
    names = parser.parse_args().names or list(BENCHES)
    for name in names:
        BENCHES[name]()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process: {peak:.0f} MB")


if __name__ == "__main__":
    main()
