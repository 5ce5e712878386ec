"""Fixtures for all tests."""

from __future__ import annotations

import signal

from postgresql import empty_postgresql_url, own_postgresql, postgresql_server, postgresql_url

__all__ = ["empty_postgresql_url", "own_postgresql", "postgresql_server", "postgresql_url"]

collect_ignore_glob = ["conftest.py", "*/conftest.py", "importers/writers/*"]
"""They hold no examples, and several modules of one name cannot be collected."""

# What a script puts into the background is deaf to Ctrl-C, and so would be all that tests start;
# some of them press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
