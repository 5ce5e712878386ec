"""Stores that unite: what one catalog lacks is taken over from another, see :func:`merge`.

Entities are the same where their ids are, or what else they are known by: the name of a
project, an experiment in it, the fingerprint of an execution, the digest of a dataset's version,
the key of a cache entry. Each has a rule by which two that differ become one, whichever store
is merged into which, so that ``A ∪ B`` and ``B ∪ A`` say the same. The numbers of executions,
launches, runs and versions are those of a store: one that is taken there is given anew.
"""

from .catalogs import merge as merge

__all__ = ["merge"]
