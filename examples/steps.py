"""Steps: functions of the run, for work that is no graph.

Run it with ``gosset run examples/steps.py``.
"""

from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import gosset as gs


def prepare(run):
    X, y = load_breast_cancer(return_X_y=True)
    run.vars.parts = train_test_split(StandardScaler().fit_transform(X), y, random_state=run.seed)


def train(run):
    X_train, X_test, y_train, y_test = run.vars.parts
    model = SGDClassifier(alpha=run.params.alpha, random_state=run.seed)
    for _ in range(run.config.epochs):
        model.partial_fit(X_train, y_train, classes=[0, 1])
    run.state.weights = model.coef_
    run.log({"accuracy": model.score(X_test, y_test)})
    run.fields["largest weight"] = float(abs(model.coef_).max())


quick = gs.Experiment(
    "quick",
    project="Examples",
    steps=[prepare, train],
    parameters={"alpha": [1e-4, 1e-2, 1.0]},
    config={"epochs": 20},
    metrics=["accuracy"],
    seeds=[0, 1, 2],
)

if __name__ == "__main__":
    print(quick.execute())
