"""What a launch tells: code that the cache cannot see, and seeds that change nothing."""

import numpy as np
import pytest
from projects import Heard
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier

import gosset as gs
from gosset.queries.history import explain_stage

LAB = """\
import gosset as gs
import ways


@gs.stage({options})
def total(n: int = 1):
    return ways.{way}(n)


@gs.stage
def plain():
    return 1


experiment = gs.Experiment("e", stages=[total, plain])
"""

WAYS = """\
import importlib
import json
import sys
from importlib import import_module


def double(n):
    return 2 * n


def imported(n):
    return importlib.import_module("ways").double(n)


def by_name(n):
    return import_module("ways").double(n)


def looked_up(n):
    return globals()["double"](n)


def evaluated(n):
    return eval("double(n)")


def loaded(n):
    return sys.modules["ways"].double(n)


def plain(n):
    return json.loads(json.dumps(double(n)))
"""

UNSEEN = {
    "imported": "importlib.import_module",
    "by_name": "importlib.import_module",
    "looked_up": "globals",
    "evaluated": "eval",
    "loaded": "sys.modules",
}


@pytest.mark.parametrize("way", UNSEEN)
def test_code_that_no_cache_key_sees_is_told_at_every_launch_and_when_explained(folder, way):
    folder.write("ways.py", WAYS)
    folder.write("lab.py", LAB.format(way=way, options=""))
    for _ in range(2):
        (warning,) = folder.carry_out()["warnings"]
        assert f"ways.{way} reaches code by {UNSEEN[way]}, which no cache key sees" in warning
        assert "@gs.stage(depends=[" in warning
    with folder.store() as store:
        for number in (1, 2):
            ((_, told),) = explain_stage(store, store.run(f"e#{number}"), "total")
            assert told.words.endswith(
                f"; what ways.{way} reaches by {UNSEEN[way]} does not count, as nothing can see it"
            )
        ((_, told),) = explain_stage(store, store.run("e#1"), "plain")
        assert told.words == "computed: first time"


@pytest.mark.parametrize(
    ("way", "options"),
    [("plain", ""), ("evaluated", "depends=[ways.double]"), ("evaluated", 'version="1"')],
)
def test_what_is_seen_declared_or_has_a_version_is_not_told(folder, way, options):
    folder.write("ways.py", WAYS)
    folder.write("lab.py", LAB.format(way=way, options=options))
    assert folder.carry_out()["warnings"] == []
    with folder.store() as store:
        ((_, told),) = explain_stage(store, store.run("e#1"), "total")
        assert told.words == "computed: first time"


def warnings(store, estimator, **options):
    heard = Heard()
    data = (np.arange(40.0).reshape(20, 2), np.arange(20) % 2)
    experiment = gs.Experiment("e", estimator=estimator, dataset=data, metrics=["accuracy"])
    result = experiment.execute(executor="inline", store=store, progress=heard, **options)
    result.raise_for_status()
    return heard.warnings


def evaluated(X):
    return eval("X")


def test_code_in_the_value_of_a_parameter_is_told_of_too(store):
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    made = make_pipeline(FunctionTransformer(), DummyClassifier())
    (told,) = warnings(store, made, parameters={"functiontransformer.func": [np.abs, evaluated]})
    assert "evaluated reaches code by eval" in told


def test_seeds_that_change_nothing_are_told_once(store):
    fixed = RandomForestClassifier(2, random_state=0)
    (told,) = warnings(store, fixed, seeds=[0, 1, 2], parameters={"max_depth": [1, 2]})
    assert told.startswith("runs of seeds 0, 1, 2 came out alike in everything")
    # Also where all of it is in the cache.
    assert len(warnings(store, fixed, seeds=[0, 1])) == 1


def test_seeds_that_are_used_are_not_told(store):
    assert warnings(store, RandomForestClassifier(2), seeds=[0, 1]) == []
    assert warnings(store, RandomForestClassifier(2, random_state=0), seeds=[3]) == []
