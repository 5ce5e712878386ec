"""The checked graph of stages."""

import pytest

from gosset.exceptions import ParameterError, PipelineError
from gosset.pipeline import Scope, build
from gosset.stages import stage, view


@stage
def raw(text):
    return text.split()


@stage
def counted(raw, per: int = 1):
    return len(raw) / per


@stage
def trained(counted, fold, lr: float = 0.1):
    return counted * lr


@stage(over="folds")
def spread(trained):
    return max(trained.values()) - min(trained.values())


@stage(over="runs")
def table(spread):
    return spread


@stage
def page(table):
    return str(table)


SOURCES = {"text": Scope.CONSTANT, "fold": Scope.FOLD, "seed": Scope.RUN}
ALL = [page, table, spread, trained, counted, raw]


def test_stages_come_after_what_they_need_whatever_the_order_given():
    order = list(build(ALL, SOURCES).stages)
    assert order == ["raw", "counted", "trained", "spread", "table", "page"]
    assert order == list(build(ALL[::-1], SOURCES).stages)


def test_scope_follows_the_inputs_and_aggregates_narrow_it():
    scopes = build(ALL, SOURCES).scopes
    assert {name: scope.name for name, scope in scopes.items()} == {
        "raw": "RUN",
        "counted": "RUN",
        "trained": "FOLD",
        "spread": "RUN",
        "table": "LAUNCH",
        "page": "LAUNCH",
    }


def test_leaves_are_what_no_other_stage_takes():
    assert build([raw, counted], SOURCES).leaves() == ["counted"]
    assert build(ALL, SOURCES).leaves() == ["page"]


def test_a_missing_input_is_named_with_a_suggestion():
    @stage
    def uses(raww):
        return raww

    with pytest.raises(PipelineError, match=r"'uses' needs 'raww'.*did you mean 'raw'"):
        build([raw, uses], SOURCES)


def test_a_look_at_what_nothing_gives_is_named():
    look = view(lambda results: results, name="truth")
    with pytest.raises(PipelineError, match="stage 'truth' needs 'results', which no stage"):
        build([raw, look], SOURCES)


def test_a_cycle_is_named():
    @stage
    def first(second):
        return second

    @stage
    def second(first):
        return first

    with pytest.raises(PipelineError, match=r"first → second → first|second → first → second"):
        build([first, second], {})


def test_two_stages_of_one_name_and_two_outputs_of_one_name_are_refused():
    other = stage(name="raw")(lambda text: text)
    with pytest.raises(PipelineError, match="two stages are named 'raw'"):
        build([raw, other], SOURCES)
    clash = stage(name="clash", outputs="counted")(lambda text: text)
    with pytest.raises(PipelineError, match="both give 'counted'"):
        build([raw, counted, clash], SOURCES)


def test_a_default_gives_way_to_a_stage_that_gives_the_value():
    @stage
    def per(text):
        return 2

    assert build([raw, counted], SOURCES).stages["counted"].parameters == {"per": 1}
    joined = build([raw, counted, per], SOURCES).stages["counted"]
    assert joined.parameters == {}
    assert joined.inputs["per"] == "per"


def test_the_seed_is_the_runs_seed_even_with_a_default():
    @stage
    def draws(seed: int = 7):
        return seed

    assert build([draws], SOURCES).stages["draws"].inputs == {"seed": "seed"}


def test_an_argument_without_default_can_be_given_as_a_parameter():
    @stage
    def scaled(raw, factor):
        return factor

    with pytest.raises(PipelineError, match="needs 'factor'"):
        build([raw, scaled], SOURCES)
    pipeline = build([raw, scaled], SOURCES, given=["factor"])
    assert pipeline.assign({"factor": 3})["scaled"] == {"factor": 3}
    with pytest.raises(ParameterError, match="needs the parameter 'factor'"):
        pipeline.assign({})


def test_parameters_reach_stages_by_plain_and_dotted_names():
    @stage
    def tested(trained, lr: float = 0.5):
        return lr

    pipeline = build([raw, counted, trained, tested], SOURCES)
    both = pipeline.assign({"lr": 1.0})
    assert both["trained"]["lr"] == both["tested"]["lr"] == 1.0
    one = pipeline.assign({"lr": 1.0, "tested.lr": 2.0})
    assert (one["trained"]["lr"], one["tested"]["lr"]) == (1.0, 2.0)
    with pytest.raises(ParameterError, match=r"'trained.lrr'; did you mean 'trained.lr'"):
        pipeline.assign({"trained.lrr": 1})


def test_an_aggregate_needs_something_to_collect():
    @stage(over="folds")
    def nothing(raw):
        return raw

    with pytest.raises(PipelineError, match="over folds, but none of its inputs depends"):
        build([raw, nothing], SOURCES)

    @stage(over="runs")
    def constant(text):
        return text

    with pytest.raises(PipelineError, match="over runs, but none of its inputs depends"):
        build([constant], SOURCES)


def test_signatures_that_name_nothing_are_refused():
    with pytest.raises(PipelineError, match="name every argument"):
        stage(lambda *values: values)
    with pytest.raises(PipelineError, match="over 'fold'"):
        stage(over="fold")(lambda x: x)
    with pytest.raises(PipelineError, match="names an output twice"):
        stage(outputs=("a", "a"))(lambda x: x)
    with pytest.raises(PipelineError, match="format for 'b'"):
        stage(outputs="a", formats={"b": "json"})(lambda x: x)


def test_a_stage_can_still_be_called():
    assert counted(["a", "b"], per=2) == 1.0
    assert counted.__wrapped__ is counted.function
