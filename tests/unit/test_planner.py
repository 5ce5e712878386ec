"""Plans: what is shared, what is needed, what the cache spares."""

from datetime import UTC, datetime

from gosset.entities import ArtifactRef, CacheEntry
from gosset.pipeline import Scope, build
from gosset.planner.plan import Action, Lookup, RunPlan, no_cache
from gosset.planner.planning import plan
from gosset.planner.works import Constant, RunFacts
from gosset.stages import stage


@stage
def raw(text):
    return text


@stage
def features(raw, width: int = 1):
    return raw * width


@stage
def trained(features, fold, lr: float = 0.1):
    return features, lr


@stage(over="folds")
def score(trained):
    return len(trained)


PIPELINE = build([raw, features, trained, score], {"text": Scope.CONSTANT, "fold": Scope.FOLD})
CODES = {name: f"code of {name}" for name in PIPELINE.stages}


def sources(name, run, fold):
    return Constant(f"{name}:{fold}", ("value", name))


def run_plan(number, folds=2, **params):
    facts = RunFacts(
        id=str(number), number=number, name=f"r{number}", seed=0, params=params, config={}
    )
    return RunPlan(
        facts=facts, label=str(params), assigned=PIPELINE.assign(params), folds=folds, split="s"
    )


class Cache:
    """A cache in a dictionary, filled from a plan as a run would fill it."""

    def __init__(self):
        self.made = {}
        self.gone = set()

    def lookup(self):
        return Lookup(
            entries=lambda keys: {k: self.made[k] for k in keys if k in self.made},
            candidates=lambda recipes: {
                r: [e for e in self.made.values() if e.recipe == r] for r in recipes
            },
            present=lambda artifact: artifact.digest not in self.gone,
        )

    def fill(self, runs, codes=CODES, content=lambda item: item.key):
        """Plan and "compute" until nothing is left, each output known by its content."""
        while True:
            planned = make(runs, self.lookup(), codes)
            todo = [i for i in planned.items if i.action is Action.COMPUTE and i.key]
            if not todo:
                return planned
            for item in todo:
                self.gone.discard(content(item))
                self.made[item.key] = CacheEntry(
                    key=item.key,
                    recipe=item.recipe,
                    stage=item.stage.name,
                    parts={},
                    outputs=(
                        ArtifactRef(
                            name=item.stage.name, format="json", digest=content(item), size=1
                        ),
                    ),
                    wall=0.0,
                    created=datetime(2026, 1, 1, tzinfo=UTC),
                )


def make(runs, lookup=None, codes=CODES, targets=None):
    return plan(
        PIPELINE, runs, codes=codes, sources=sources, lookup=lookup or no_cache(), targets=targets
    )


def actions(planned):
    found = {}
    for item in planned.items:
        found.setdefault(item.stage.name, []).append(str(item.action))
    return found


def test_runs_share_what_does_not_depend_on_what_varies():
    planned = make([run_plan(1, lr=0.1), run_plan(2, lr=0.2)])
    assert actions(planned) == {
        "raw": ["compute"],
        "features": ["compute"],
        "trained": ["compute"] * 4,
        "score": ["compute"] * 2,
    }
    assert len(planned.places) == 2 * (1 + 1 + 2 + 1)


def test_everything_cached_loads_the_targets_and_skips_the_rest():
    cache = Cache()
    runs = [run_plan(1, lr=0.1), run_plan(2, lr=0.2)]
    cache.fill(runs)
    assert actions(make(runs, cache.lookup())) == {
        "raw": ["skip"],
        "features": ["skip"],
        "trained": ["skip"] * 4,
        "score": ["load"] * 2,
    }


def test_a_deleted_intermediate_is_not_remade_while_its_consumers_are_cached():
    cache = Cache()
    runs = [run_plan(1)]
    cache.fill(runs)
    cache.gone = {e.outputs[0].digest for e in cache.made.values() if e.stage != "score"}
    assert set(actions(make(runs, cache.lookup()))["features"]) == {"skip"}
    # With the target gone as well, everything under it is needed again.
    cache.gone = {e.outputs[0].digest for e in cache.made.values()}
    assert {a for each in actions(make(runs, cache.lookup())).values() for a in each} == {"compute"}


def test_only_what_is_missing_is_computed_from_what_is_there():
    cache = Cache()
    runs = [run_plan(1)]
    cache.fill(runs)
    lost = next(e for e in cache.made.values() if e.stage == "trained")
    target = next(e for e in cache.made.values() if e.stage == "score")
    cache.gone = {lost.outputs[0].digest, target.outputs[0].digest}
    assert actions(make(runs, cache.lookup())) == {
        "raw": ["skip"],
        "features": ["load"],
        "trained": ["compute", "load"],
        "score": ["compute"],
    }


