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
