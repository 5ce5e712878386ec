"""Scores per fold are those of scikit-learn's own ``cross_validate``, to the last digits."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from workplace import Workplace

SCRIPT = """
    import json
    import gosset as gs
    import numpy as np
    from sklearn import datasets
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_validate
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    estimators = {
        "SVC": SVC(),
        "logistic": make_pipeline(StandardScaler(), LogisticRegression()),
        "forest": RandomForestClassifier(n_estimators=10, random_state=0),
        "neighbours": KNeighborsClassifier(),
        "boosting": GradientBoostingClassifier(n_estimators=3, random_state=1),
    }
    splits = StratifiedKFold(5, shuffle=True, random_state=3)
    away = {}
    for dataset in ("iris", "wine", "breast_cancer"):
        X, y = getattr(datasets, f"load_{dataset}")(return_X_y=True)
        for name, estimator in estimators.items():
            expected = cross_validate(
                estimator, X, y, cv=splits, scoring=["accuracy", "f1_macro"],
                return_train_score=True,
            )
            result = gs.Experiment(
                f"{dataset} {name}",
                dataset=gs.datasets.from_xy((X, y), name=dataset),
                splits=splits,
                estimator=estimator,
                metrics=["accuracy", "f1_macro"],
            ).execute(store="memory://")
            result.raise_for_status()
            metrics = result.runs[0].metrics
            away[f"{dataset} {name}"] = {
                part + score: [
                    list(metrics[prefix + score].folds),
                    expected[f"{part}_{score}"].tolist(),
                ]
                for part, prefix in (("test", ""), ("train", "train/"))
                for score in ("accuracy", "f1_macro")
            }
    print(json.dumps(away))
"""


def test_five_estimators_on_three_datasets(new_workplace: Callable[..., Workplace]) -> None:
    """Test and train accuracy and F1 of each of five folds, to 1e-12."""
    place = new_workplace()
    found = json.loads(place.python(place.write("equal.py", SCRIPT)))
    assert len(found) == 15
    for case, scores in found.items():
        for score, (ours, theirs) in scores.items():
            assert len(ours) == len(theirs) == 5
            assert ours == pytest.approx(theirs, rel=0, abs=1e-12), (case, score)
