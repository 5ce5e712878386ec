"""What makes two values, or two versions of code, the same."""

from .code import Code, code_digest
from .leaves import FORMAT
from .objects import register
from .values import combine, derive_seed, digest

__all__ = ["FORMAT", "Code", "code_digest", "combine", "derive_seed", "digest", "register"]
