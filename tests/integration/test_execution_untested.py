"""Without a test part: what was measured on training rows is shown, and ranks the runs."""

import pytest
from sklearn.cluster import KMeans

import gosset as gs


@pytest.fixture
def clustered(store):
    experiment = gs.Experiment(
        "clusters",
        dataset=gs.datasets.load_iris(),
        splits=None,
        estimator=KMeans(n_init=1),
        parameters={"n_clusters": [9, 2, 5]},
        metrics=["silhouette"],
    )
    return experiment.execute(store=store, executor="inline", progress=False)


def test_the_best_run_is_told_by_its_score_on_training_rows(clustered):
    clustered.raise_for_status()
    assert clustered.objective[0] == "train/silhouette"
    assert clustered.best.params == {"n_clusters": 2}


def test_the_table_shows_the_scores_on_training_rows(clustered):
    assert "train/silhouette" in clustered.summary().table.columns
    assert "best: n_clusters=2" in str(clustered)


def test_logged_scores_of_the_training_part_alone_are_shown(store):
    def step(run):
        run.log({"train/loss": 1 / run.params["n"]})

    experiment = gs.Experiment("steps", steps=[step], parameters={"n": [2, 1]})
    result = experiment.execute(store=store, executor="inline", progress=False)
    result.raise_for_status()
    assert "train/loss" in result.summary().table.columns
