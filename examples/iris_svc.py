"""Which C and how many components suit a support vector machine on iris?

Run it with ``gosset run examples/iris_svc.py``, or as a script.
"""

from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

import gosset as gs

project = gs.Project("Examples")


@project.dataset(target="species")
def iris():
    data = load_iris(as_frame=True)
    names = dict(enumerate(data.target_names))
    return data.data.assign(species=data.target.map(names))


@project.experiment(
    dataset=iris,
    splits=StratifiedKFold(5, shuffle=True, random_state=1),
    parameters={"SVC.C": [0.1, 0.5, 1.0], "PCA.n_components": [1, 2, 3]},
    metrics=["accuracy", "f1_macro"],
    seed=1,
)
def iris_svc():
    """Classify iris flowers by a support vector machine on principal components."""
    return Pipeline([("PCA", PCA()), ("SVC", SVC(probability=True))])


if __name__ == "__main__":
    print(iris_svc.execute())
