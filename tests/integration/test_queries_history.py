"""What it takes to explain a computation, gathered from a store."""

import gosset as gs
from gosset.queries.history import explain_stage


def told(store, run, stage):
    ((_, explanation),) = explain_stage(store, store.run(run), stage)
    return explanation.words


def test_stage_that_was_renamed_is_new_and_not_compared_with_siblings(carry_out, store):
    @gs.stage
    def total(k: int = 1):
        return k

    @gs.stage
    def other():
        return 1

    renamed = total.renamed("totale", outputs=["totale"])
    carry_out(total, other, name="k", parameters={"k": [1, 2]})
    assert told(store, "k#1", "total") == "computed: first time"
    assert told(store, "k#2", "total").startswith("computed: parameter k: 1 → 2 since run k#1")
    carry_out(renamed, other, name="k", parameters={"k": [1, 2]})
    for run in ("k#3", "k#4"):
        assert told(store, run, "totale") == "computed: first time: no stage of this name before"
    carry_out(renamed, other, name="k", parameters={"k": [3]})
    assert "parameter k: 2 → 3 since run k#4" in told(store, "k#5", "totale")


def test_later_computations_do_not_push_out_what_one_is_compared_with(
    carry_out, store, monkeypatch
):
    monkeypatch.setattr("gosset.queries.history.NEAREST", 3)

    @gs.stage
    def total(k: int = 1):
        return k

    carry_out(total, name="k", parameters={"k": [1]})
    carry_out(total, name="k", parameters={"k": [2]})
    again = carry_out(total, name="k", parameters={"k": [2]}, cache=False)[1]
    assert again["computed"] == ["total"]
    store.catalog.evict([store.computations(store.run("k#2"))[0].key])
    carry_out(total, name="k", parameters={"k": [2]})
    carry_out(total, name="k", parameters={"k": [3, 4, 5, 6]})
    for _ in range(3):
        carry_out(total, name="k", parameters={"k": [2]}, cache=False)
    assert told(store, "k#1", "total") == "computed: first time"
    assert told(store, "k#2", "total").startswith("computed: parameter k: 1 → 2 since run k#1")
    assert told(store, "k#4", "total").startswith("computed: run k#3 did the same")


LAB = """\
import numpy as np
import gosset as gs
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import h

experiment = gs.Experiment(
    "e",
    dataset=([[float(n)] for n in range(10)], [0, 1] * 5),
    estimator=make_pipeline(FunctionTransformer(), DummyClassifier()),
    parameters={"functiontransformer.func": [np.abs, h.shift]},
    metrics=["accuracy"],
)
"""


def test_changed_code_in_the_value_of_a_parameter_is_named_with_the_parameter(folder):
    folder.write("lab.py", LAB)
    folder.write("h.py", "def by():\n    return 1\n\n\ndef shift(X):\n    return X + by()\n")
    folder.carry_out()
    folder.edit("h.py", "return 1", "return 2")
    assert folder.carry_out()["stages"]["fit"] == {"cached": 5, "computed": 5}
    folder.edit("h.py", "X + by()", "X - by()")
    folder.carry_out()
    with folder.store() as store:
        for run, name in (("e#4", "by"), ("e#6", "shift")):
            words = explain_stage(store, store.run(run), "fit", 0)[0][1].words
            assert words.startswith(
                f"computed: parameter functiontransformer.func: function `{name}` in h.py changed "
                f"since run e#{int(run[2:]) - 2} on"
            )
