"""Gosset, as a script uses it."""

REQUIREMENTS = ("gosset", "pandas>=2.1,<4")

STORE = "sqlite:///.gosset/store.db"


class Gosset:
    power = "the last commits"
    durability = "process"

    def load(self):
        global gosset
        import gosset

    def open(self):
        pass  # the first run makes the store

    def start(self, name):
        durable = {} if self.durability == "process" else {"durability": self.durability}
        return _Run(gosset.start_run("bench", name=name, store=STORE, **durable))

    def close(self):
        pass  # a run that has ended is in the store

    def load_to_read(self):
        self.load()
        gosset.open_store  # noqa: B018 - loaded when it is first used
        import numpy  # noqa: F401 - which arrays load

        from gosset.artifacts import filesystem  # noqa: F401 - which opening a store loads
        from gosset.storage import table  # noqa: F401 - which frames load

    def series(self):
        with gosset.open_store(STORE) as store:
            return {
                run.name: {name: series.values for name, series in store.series(run).items()}
                for run in store.runs()
            }

    def table(self):
        with gosset.open_store(STORE) as store:
            rows = store.runs().to_pandas().set_index("name")
        columns = [name for name in rows if name.startswith("metrics.")]
        return rows[columns].rename(columns=lambda name: name.removeprefix("metrics."))

    def arrays(self):
        with gosset.open_store(STORE) as store:
            [run] = store.runs()
            return {name: store.artifact(run, name) for name in store.artifacts_of(run)}


class Power(Gosset):
    """What a run that has ended keeps when the power fails is waited for."""

    power = "nothing"
    durability = "power"


class _Run:
    __slots__ = ("finish", "keep", "log", "results")

    def __init__(self, run):
        self.log = run.log
        self.results = run.log
        self.finish = run.finish
        self.keep = lambda name, array: run.log_artifact(array, name)


TRACKERS = {"gosset": Gosset, "gosset-power": Power}
