"""Wine with a metric and a splitter of one's own.

Run it with ``gosset run examples/wine.py``.
"""

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import gosset as gs

project = gs.Project("Examples")


@gs.metric(direction="minimize")
def worst_miss(confusion_matrix):
    """The largest share of any class that was taken for another."""
    counts = np.asarray(confusion_matrix["counts"], dtype=float)
    return float(1 - (counts.diagonal() / counts.sum(axis=1)).min())


def every_third(X, seed):
    """Hold out every third row, from a start that the seed chooses."""
    rows = np.arange(len(X))
    for start in range(3):
        test = rows % 3 == (start + seed) % 3
        yield rows[~test], rows[test]


wine = gs.Experiment(
    "wine",
    project=project,
    dataset=gs.datasets.load_wine(),
    splits=every_third,
    estimator=make_pipeline(StandardScaler(), LinearSVC()),
    parameters={"linearsvc.C": [0.01, 0.1, 1.0]},
    metrics=[worst_miss, "accuracy"],
)

if __name__ == "__main__":
    print(wine.execute())
