"""MLtraq: runs are held in memory, and the experiment is written at the end."""

REQUIREMENTS = ("mltraq==0.1.165",)

URL = "sqlite:///mltraq.db"


class Lists:
    """Values in lists of Python, arrays as fields."""

    power = "nothing"

    def load(self):
        global mltraq
        import mltraq

    def open(self):
        self.session = mltraq.create_session(URL)
        self.experiment = self.session.create_experiment("bench")

    def start(self, name):
        return _Lists(self.experiment, name)

    def close(self):
        self.experiment.persist()

    load_to_read = load

    def runs(self):
        return mltraq.create_session(URL).load_experiment("bench").runs

    def series(self):
        return {
            run.fields["name"]: {"loss": self.values(run.fields["loss"])}
            for run in self.runs().values()
        }

    def values(self, field):
        return field

    def table(self):
        return self.runs().df().set_index("name").drop(columns="id_run")

    def arrays(self):
        [run] = self.runs().values()
        return self.kept(run)

    def kept(self, run):
        return {name: value for name, value in run.fields.items() if name != "name"}


class _Lists:
    def __init__(self, experiment, name):
        self.experiment = experiment
        self.run = mltraq.Run(id_experiment=experiment.id_experiment)
        self.fields = self.run.fields
        self.fields["name"] = name

    def log(self, values, step):
        for name, value in values.items():
            if name in self.fields:
                self.fields[name].append(value)
            else:
                self.fields[name] = [value]

    def results(self, values):
        self.fields.update(values)

    def keep(self, name, array):
        self.fields[name] = array

    def finish(self):
        self.experiment.runs.add(self.run)


class Sequences(Lists):
    """Values in MLtraq's sequences, arrays in its data store."""

    def start(self, name):
        return _Sequences(self.experiment, name)

    def values(self, field):
        return field.df()["loss"].to_numpy()

    def table(self):
        import pandas as pd

        runs = list(self.runs().values())
        frames = [run.fields["sequence"].df().drop(columns=["idx", "timestamp"]) for run in runs]
        return pd.concat(frames).set_axis([run.fields["name"] for run in runs])

    def series(self):
        return {
            run.fields["name"]: {"loss": self.values(run.fields["sequence"])}
            for run in self.runs().values()
        }

    def kept(self, run):
        return dict(run.fields["arrays"])


class _Sequences(_Lists):
    def __init__(self, experiment, name):
        super().__init__(experiment, name)
        self.sequence = mltraq.Sequence()
        self.fields["sequence"] = self.sequence

    def log(self, values, step):
        self.sequence.append(**values)

    def results(self, values):
        self.sequence.append(**values)

    def keep(self, name, array):
        self.fields.setdefault("arrays", mltraq.DataStore())[name] = array


TRACKERS = {"mltraq-list": Lists, "mltraq-sequence": Sequences}
