"""Charts of Altair and Plotly as the JSON documents that describe them."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any, BinaryIO

from .base import Sink

_MIME = {
    "vega-lite": "application/vnd.vegalite.v5+json",
    "plotly": "application/vnd.plotly.v1+json",
}


@dataclass(frozen=True, slots=True)
class Chart:
    """What describes a chart; notebooks show it.

    Attributes
    ----------
    kind : {"vega-lite", "plotly"}
    document : dict
        JSON, as the library that draws it takes it.
    """

    kind: str
    document: dict[str, Any]

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return {_MIME[self.kind]: self.document, "text/plain": f"<{self.kind} chart>"}


class ChartSerializer:
    """A chart of Altair or a figure of Plotly, which comes back as a :class:`Chart`.

    Its Python objects would tie it to one version of their library; the document does not.

    Parameters
    ----------
    name : {"vega-lite", "plotly"}
    module, kind : str
        Where the library has the class of all its charts.
    """

    extension = ".json"
    safe = True

    def __init__(self, name: str, module: str, kind: str) -> None:
        self.name = name
        self._module = module
        self._kind = kind

    def takes(self, value: object) -> bool:
        """Whether `value` is a chart of this library."""
        if type(value) is Chart:
            return value.kind == self.name
        of_all = getattr(sys.modules.get(self._module), self._kind, None)
        return of_all is not None and isinstance(value, of_all)

    def dump(self, value: Any, file: Sink) -> None:
        """See :meth:`Serializer.dump`."""
        if type(value) is Chart:
            document = value.document
        else:
            # Plotly writes arrays and dates itself; Altair has done so in its document.
            document = value.to_dict() if self.name == "vega-lite" else json.loads(value.to_json())
        file.write(json.dumps(document, sort_keys=True, ensure_ascii=False).encode())

    def load(self, file: BinaryIO) -> Chart:
        """See :meth:`Serializer.load`."""
        return Chart(self.name, json.load(file))
