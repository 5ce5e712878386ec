"""Writes ``src/gosset/storage/schema.sql``: what the migrations make of an empty SQLite file."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from pathlib import Path

from gosset.storage import open_catalog
from gosset.storage.schema import VERSION_TABLE

TARGET = Path(__file__).parents[1] / "src" / "gosset" / "storage" / "schema.sql"


def schema() -> str:
    """Return the statements that make a store."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        open_catalog(f"sqlite:///{path}").close()
        connection = sqlite3.connect(path)
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        [version] = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()
        connection.close()
    statements = [*(row[0] for row in rows), f"INSERT INTO {VERSION_TABLE} VALUES ('{version}')"]
    head = "-- What the migrations make of an empty SQLite file. Made by scripts/schema.py.\n"
    return head + "".join(f"\n{statement};\n" for statement in statements)


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(TARGET.read_text(encoding="utf-8") != schema())
    TARGET.write_text(schema(), encoding="utf-8")
