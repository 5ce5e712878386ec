"""What makes two values, or two versions of code, the same."""

from .code import Code, code_digest
from .files import File, Planned, files_in
from .leaves import FORMAT
from .names import dynamic_ways
from .objects import register
from .values import codes_in, combine, derive_seed, digest

__all__ = [
    "FORMAT",
    "Code",
    "File",
    "Planned",
    "code_digest",
    "codes_in",
    "combine",
    "derive_seed",
    "digest",
    "dynamic_ways",
    "files_in",
    "register",
]
