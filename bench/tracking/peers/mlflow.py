"""MLflow, with its store in an SQLite file."""

import os

REQUIREMENTS = ("mlflow==3.17.2",)

URL = "sqlite:///mlflow.db"
BATCH = 1000
"""Metrics that one call of ``log_batch`` takes at most."""


class Fluent:
    """The verbs that everybody uses."""

    power = "nothing"

    def load(self):
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        global mlflow
        import mlflow

    def open(self):
        mlflow.set_tracking_uri(URL)
        mlflow.set_experiment("bench")

    def start(self, name):
        mlflow.start_run(run_name=name)
        return _Fluent()

    def close(self):
        pass

    def load_to_read(self):
        self.load()
        mlflow.MlflowClient  # noqa: B018 - loaded when it is first used

    def series(self):
        self.open()
        client = mlflow.MlflowClient()
        return {
            run.info.run_name: {
                name: [m.value for m in client.get_metric_history(run.info.run_id, name)]
                for name in run.data.metrics
            }
            for run in mlflow.search_runs(output_format="list")
        }

    def table(self):
        self.open()
        rows = mlflow.search_runs().set_index("tags.mlflow.runName")
        columns = [name for name in rows if name.startswith("metrics.")]
        return rows[columns].rename(columns=lambda name: name.removeprefix("metrics."))

    def arrays(self):
        import numpy as np

        self.open()
        [run] = mlflow.search_runs(output_format="list")
        folder = mlflow.artifacts.download_artifacts(run_id=run.info.run_id)
        names = os.listdir(folder)
        return {name.removesuffix(".npy"): np.load(os.path.join(folder, name)) for name in names}


class _Fluent:
    def log(self, values, step):
        for name, value in values.items():
            mlflow.log_metric(name, value, step=step)

    def results(self, values):
        mlflow.log_metrics(values)

    def keep(self, name, array):
        import numpy as np

        np.save(f"{name}.npy", array)
        mlflow.log_artifact(f"{name}.npy")
        os.unlink(f"{name}.npy")

    def finish(self):
        mlflow.end_run()


class Batches(Fluent):
    """The client, which takes a thousand metrics in one call."""

    def open(self):
        super().open()
        self.client = mlflow.MlflowClient()
        self.experiment = self.client.get_experiment_by_name("bench").experiment_id

    def start(self, name):
        return _Batches(self.client, self.client.create_run(self.experiment, run_name=name))


class _Batches:
    def __init__(self, client, run):
        import time

        self.time = time.time
        self.client = client
        self.id = run.info.run_id
        self.metrics = []

    def log(self, values, step):
        moment = int(self.time() * 1000)
        for name, value in values.items():
            self.metrics.append(mlflow.entities.Metric(name, value, moment, step))
        if len(self.metrics) >= BATCH:
            self.flush()

    def results(self, values):
        self.log(values, 0)

    def keep(self, name, array):
        import numpy as np

        np.save(f"{name}.npy", array)
        self.client.log_artifact(self.id, f"{name}.npy")
        os.unlink(f"{name}.npy")

    def flush(self):
        if self.metrics:
            self.client.log_batch(self.id, metrics=self.metrics)
            self.metrics = []

    def finish(self):
        self.flush()
        self.client.set_terminated(self.id)


TRACKERS = {"mlflow-sqlite": Fluent, "mlflow-sqlite-batch": Batches}
