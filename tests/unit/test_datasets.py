"""Datasets: whatever is declared becomes checked data with a schema."""

from __future__ import annotations

import csv
import json
import runpy

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn.datasets

import gosset.datasets as gd
from gosset.datasets import Data, as_source, from_arrays, from_csv, from_frame, from_function
from gosset.exceptions import DatasetError


def flowers(**changes):
    return pd.DataFrame(
        {
            "length": [5.1, 4.9, 7.0, 6.4],
            "species": ["setosa", "setosa", "versicolor", "virginica"],
            "width": [3.5, None, 3.2, 3.2],
            "plot": [1, 2, 1, 2],
            **changes,
        }
    )


def frame(target="species", groups="plot", data=None, **options):
    return from_frame(
        flowers() if data is None else data, name="flowers", target=target, groups=groups, **options
    ).load()


# -- frames


def test_a_target_in_the_middle_of_a_frame():
    data = frame()
    assert isinstance(data.X, pd.DataFrame)
    assert list(data.X) == ["length", "width"]
    assert data.y.tolist() == ["setosa", "setosa", "versicolor", "virginica"]
    assert data.groups.tolist() == [1, 2, 1, 2]
    assert data.labels == ("setosa", "versicolor", "virginica")
    assert data.targets == ("species",)
    assert data.rows == 4
    assert [(c.name, c.role) for c in data.columns] == [
        ("length", "feature"), ("species", "target"), ("width", "feature"), ("plot", "group")
    ]  # fmt: skip


def test_the_features_of_a_frame_are_not_copied():
    table = flowers()
    data = frame(data=table)
    assert np.shares_memory(data.X["length"].to_numpy(), table["length"].to_numpy())
    assert data.frame is table
    assert data.X is data.X


def test_several_targets_are_two_dimensional():
    data = frame(target=["width", "length"], data=flowers(width=[1, 2, 3, 4]))
    assert data.targets == ("length", "width")
    assert data.y.tolist() == [[5.1, 1.0], [4.9, 2.0], [7.0, 3.0], [6.4, 4.0]]
    assert data.labels == ()


def test_targets_of_text_and_number_keep_their_types():
    assert frame(target=["species", "length"]).y[0].tolist() == [5.1, "setosa"]


@pytest.mark.parametrize(
    ("column", "values", "labels"),
    [
        (["b", "a", "b", "c"], ["b", "a", "b", "c"], ("a", "b", "c")),
        (pd.Categorical(["b", "a", "b", "c"], ["c", "b", "a", "z"]), list("babc"), ("c", "b", "a", "z")),
        (pd.Categorical([3, 1, 3, 2]), [3, 1, 3, 2], ()),
        (pd.array([1, 0, 1, 2], dtype="Int64"), [1, 0, 1, 2], ()),
        (pd.array([True, False, True, True], dtype="boolean"), [True, False, True, True], ("False", "True")),
        (pd.array(list("babc"), dtype="string"), list("babc"), ("a", "b", "c")),
        (pd.array(list("babc"), dtype="string[pyarrow]"), list("babc"), ("a", "b", "c")),
        (pd.array([1, 0, 1, 2], dtype="int64[pyarrow]"), [1, 0, 1, 2], ()),
        (np.array(["b", "a", "b", "c"], dtype=object), list("babc"), ("a", "b", "c")),
        ([True, False, True, True], [True, False, True, True], ("False", "True")),
        ([0.5, 1.5, 2.5, 3.5], [0.5, 1.5, 2.5, 3.5], ()),
    ],
)  # fmt: skip
def test_target_values_are_plain_arrays_with_their_labels(column, values, labels):
    data = frame(data=flowers(species=column))
    assert data.y.tolist() == values
    assert data.y.dtype != object
    assert data.labels == labels


def test_codes_may_have_labels():
    data = frame(data=flowers(species=[0, 2, 1, 1]), labels=["x", "y", "z"])
    assert data.y.tolist() == [0, 2, 1, 1]
    assert data.labels == ("x", "y", "z")
    assert data.columns[1].labels == ("x", "y", "z")


