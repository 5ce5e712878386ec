"""A frame with text, numbers and gaps, through a pipeline that encodes its columns."""

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import gosset as gs


def passengers():
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": draw.integers(1, 80, 60).astype(float),
            "port": draw.choice(["Cork", "Kiel", "Oslo"], 60),
            "survived": draw.choice(["no", "yes"], 60),
        }
    )
    frame.loc[::7, "age"] = np.nan
    frame.loc[::11, "port"] = None
    return frame


def test_columns_of_text_and_gaps_go_through_an_encoding_pipeline(store):
    # A category of its own stands for what is missing.
    text = OneHotEncoder(handle_unknown="ignore")
    pipeline = make_pipeline(
        make_column_transformer((text, ["port"]), (SimpleImputer(), ["age"])),
        GradientBoostingClassifier(n_estimators=3),
    )
    experiment = gs.Experiment(
        "passengers",
        dataset=gs.datasets.from_frame(passengers(), name="passengers", target="survived"),
        splits=2,
        estimator=pipeline,
        parameters={"GradientBoostingClassifier.max_depth": [1, 2]},
        metrics=["accuracy"],
    )
    result = experiment.execute(store=store, executor="inline", progress=False)
    result.raise_for_status()
    assert all(0 < run.metrics["accuracy"].value < 1 for run in result.runs)
    known = {h.name: h.value for h in result.runs[0].hyperparameters}
    dtypes = [value for name, value in known.items() if name.endswith("onehotencoder.dtype")]
    assert dtypes == ["numpy.float64"]
