"""How much should a ridge regression of disease progression be regularised?

Run it with ``gosset run examples/diabetes.py``.
"""

from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import gosset as gs

diabetes = gs.Experiment(
    "diabetes_ridge",
    project="Examples",
    dataset=gs.datasets.load_diabetes(),
    splits=gs.splits.random(test=0.25, validation=0.1, repeats=3),
    estimator=Pipeline([("scale", StandardScaler()), ("ridge", Ridge())]),
    parameters={"ridge": {"alpha": [0.1, 1.0, 10.0, 100.0]}},
    metrics=["rmse", "r2", "mean_absolute_error", "max_absolute_error"],
    seed=3,
)

if __name__ == "__main__":
    print(diabetes.execute())