def test_units_are_kept_with_the_columns():
    data = frame(units={"length": "cm"})
    assert [c.unit for c in data.columns] == ["cm", "", "", ""]


def test_rows_are_positions_and_the_index_stays():
    data = frame(data=flowers().set_index(pd.Index([7, 7, "a", None])))
    assert data.frame.index.tolist()[:3] == [7, 7, "a"]
    assert data.X.index.equals(data.frame.index)
    assert data.y[2] == "versicolor"


def test_integer_column_names_become_text():
    data = from_frame(pd.DataFrame(np.eye(3)), name="eye", target="2").load()
    assert list(data.X) == ["0", "1"]
    assert data.y.tolist() == [0, 0, 1]


@pytest.mark.parametrize("target", [2, np.int64(2), [2], "2"])
def test_a_column_that_is_numbered_goes_by_its_number(target):
    numbered = pd.DataFrame(np.arange(12.0).reshape(3, 4))
    data = from_frame(numbered, name="d", target=target, groups=3, units={0: "cm"}).load()
    assert data.targets == ("2",)
    assert data.y.tolist() == [2.0, 6.0, 10.0]
    assert data.groups.tolist() == [3.0, 7.0, 11.0]
    assert data.columns[0].unit == "cm"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": 1.5}, "target=1.5; give a name"),
        ({"target": True}, "target=True; give a name"),
        ({"labels": 3}, "labels=3; give a name"),
        ({"units": ["cm"]}, "units=list; give a mapping"),
    ],
)
def test_what_cannot_name_columns_is_refused_at_once(options, message):
    with pytest.raises(DatasetError, match=message):
        from_frame(flowers(), name="d", **options)


def test_a_column_number_that_is_not_there_is_named():
    with pytest.raises(DatasetError, match="target: no column '9'"):
        from_frame(pd.DataFrame(np.eye(3)), name="d", target=9).load()


def test_a_polars_frame_is_a_frame():
    import polars as pl

    data = as_source(pl.DataFrame({"a": [1, 2], "b": ["x", "y"]})).load()
    assert list(data.X) == ["a", "b"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "specis"}, "target: no column 'specis'; did you mean 'species'?"),
        ({"groups": "plots"}, "groups: no column 'plots'; did you mean 'plot'?"),
        ({"groups": "species"}, "column 'species' is both target and groups"),
        ({"units": {"lenght": "cm"}}, "units: no column 'lenght'; did you mean 'length'?"),
        ({"labels": ["a"]}, "target 'species' has labels, but holds <U10 and not codes"),
        ({"target": "plot", "groups": None, "labels": ["a", "b"]}, "target 'plot' has the code 2 in row 1, but 2 labels"),
        ({"target": None, "labels": ["a", "b"]}, "labels for a dataset without a target"),
        ({"target": ["length", "plot"], "groups": None, "labels": ["a"]}, "labels for several targets"),
        ({"target": "width"}, "target 'width' has 1 missing value, the first in row 1; drop these rows"),
        ({"groups": "width"}, "group 'width' has 1 missing value, the first in row 1"),
        ({"target": ["length", "species", "width", "plot"], "groups": None, "data": flowers(width=1)}, "the dataset has no features"),
        ({"data": flowers().iloc[:0]}, "the dataset is empty: it has no rows"),
        ({"data": flowers(species=[None, "a", None, np.nan])}, "target 'species' has 3 missing values, the first in row 0"),
        ({"data": flowers(species=pd.array([1, None, 2, 3], dtype="Int64"))}, "target 'species' has 1 missing value, the first in row 1"),
        ({"data": flowers(species=[["a"], ["b"], [], []])}, "target 'species' holds list in row 0"),
        ({"data": flowers(species=["a", "b", 3, "c"])}, "target 'species' holds int in row 2"),
        ({"data": flowers().rename(columns={"width": "length"})}, "column 'length' is there twice; rename one"),
        ({"data": flowers().rename(columns={"width": 1, "length": "1"})}, "column '1' is there twice; rename one"),
        ({"data": flowers().T.set_index([["a"] * 4, list("abcd")]).T}, "the column names have 2 levels"),
    ],
)  # fmt: skip
def test_wrong_frames_are_named_in_one_line(options, message):
    with pytest.raises(DatasetError) as caught:
        frame(**options)
    assert str(caught.value).startswith(f"dataset 'flowers' (a DataFrame): {message}")
    assert "\n" not in str(caught.value)


