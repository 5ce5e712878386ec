"""Datasets: data with a name, a schema and an identity.

>>> from gosset.datasets import load_iris
>>> load_iris().load()
<data: 150 rows, 4 features, target 'target'>
"""

from .accepting import (
    as_source,
    from_function,
    from_sklearn,
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_linnerud,
    load_wine,
)
from .content import from_entity, to_entity
from .data import Data
from .describe import ColumnSummary, Description
from .sources import DatasetSource, from_arrays, from_csv, from_frame, from_parquet, from_xy

__all__ = [
    "ColumnSummary",
    "Data",
    "DatasetSource",
    "Description",
    "as_source",
    "from_arrays",
    "from_csv",
    "from_entity",
    "from_frame",
    "from_function",
    "from_parquet",
    "from_sklearn",
    "from_xy",
    "load_breast_cancer",
    "load_diabetes",
    "load_digits",
    "load_iris",
    "load_linnerud",
    "load_wine",
    "to_entity",
]