def test_changed_code_computes_the_stage_and_what_depends_on_it():
    cache = Cache()
    runs = [run_plan(1)]
    cache.fill(runs)
    planned = make(runs, cache.lookup(), {**CODES, "features": "other code"})
    assert actions(planned) == {
        "raw": ["load"],
        "features": ["compute"],
        "trained": ["compute"] * 2,
        "score": ["compute"],
    }


def test_same_content_from_changed_code_stops_the_wave():
    cache = Cache()
    runs = [run_plan(1)]
    by_stage = {"raw": "A", "features": "B", "trained": "C", "score": "D"}
    cache.fill(runs, content=lambda item: by_stage[item.stage.name])
    changed = {**CODES, "features": "other code"}
    planned = make(runs, cache.lookup(), changed)
    # What depends on it carries the outputs that it would have, if the inputs come out equal.
    trained_items = [item for item in planned.items if item.stage.name == "trained"]
    assert all(item.key is None and len(item.candidates) == 2 for item in trained_items)
    cache.fill(runs, changed, content=lambda item: by_stage[item.stage.name])
    computed = [entry.stage for entry in cache.made.values()]
    assert sorted(computed) == ["features", "features", "raw", "score", "trained", "trained"]


def test_a_parameter_reaches_only_the_stages_that_take_it():
    cache = Cache()
    cache.fill([run_plan(1, width=1)])
    assert actions(make([run_plan(1, lr=9.0)], cache.lookup()))["features"] == ["load"]
    assert actions(make([run_plan(1, width=2)], cache.lookup()))["raw"] == ["load"]
    assert actions(make([run_plan(1, width=2)], cache.lookup()))["features"] == ["compute"]


def test_targets_say_what_is_asked_for():
    assert set(actions(make([run_plan(1)], targets=["features"]))["trained"]) == {"skip"}


def test_two_runs_of_equal_parameters_are_one_piece_of_work():
    planned = make([run_plan(1, lr=0.1), run_plan(2, lr=0.1)])
    assert len(planned.items) == 5
    assert len(planned.places) == 10


def test_stages_that_are_not_cached_are_carried_out_for_every_run():
    @stage(cache=False)
    def act(text):
        return text

    pipeline = build([act], {"text": Scope.CONSTANT})
    runs = [run_plan(1), run_plan(2)]
    planned = plan(
        pipeline, runs, codes={"act": "c"}, sources=sources, lookup=no_cache(), targets=[]
    )
    assert [str(item.action) for item in planned.items] == ["compute", "compute"]


def test_an_aggregate_over_runs_depends_on_every_run_by_its_label():
    @stage(over="runs")
    def table(features):
        return features

    pipeline = build([raw, features, table], {"text": Scope.CONSTANT})

    def key(*runs):
        cache = Cache()
        while True:
            planned = plan(
                pipeline,
                runs,
                codes={**CODES, "table": "t"},
                sources=sources,
                lookup=cache.lookup(),
            )
            todo = [i for i in planned.items if i.action is Action.COMPUTE and i.key]
            if not todo or todo[-1].stage.name == "table":
                return todo[-1].key
            for item in todo:
                cache.made[item.key] = CacheEntry(
                    key=item.key,
                    recipe=item.recipe,
                    stage=item.stage.name,
                    parts={},
                    outputs=(
                        ArtifactRef(name=item.stage.name, format="json", digest=item.key, size=1),
                    ),
                    wall=0.0,
                    created=datetime(2026, 1, 1, tzinfo=UTC),
                )

    one, two = run_plan(1, width=1), run_plan(2, width=2)
    assert key(one, two) == key(run_plan(7, width=1), run_plan(9, width=2))
    assert key(one, two) != key(one)
    assert key(one, two) != key(one, run_plan(3, width=3))


def test_a_plan_is_shown_stage_by_stage_with_what_runs_share_once():
    planned = make([run_plan(1, lr=0.1), run_plan(2, lr=0.2)])
    assert repr(planned) == "<plan of 2 runs: 8 to compute, 2 to load>"
    assert str(planned).splitlines() == [
        "plan of 2 runs: 8 to compute, 2 to load",
        "  raw       1 to compute, 1 to load",
        "  features  1 to compute, 1 to load",
        "  trained   4 to compute",
        "  score     2 to compute",
    ]
    assert repr(make([])) == "<plan of 0 runs: nothing to do>"