# -- arrays


def test_arrays_come_out_as_they_went_in():
    X, y = np.arange(6.0).reshape(3, 2), np.array([2, 0, 1])
    data = from_arrays(X, y, name="a", groups=[5, 5, 6]).load()
    assert data.X is X
    assert data.y is y
    assert data.groups.tolist() == [5, 5, 6]
    assert [c.name for c in data.columns] == ["x0", "x1", "target", "groups"]
    assert [c.dtype for c in data.columns] == ["float64", "float64", "int64", "int64"]
    assert data.frame.columns.tolist() == ["x0", "x1", "target", "groups"]
    assert data.frame["target"].tolist() == [2, 0, 1]


def test_names_of_an_array_may_include_the_target():
    table = np.array([[1.0, 0.0, 9.0], [2.0, 1.0, 8.0]])
    data = from_arrays(table, name="a", columns=["a", "class", "c"], target="class").load()
    assert data.X.tolist() == [[1.0, 9.0], [2.0, 8.0]]
    assert data.y.tolist() == [0.0, 1.0]
    assert [c.name for c in data.columns] == ["a", "c", "class"]


def test_a_column_is_found_by_its_whole_name_only():
    with pytest.raises(DatasetError, match="no column 'class'"):
        from_arrays(np.eye(2), name="a", columns=["c", "lass"], target="class").load()


def test_text_and_numbers_in_one_array_part_ways():
    table = np.array([[1.5, "b"], [2, "a"]], dtype=object)
    data = from_arrays(table[:, :1], table[:, 1], name="a").load()
    assert data.X.dtype == np.float64
    assert data.y.tolist() == ["b", "a"]
    assert data.y.dtype.kind == "U"
    assert data.labels == ("a", "b")


def test_images_are_one_column():
    data = from_arrays(np.zeros((4, 8, 8), dtype=np.uint8), [0, 1, 0, 1], name="images").load()
    assert [(c.name, c.dtype) for c in data.columns] == [("X", "uint8[8, 8]"), ("target", "int64")]
    assert data.X.shape == (4, 8, 8)
    with pytest.raises(DatasetError, match="an array with 3 dimensions"):
        data.frame  # noqa: B018


def test_a_series_of_numbers_is_one_feature():
    data = from_arrays(np.arange(4), name="line").load()
    assert data.X.shape == (4,)
    assert [c.name for c in data.columns] == ["x0"]
    assert data.frame["x0"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csr_array, sp.coo_array, sp.csc_matrix])
def test_sparse_features_stay_sparse(kind):
    X = kind(np.eye(3))
    data = from_arrays(X, [0, 1, 0], name="words").load()
    assert sp.issparse(data.X)
    assert isinstance(data.X, sp.sparray) == isinstance(X, sp.sparray)
    assert data.X[[2, 0]].toarray().tolist() == [[0, 0, 1], [1, 0, 0]]
    assert data.columns[0].dtype == "float64[3]"
    with pytest.raises(DatasetError, match="the features are sparse"):
        data.frame  # noqa: B018


def test_named_sparse_features_have_a_column_each():
    data = from_arrays(sp.csr_array(np.eye(2)), name="w", columns=["cat", "dog"]).load()
    assert [c.name for c in data.columns] == ["cat", "dog"]


def test_a_wide_array_is_one_column_unless_named():
    assert len(from_arrays(np.zeros((1, 5000)), name="w").load().columns) == 1
    names = [f"gene{i}" for i in range(5000)]
    assert len(from_arrays(np.zeros((1, 5000)), name="w", columns=names).load().columns) == 5000


