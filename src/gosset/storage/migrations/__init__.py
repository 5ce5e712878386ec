"""Numbered changes of the schema, run by :mod:`gosset.storage.versions`.

Each revision stands alone: it does not look at ``schema.py``, which goes on changing. A
new one gets the next number, is named after it and is added to ``schema.VERSIONS``.
"""
