"""Aim, with what it watches by itself switched off."""

import os

REQUIREMENTS = ("aim==3.29.1", "pandas>=2.1,<4")


class Aim:
    power = "the last seconds"

    def load(self):
        os.environ["AIM_DISABLE_TELEMETRY"] = "1"
        global aim
        import aim

    def open(self):
        self.repo = aim.Repo.from_path(".", init=True)

    def start(self, name):
        run = aim.Run(
            repo=self.repo,
            experiment="bench",
            system_tracking_interval=None,
            log_system_params=False,
            capture_terminal_logs=False,
        )
        run.name = name
        return _Run(run)

    def close(self):
        self.repo.close()

    def load_to_read(self):
        """Index the runs, too: what Aim's server does in the background."""
        self.load()
        from aim.sdk.index_manager import RepoIndexManager

        repo = aim.Repo(".")
        manager = RepoIndexManager.get_index_manager(repo)
        for run in repo.list_all_runs():
            manager.index(run)
        repo.close()

    def series(self):
        return {
            run.name: {
                metric.name: metric.data.view("val").numpy()[1][0] for metric in run.metrics()
            }
            for run in aim.Repo(".").iter_runs()
        }

    def table(self):
        import pandas as pd

        rows = {
            run.name: {metric.name: metric.values.last_value() for metric in run.metrics()}
            for run in aim.Repo(".").iter_runs()
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    def arrays(self):
        import numpy as np

        [run] = aim.Repo(".").iter_runs()
        found = {}
        for name, artifact in run.artifacts.items():
            found[name.removesuffix(".npy")] = np.load(artifact.download("."))
        return found


class _Run:
    def __init__(self, run):
        self.run = run

    def log(self, values, step):
        for name, value in values.items():
            self.run.track(value, name=name, step=step)

    def results(self, values):
        self.run.track(values, step=0)

    def keep(self, name, array):
        import numpy as np

        if self.run.artifacts_uri is None:
            self.run.set_artifacts_uri("file://" + os.path.abspath("artifacts"))
        np.save(f"{name}.npy", array)
        self.run.log_artifact(f"{name}.npy", block=True)
        os.unlink(f"{name}.npy")

    def finish(self):
        self.run.close()


TRACKERS = {"aim": Aim}