def test_documents_are_text_of_any_length():
    data = from_arrays(["short", "x" * 10_000], ["a", "b"], name="docs").load()
    assert data.X.dtype == object
    assert data.X[1] == "x" * 10_000
    assert data.X.nbytes < 1000


def test_a_frame_with_a_separate_target_stays_a_frame():
    X, y = sklearn.datasets.load_wine(return_X_y=True, as_frame=True)
    data = as_source((X, y)).load()
    assert isinstance(data.X, pd.DataFrame)
    assert isinstance(data.y, np.ndarray)
    assert data.targets == ("target",)
    assert data.frame.shape == (178, 14)


def test_a_column_vector_is_a_single_target():
    assert from_arrays(np.eye(2), [[3], [4]], name="a").load().y.tolist() == [3, 4]


def test_several_targets_of_an_array_are_numbered_or_named():
    y = np.arange(4.0).reshape(2, 2)
    assert from_arrays(np.eye(2), y, name="a").load().targets == ("target0", "target1")
    assert from_arrays(np.eye(2), y, name="a", target=["u", "v"]).load().targets == ("u", "v")


def test_a_categorical_target_beside_arrays_keeps_its_labels():
    y = pd.Series(pd.Categorical(["lo", "hi"], ["lo", "mid", "hi"]), name="level")
    data = from_arrays(np.eye(2), y, name="a").load()
    assert data.y.tolist() == ["lo", "hi"]
    assert data.targets == ("level",)
    assert data.labels == ("lo", "mid", "hi")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: (np.eye(3), [1, 2]), "2 y for 3 rows of X"),
        (lambda: (np.eye(3), [1, 2, 3], [1]), "1 groups for 3 rows of X"),
        (lambda: (np.eye(2), [0.5, np.nan]), "target 'target' has 1 missing value, the first in row 1"),
        (lambda: (np.eye(2), ["a", None]), "target 'target' has 1 missing value, the first in row 1"),
        (lambda: (np.eye(2), np.array(["2020-01-01", "NaT"], "M8[D]")), "target 'target' has 1 missing"),
        (lambda: (np.eye(2), ["a", 1.5]), "target 'target' holds"),
        (lambda: (np.empty((0, 2)), []), "the dataset is empty: it has no rows"),
        (lambda: (np.empty((2, 0)), [1, 2]), "the dataset has no features"),
        (lambda: ([[1, 2], [3]], [1, 2]), "X is a list whose rows have different lengths"),
        (lambda: (np.array([["a", 1]], dtype=object), [1]), "X mixes texts, numbers"),
        (lambda: (np.float64(3), [1]), "X is a float64"),
        (lambda: (np.zeros(2, dtype=[("a", int)]), [1, 2]), "X is a structured array"),
        (lambda: (np.ma.masked_array([[1.0]], [[True]]), [1]), "X is a masked array"),
        (lambda: (np.eye(2), np.zeros((2, 2, 2))), "the target has the shape (2, 2, 2)"),
        (lambda: (np.eye(2), [1, 2], [1, 2], [1, 2]), "a tuple of 4 is no dataset"),
    ],
)  # fmt: skip
def test_wrong_arrays_are_named_in_one_line(make, message):
    with pytest.raises(DatasetError) as caught:
        as_source(make()).load()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": ["a"]}, "1 column names for 2 features"),
        ({"columns": ["a", "a"]}, "column 'a' is there twice"),
        ({"columns": ["a", "target"], "y": [1, 2]}, "column 'target' is there twice"),
        ({"target": "b"}, "target 'b', but y is missing; give y, or name all columns"),
        ({"target": ["a", "b"], "y": [1, 2]}, "2 names for 1 target columns"),
        ({"labels": ["a"], "y": [0, 1]}, "target 'target' has the code 1 in row 1, but 1 labels"),
        ({"units": {"x9": "cm"}}, "units: no column 'x9'"),
    ],
)
def test_wrong_declarations_of_arrays_are_named(options, message):
    with pytest.raises(DatasetError, match="dataset 'a'") as caught:
        from_arrays(np.eye(2), name="a", **options).load()
    assert message in str(caught.value)


# -- scikit-learn


