"""Fixtures for all tests."""

from __future__ import annotations

from postgresql import empty_postgresql_url, postgresql_server, postgresql_url

__all__ = ["empty_postgresql_url", "postgresql_server", "postgresql_url"]
