"""Logistic regression or a random forest? Two experiments on the same folds.

Run it with ``gosset run examples/breast_cancer.py``, then
``gosset compare logistic forest``.
"""

from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import gosset as gs

project = gs.Project("Examples")
folds = gs.splits.stratified(5, seed=7)
metrics = ["roc_auc", "accuracy", "f1_macro"]

logistic = gs.Experiment(
    "logistic",
    project=project,
    dataset=gs.datasets.load_breast_cancer(),
    splits=folds,
    estimator=make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
    parameters={"logisticregression.C": [0.1, 1.0]},
    metrics=metrics,
)

forest = gs.Experiment(
    "forest",
    project=project,
    dataset=gs.datasets.load_breast_cancer(),
    splits=folds,
    estimator=RandomForestClassifier(n_estimators=50),
    parameters={"max_depth": [3, None]},
    metrics=metrics,
    seeds=[0, 1],
)

if __name__ == "__main__":
    for experiment in (logistic, forest):
        print(experiment.execute())