@pytest.mark.parametrize(
    ("source", "shape", "targets", "labels"),
    [
        (gd.load_iris(), (150, 4), ("target",), ("setosa", "versicolor", "virginica")),
        (gd.load_breast_cancer(), (569, 30), ("target",), ("malignant", "benign")),
        (gd.load_diabetes(), (442, 10), ("target",), ()),
        (gd.load_digits(), (1797, 64), ("target",), tuple("0123456789")),
        (gd.load_wine(), (178, 13), ("target",), ("class_0", "class_1", "class_2")),
        (gd.load_linnerud(), (20, 3), ("Weight", "Waist", "Pulse"), ()),
    ],
    ids=lambda s: getattr(s, "name", None),
)
def test_bundled_data_sets_have_names_and_labels(source, shape, targets, labels):
    data = source.load()
    bunch = getattr(sklearn.datasets, f"load_{source.name}")()
    assert data.X.shape == shape
    assert np.array_equal(data.X, bunch.data)
    assert np.array_equal(data.y, bunch.target)
    assert (data.targets, data.labels) == (targets, labels)
    assert [c.name for c in data.columns if c.role == "feature"] == list(bunch.feature_names)
    assert source.description


def test_iris_is_measured_in_centimetres():
    assert [c.unit for c in gd.load_iris().load().columns] == ["cm"] * 4 + [""]


def test_data_sets_of_scikit_learn_go_by_name_function_or_result():
    options = ["iris", "load_iris", sklearn.datasets.load_iris, sklearn.datasets.load_iris()]
    digests = {as_source(option).load().digest for option in options}
    assert len(digests) == 1
    assert set(gd.from_sklearn("digits", n_class=3).load().y.tolist()) == {0, 1, 2}
    with pytest.raises(DatasetError, match="did you mean 'load_iris'"):
        as_source("iriss")


def test_a_bunch_with_a_frame_is_a_frame():
    bunch = sklearn.datasets.load_iris(as_frame=True)
    data = as_source(bunch).load()
    assert isinstance(data.X, pd.DataFrame)
    assert data.labels == ("setosa", "versicolor", "virginica")
    assert data.y.tolist() == bunch.target.tolist()


# -- files


def write(path, text):
    path.write_bytes(text.encode())
    return path


def test_a_csv_keeps_text_targets_anywhere(tmp_path):
    path = write(tmp_path / "flowers.csv", "a,species,b\n1,setosa,2.5\n3,virginica,\n")
    source = from_csv(path, target="species", units={"a": "cm"})
    data = source.load()
    assert source.name == "flowers"
    assert source.source == str(path)
    assert data.y.tolist() == ["setosa", "virginica"]
    assert data.labels == ("setosa", "virginica")
    assert data.columns[0].unit == "cm"
    assert data.X["a"].tolist() == [1, 3]
    assert np.isnan(data.X["b"].to_numpy()[1])


def test_numbers_of_a_csv_are_read_exactly(tmp_path):
    values = np.random.default_rng(0).normal(size=500) * 10.0 ** np.arange(-250, 250)
    path = tmp_path / "exact.csv"
    path.write_text("v\n" + "\n".join(map(repr, values.tolist())) + "\n")
    assert from_csv(path).load().frame["v"].tolist() == values.tolist()


def test_options_of_pandas_are_passed_on(tmp_path):
    path = write(tmp_path / "data.txt", "# made by hand\na;b\n1,5;x\n")
    data = from_csv(path, name="d", sep=";", decimal=",", comment="#", target="b").load()
    assert data.X["a"].tolist() == [1.5]


@pytest.mark.parametrize("name", ["t.tsv", "t.csv.gz", "t.parquet"])
def test_files_are_told_apart_by_their_endings(tmp_path, name):
    path, table = tmp_path / name, pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    if name.endswith("parquet"):
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, sep="\t" if "tsv" in name else ",")
    source = as_source(path)
    assert source.name == "t"
    assert source.load().frame.equals(table)
    assert from_function(lambda: str(path), name="t", target="b").load().y.tolist() == ["x", "y"]


