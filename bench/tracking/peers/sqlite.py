"""Python's own SQLite module, with a table of points: the reference by which to judge the rest."""

REQUIREMENTS = ("numpy", "pandas>=2.1,<4")

FILE = "raw.db"


class OneTransaction:
    """All values in memory, and at the end one ``executemany`` in one transaction."""

    power = "nothing"
    settings = ()

    def load(self):
        global sqlite3, time
        import sqlite3
        import time

    def open(self):
        self.connection = sqlite3.connect(FILE, isolation_level=None)
        for setting in self.settings:
            self.connection.execute(setting)
        self.connection.execute(
            "CREATE TABLE points (run TEXT, name TEXT, step INTEGER, value REAL, time INTEGER)"
        )
        self.connection.execute("CREATE TABLE arrays (run TEXT, name TEXT, bytes BLOB)")
        self.points = []
        self.kept = []

    def start(self, name):
        return _Run(self, name)

    def add(self, points):
        self.points += points

    def keep(self, run, name, array):
        self.kept.append((run, name, array.data))

    def close(self):
        connection = self.connection
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO points VALUES (?, ?, ?, ?, ?)", self.points)
        connection.executemany("INSERT INTO arrays VALUES (?, ?, ?)", self.kept)
        connection.execute("COMMIT")
        connection.close()

    def load_to_read(self):
        self.load()

    def series(self):
        connection = sqlite3.connect(FILE)
        found = {}
        for run, name, value in connection.execute("SELECT run, name, value FROM points"):
            found.setdefault(run, {}).setdefault(name, []).append(value)
        return found

    def table(self):
        import pandas as pd

        connection = sqlite3.connect(FILE)
        rows = pd.read_sql_query("SELECT run, name, value FROM points", connection)
        return rows.pivot(index="run", columns="name", values="value")

    def arrays(self):
        import numpy as np

        connection = sqlite3.connect(FILE)
        rows = connection.execute("SELECT name, bytes FROM arrays")
        return {name: np.frombuffer(data) for name, data in rows}


class Commit(OneTransaction):
    """One commit for each value, each waiting for the disk."""

    def add(self, points):
        self.connection.executemany("INSERT INTO points VALUES (?, ?, ?, ?, ?)", points)

    def keep(self, run, name, array):
        self.connection.execute("INSERT INTO arrays VALUES (?, ?, ?)", (run, name, array.data))


class Wal(Commit):
    """One commit for each value, with a write-ahead log: none waits for the disk."""

    power = "the last commits"
    settings = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL")


class _Run:
    def __init__(self, tracker, name):
        self.tracker = tracker
        self.name = name

    def log(self, values, step):
        moment = time.time_ns() // 1000
        self.tracker.add([(self.name, name, step, value, moment) for name, value in values.items()])

    def results(self, values):
        self.log(values, 0)

    def keep(self, name, array):
        self.tracker.keep(self.name, name, array)

    def finish(self):
        pass


TRACKERS = {
    "raw-sqlite-1txn": OneTransaction,
    "raw-sqlite-commit": Commit,
    "raw-sqlite-wal": Wal,
}
