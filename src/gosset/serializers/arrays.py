"""NumPy arrays as ``.npy``, and SciPy's sparse matrices as several of them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from ..exceptions import SerializationError
from .base import Sink
from .mapping import mapped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MAX_HEADER = (
    1 << 20
)  # a structured type of some thousand fields; NumPy's default stops at 10 000 bytes


class NpySerializer:
    """A ``numpy.ndarray`` of any dtype without Python objects; its memory order is kept.

    A large array in a local file is mapped rather than read: it is the caller's own and
    may be changed, and processes that only read it share its memory.
    """

    name = "npy"
    extension = ".npy"
    safe = True

    def takes(self, value: object) -> bool:
        """Whether `value` is an array, and its dtype one that ``.npy`` can name."""
        numpy = sys.modules.get("numpy")
        return (
            numpy is not None
            and type(value) is getattr(numpy, "ndarray", None)
            and _can_be_named(value.dtype)  # type: ignore[attr-defined]
        )

    def dump(self, value: Any, file: Sink) -> None:
        """See :meth:`Serializer.dump`."""
        write_array(value, file)

    def load(self, file: BinaryIO) -> NDArray[Any]:
        """See :meth:`Serializer.load`."""
        return read_array(file)


class SparseSerializer:
    """A SciPy sparse matrix or array of any layout.

    One line of JSON (class, shape, array names), then each array as ``.npy``.
    """

    name = "sparse"
    extension = ".sparse"
    safe = True

    def takes(self, value: object) -> bool:
        """Whether `value` is one of SciPy's sparse classes, without Python objects in it."""
        sparse: Any = sys.modules.get("scipy.sparse")
        if sparse is None or type(value).__name__ not in _SPARSE:
            return False
        matrix: Any = value
        return (
            type(value) is getattr(sparse, type(value).__name__, None)
            and not matrix.dtype.hasobject
        )

    def dump(self, value: Any, file: Sink) -> None:
        """See :meth:`Serializer.dump`."""
        arrays = _sparse_parts(value)
        header = {
            "class": type(value).__name__,
            "shape": list(value.shape),
            "arrays": list(arrays),
        }
        file.write(json.dumps(header).encode() + b"\n")
        for array in arrays.values():
            write_array(array, file)

    def load(self, file: BinaryIO) -> object:
        """See :meth:`Serializer.load`."""
        header = json.loads(file.readline())
        if header["class"] not in _SPARSE:
            raise SerializationError(f"no sparse class {header['class']!r} is known")
        arrays = {name: read_array(file) for name in header["arrays"]}
        return _sparse_from_parts(header["class"], tuple(header["shape"]), arrays)


_LAYOUTS = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
_SPARSE = frozenset(f"{layout}_{kind}" for layout in _LAYOUTS for kind in ("matrix", "array"))


def write_array(array: NDArray[Any], file: Sink) -> None:
    """Write `array` in the ``.npy`` format, without copying it where it is contiguous."""
    from numpy.lib import format as npy

    if array.dtype.names is not None:
        # Zeros between the fields, where memory holds whatever was there before.
        clean = _without_padding(array)
        npy.write_array(file, clean, version=_version(clean), allow_pickle=False)
        return
    npy.write_array_header_1_0(file, npy.header_data_from_array_1_0(array))
    if array.flags.c_contiguous:
        flat = array.reshape(-1)
    elif array.flags.f_contiguous:
        flat = array.T.reshape(-1)
    else:
        flat = array.flatten()
    # Not every dtype (e.g. datetime64) has a buffer of its own, so look at its bytes.
    file.write(flat.view("uint8").data if flat.nbytes else b"")


def _version(array: NDArray[Any]) -> tuple[int, int]:
    """Return the first version of the format that can name the fields of `array`."""
    from numpy.lib import format as npy

    header = repr(npy.header_data_from_array_1_0(array))
    try:
        length = len(header.encode("latin1"))
    except UnicodeEncodeError:
        return 3, 0
    # Left to itself NumPy takes the same, and warns of all but the first.
    return (1, 0) if length < 2**16 - 200 else (2, 0)


def read_array(file: BinaryIO) -> NDArray[Any]:
    """Read what :func:`write_array` wrote; `file` is left after it."""
    import numpy as np
    from numpy.lib import format as npy

    start = file.tell()
    version = npy.read_magic(file)
    memory = mapped(file) if version == (1, 0) else None
    if memory is None:
        file.seek(start)
        return npy.read_array(file, allow_pickle=False, max_header_size=_MAX_HEADER)
    shape, fortran, dtype = npy.read_array_header_1_0(file, max_header_size=_MAX_HEADER)
    if dtype.hasobject:
        raise SerializationError("the array holds Python objects, which .npy keeps as pickles")
    count = int(np.prod(shape, dtype=np.int64))
    offset = file.tell()
    file.seek(offset + count * dtype.itemsize)
    flat = np.frombuffer(memory, dtype, count, offset)
    return flat.reshape(shape, order="F" if fortran else "C")


def _can_be_named(dtype: np.dtype[Any]) -> bool:
    from numpy.lib import format as npy

    if dtype.hasobject or dtype.metadata:
        return False
    if dtype.isbuiltin == 1:
        return True
    named = npy.descr_to_dtype(npy.dtype_to_descr(dtype))
    return bool(named == dtype and named.isalignedstruct == dtype.isalignedstruct)


def _without_padding(array: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    clean = np.zeros_like(array)
    for name in array.dtype.names or ():
        if array.dtype[name].names is None:
            clean[name] = array[name]
        else:
            clean[name] = _without_padding(array[name])
    return clean


def _sparse_parts(matrix: Any) -> dict[str, NDArray[Any]]:
    layout = matrix.format
    if layout in ("csr", "csc", "bsr"):
        return {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr}
    if layout == "dia":
        return {"data": matrix.data, "offsets": matrix.offsets}
    # The rows of a lil and the items of a dok are Python objects; a coo says the same.
    coo = matrix if layout == "coo" else matrix.tocoo()
    return {"data": coo.data, **{f"axis{i}": axis for i, axis in enumerate(_axes(coo))}}


def _axes(coo: Any) -> tuple[NDArray[Any], ...]:
    # `coords` came with SciPy 1.13, and with it other numbers of dimensions than two.
    return tuple(coo.coords) if hasattr(coo, "coords") else (coo.row, coo.col)


def _sparse_from_parts(
    name: str, shape: tuple[int, ...], arrays: dict[str, NDArray[Any]]
) -> object:
    from scipy import sparse

    make = getattr(sparse, name)
    data = arrays.pop("data")
    if "indptr" in arrays:
        matrix = make((data, arrays["indices"], arrays["indptr"]), shape=shape)
    elif "offsets" in arrays:
        matrix = make((data, arrays["offsets"]), shape=shape)
    else:
        coo = getattr(sparse, f"coo_{name[4:]}")((data, tuple(arrays.values())), shape=shape)
        return coo if name.startswith("coo") else coo.asformat(name[:3])
    # The constructors narrow the indices' type where they can; the digest would change.
    for attribute, array in arrays.items():
        setattr(matrix, attribute, array)
    return matrix