def test_a_parquet_file_is_declared_like_a_csv(tmp_path):
    flowers().to_parquet(tmp_path / "f.parquet")
    data = gd.from_parquet(tmp_path / "f.parquet", target="species", groups="plot").load()
    assert data.digest == frame().digest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3\n", "line 3: 1 field, but the header has 2; complete the row"),
        ("a,b\n1,2\n3,4,5\n", "line 3: 3 fields, but the header has 2"),
        ("a,b\n1,2,3\n4,5,6\n", "line 2: 3 fields, but the header has 2"),
        ("a,b\n0,2,3\n1,5,6\n", "line 2: 3 fields, but the header has 2"),
        ('a,b\n"1\n1",2\n\n3\n', "line 5: 1 field, but the header has 2"),
        ("a,b,a\n1,2,3\n", "line 1: column 'a' is there twice"),
        ("a,b\n", "the dataset is empty: it has no rows"),
        ("", "is empty; it needs a header and rows"),
        ("a,c\n1,2\n", "target: no column 'b'"),
        ("a,b\n1,x\n2,\n3,\n", "target 'b' has 2 missing values, the first in row 1"),
    ],
)
def test_wrong_csv_files_are_named_with_their_lines(tmp_path, text, message):
    path = write(tmp_path / "bad.csv", text)
    with pytest.raises(DatasetError) as caught:
        from_csv(path, target="b").load()
    assert str(path) in str(caught.value)
    assert "'bad'" in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_values_at_the_end_of_complete_rows_are_no_ragged_rows(tmp_path):
    path = write(tmp_path / "gaps.csv", 'a,b\n1,\n"2, and a half",\n')
    assert from_csv(path).load().frame["b"].isna().all()


