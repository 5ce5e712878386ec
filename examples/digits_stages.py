"""Digits by stages: a graph by argument names, computed once where runs share it.

Run it twice with ``gosset run examples/digits_stages.py``: the second time everything
comes from the cache. Change ``centred`` and run again: what depends on it is computed.
"""

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

import gosset as gs


def centred(images):
    """Move the mean of each image to zero."""
    return images - images.mean(axis=1, keepdims=True)


@gs.stage
def pixels(X):
    return centred(np.asarray(X, dtype=float))


@gs.stage(outputs=("projected", "components"))
def projection(pixels, fold, dimensions: int = 16):
    mean = pixels[fold.train].mean(axis=0)
    _, _, directions = np.linalg.svd(pixels[fold.train] - mean, full_matrices=False)
    return (pixels - mean) @ directions[:dimensions].T, directions[:dimensions]


@gs.stage
def neighbours(projected, y, fold, k: int = 3):
    return KNeighborsClassifier(n_neighbors=k).fit(projected[fold.train], y[fold.train])


@gs.stage
def predicted(neighbours, projected, fold):
    return neighbours.predict(projected[fold.test])


@gs.stage
def truth(y, fold):
    return y[fold.test]


@gs.stage(over="folds")
def confusions(truth, predicted):
    """Pairs of digits that are taken for each other, over all folds."""
    pairs = {}
    for fold in truth:
        for true, guess in zip(truth[fold], predicted[fold], strict=True):
            if true != guess:
                pair = f"{min(true, guess)} and {max(true, guess)}"
                pairs[pair] = pairs.get(pair, 0) + 1
    return dict(sorted(pairs.items(), key=lambda item: -item[1])[:3])


digits = gs.Experiment(
    "digits",
    project="Examples",
    dataset=gs.datasets.load_digits(),
    splits=gs.splits.stratified(3, seed=0),
    stages=[pixels, projection, neighbours, predicted, truth, confusions],
    parameters={"dimensions": [8, 16, 32], "k": [1, 3]},
    metrics=["accuracy", "f1_macro"],
)

if __name__ == "__main__":
    result = digits.execute()
    print(result)
    print("often confused:", result.output(result.best, "confusions"))
