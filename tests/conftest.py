"""Fixtures for all tests."""

from __future__ import annotations

from postgresql import empty_postgresql_url, own_postgresql, postgresql_server, postgresql_url

__all__ = ["empty_postgresql_url", "own_postgresql", "postgresql_server", "postgresql_url"]

collect_ignore_glob = ["conftest.py", "*/conftest.py"]
"""They hold no examples, and several modules of one name cannot be collected."""