def test_a_csv_in_another_encoding_says_how_to_read_it(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes("a,b\n1,Grün\n".encode("latin-1"))
    with pytest.raises(DatasetError, match=r"latin\.csv.*not utf-8 text; .*encoding='latin-1'"):
        from_csv(path).load()
    assert from_csv(path, encoding="latin-1", target="b").load().y.tolist() == ["Grün"]


@pytest.mark.parametrize("name", ["none.csv", "none.parquet"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(DatasetError, match=r"no file .*none\..*; looked in "):
        as_source(tmp_path / name).load()


def test_a_misspelled_option_of_a_file_is_named(tmp_path):
    flowers().to_csv(tmp_path / "f.csv")
    with pytest.raises(DatasetError, match="no option 'delimitr'; did you mean 'delimiter'"):
        from_csv(tmp_path / "f.csv", delimitr=";").load()
    with pytest.raises(DatasetError, match="no option 'targt'; did you mean 'target'"):
        from_csv(tmp_path / "f.csv", targt="species").load()
    flowers().to_parquet(tmp_path / "f.parquet")
    with pytest.raises(DatasetError, match="no option 'colums'; did you mean 'columns'"):
        gd.from_parquet(tmp_path / "f.parquet", colums=["length"]).load()


def declared_in(folder, text):
    """Run a script in `folder` that declares `source`, and return it."""
    script = folder / "script.py"
    script.write_text(f"from gosset.datasets import *\nsource = {text}\n")
    return runpy.run_path(str(script))["source"]


@pytest.mark.parametrize("text", ["from_csv('data.csv')", "as_source('data.csv')"])
def test_a_missing_file_is_told_to_lie_beside_the_script(tmp_path, monkeypatch, text):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    source = declared_in(tmp_path, text)
    with pytest.raises(DatasetError, match=f"in {tmp_path}/here, and there is none beside script"):
        source.load()
    (tmp_path / "data.csv").write_text("x\n1\n")
    with pytest.raises(
        DatasetError, match=r"here; beside script.py there is one: Path\(__file__\)"
    ):
        source.load()


def test_what_is_not_parquet_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="cannot be read as Parquet") as caught:
        as_source(write(tmp_path / "x.parquet", "a,b\n")).load()
    assert "\n" not in str(caught.value)


def test_every_ragged_line_is_found_like_the_csv_module_does(tmp_path):
    path = tmp_path / "long.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "c"])
        writer.writerows([[i, i, f"text, {i}"] for i in range(5000)])
        writer.writerow([1, 2])
    with pytest.raises(DatasetError, match="line 5002: 2 fields"):
        from_csv(path).load()


# -- functions and everything else


def test_a_function_is_called_when_the_data_are_asked_for():
    calls = []

    def measured():
        """Measured by hand.

        Twice.
        """
        calls.append(1)
        return flowers()

    source = from_function(measured, target="species", groups="plot")
    assert (source.name, source.description, calls) == ("measured", "Measured by hand.", [])
    assert source.load().digest == frame().digest
    assert calls == [1]


@pytest.mark.parametrize(
    "result",
    [
        (np.eye(2), ["a", "b"]),
        (np.eye(2), ["a", "b"], [0, 1]),
        [np.eye(2)[0], np.eye(2)[1]],
        np.eye(2),
        sp.csr_array(np.eye(2)),
        from_arrays(np.eye(2), name="inner"),
        from_arrays(np.eye(2), name="inner").load(),
        "iris",
    ],
    ids=lambda r: type(r).__name__,
)
def test_a_function_may_return_any_dataset(result):
    assert isinstance(as_source(lambda: result, name="d").load(), Data)


def test_names_of_targets_and_groups_of_a_tuple():
    source = from_function(
        lambda: (np.eye(2), [0, 1], [5, 6]), name="d", target="kind", groups="plot", labels="ab"
    )
    data = source.load()
    assert [(c.name, c.role) for c in data.columns[2:]] == [("kind", "target"), ("plot", "group")]
    assert data.labels == ("a", "b")


@pytest.mark.parametrize(
    ("result", "options", "message"),
    [
        (None, {}, "a NoneType is no dataset; give a DataFrame"),
        (3, {}, "a int is no dataset"),
        ({"a": [1]}, {}, "a dict is no dataset"),
        ("notes.txt", {}, "scikit-learn has no data set 'notes.txt'"),
        (frame(), {"target": "species"}, "a Data says itself what its targets are"),
        ((np.eye(2), [1, 2]), {"groups": "g"}, "groups 'g', but only X and y"),
    ],
    ids=lambda r: str(r)[:20],
)
def test_functions_that_return_something_else_are_named(result, options, message):
    with pytest.raises(DatasetError, match="dataset 'odd'") as caught:
        from_function(lambda: result, name="odd", **options).load()
    assert message in str(caught.value)


def test_a_function_with_arguments_is_no_dataset():
    def f(path):
        return path

    with pytest.raises(DatasetError, match="dataset function 'f' has the argument 'path'"):
        from_function(f)


@pytest.mark.parametrize("value", [None, 3, object(), {"a": 1}, "no such", b"x"])
def test_what_is_no_dataset_is_refused_at_once(value):
    with pytest.raises(DatasetError):
        as_source(value)


def test_a_source_may_be_renamed_but_not_be_nameless():
    assert as_source(gd.load_iris(), name="flowers").name == "flowers"
    assert as_source((np.eye(2), [0, 1])).name == "data"
    with pytest.raises(DatasetError, match="no name"):
        from_frame(flowers(), name="")


def test_an_error_of_the_users_own_function_names_its_line():
    def broken():
        raise KeyError("mine")

    with pytest.raises(
        DatasetError, match=r"raises KeyError: 'mine'; see .*test_datasets"
    ) as caught:
        from_function(broken).load()
    assert "\n" not in str(caught.value)
    cause = caught.value.__cause__
    assert cause is not None
    assert isinstance(cause.__cause__, KeyError)


# -- graphs


def graph():
    g = nx.Graph()
    g.add_node("c", colour="red")
    g.add_edge("a", "b", weight=1.5, kind="x")
    g.add_edge("b", "d", weight=2.5, kind="y")
    return g


def test_a_graph_is_a_row_for_each_edge():
    data = from_function(graph, target="kind").load()
    assert list(data.X) == ["source", "target", "weight"]
    assert data.y.tolist() == ["x", "y"]
    described = data.describe()
    assert (described.rows, described.nodes, described.edges) == (2, 4, 2)
    assert data.content["nodes"]["node"].tolist() == ["c", "a", "b", "d"]


def test_a_node_without_edges_is_part_of_the_content():
    g = graph()
    g.add_node("e")
    assert as_source(g).load().digest != as_source(graph()).load().digest


def test_nodes_of_any_kind_have_a_name():
    data = as_source(nx.grid_2d_graph(2, 2)).load()
    assert data.X["source"].tolist()[0] == "(0, 0)"
    assert as_source(nx.path_graph(3)).load().X["source"].tolist() == [0, 1]


def test_wrong_graphs_are_named():
    with pytest.raises(DatasetError, match="the graph has no edges"):
        as_source(nx.empty_graph(3)).load()
    g = nx.Graph()
    g.add_edge(1, 2, source="x")
    with pytest.raises(DatasetError, match="attribute 'source', which is the name of a column"):
        as_source(g).load()


# -- descriptions


def test_a_description_has_statistics_and_classes():
    described = {c.name: c for c in frame(units={"length": "cm"}).describe().columns}
    length, width, species = described["length"], described["width"], described["species"]
    assert (length.minimum, length.median, length.maximum) == (4.9, 5.75, 7.0)
    assert length.mean == pytest.approx(5.85)
    assert length.std == pytest.approx(np.std([5.1, 4.9, 7.0, 6.4], ddof=1))
    assert (length.unit, length.role, length.distinct) == ("cm", "feature", 4)
    assert (width.missing, width.distinct) == (1, 2)
    assert species.top == (("setosa", 2), ("versicolor", 1), ("virginica", 1))
    assert species.mean is None


@pytest.mark.parametrize(
    "data",
    [
        frame(),
        gd.load_iris().load(),
        gd.load_linnerud().load(),
        as_source(graph).load(),
        from_arrays(np.zeros((4, 8, 8)), [0, 1, 0, 1], name="i").load(),
        from_arrays(sp.random_array((9, 5), rng=0), name="s").load(),
        from_arrays(sp.csr_array(np.eye(2)), name="s", columns=["a", "b"]).load(),
        from_arrays([[np.inf], [np.nan], [1.0]], name="n").load(),
        from_arrays([[1 + 2j], [2]], name="c").load(),
        from_arrays(["a text", "another"], name="t").load(),
        from_arrays([[1.0]], name="one").load(),
        from_frame(
            pd.DataFrame(
                {
                    "lists": [[1], [1], None],
                    "times": pd.to_datetime(["2020-01-01", None, "2021-01-01"]),
                    "flags": [True, False, True],
                    "category": pd.Categorical(["a", "b", "a"]),
                    "nullable": pd.array([1, None, 3], dtype="Int64"),
                    "empty": [np.nan] * 3,
                }
            ),
            name="f",
        ).load(),
    ],
    ids=lambda d: repr(d)[:40],
)  # fmt: skip
def test_every_description_reads_and_is_json(data):
    described = data.describe()
    assert json.loads(json.dumps(described.to_dict(), allow_nan=False))["rows"] == data.rows
    lines = str(described).splitlines()
    assert len(lines) == 2 + len(data.columns)
    assert described._repr_html_().count("<tr>") == 1 + len(data.columns)


def test_sparse_statistics_count_the_zeros():
    (column,) = from_arrays(sp.csr_array([[0, 0], [0, 4.0]]), name="s").load().describe().columns
    assert (column.minimum, column.mean, column.maximum) == (0.0, 1.0, 4.0)


def test_labels_are_what_a_coded_target_is_described_by():
    target = gd.load_iris().load().describe().columns[-1]
    assert target.top == (("setosa", 50), ("versicolor", 50), ("virginica", 50))


def test_html_is_escaped():
    data = from_frame(pd.DataFrame({"<b>": ["<i>"]}), name="h").load()
    assert "<b>" not in data.describe()._repr_html_()
    assert "&lt;i&gt;" in data.describe()._repr_html_()
