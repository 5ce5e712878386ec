"""The first schema.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make every table."""
    _projects()
    _experiments()
    _executions()
    _environments()
    _dataset_names()
    _datasets()
    _splits()
    _launches()
    _runs()
    _run_params()
    _run_fields()
    _run_metrics()
    _run_tags()
    _attempts()
    _computations()
    _cache_entries()
    _artifact_links()


def _projects() -> None:
    op.create_table(
        "projects",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.PrimaryKeyConstraint("pk", name="pk_projects"),
        sa.UniqueConstraint("id", name="uq_projects_id"),
        sa.UniqueConstraint("name", name="uq_projects_name"),
    )


def _experiments() -> None:
    op.create_table(
        "experiments",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("last_execution", sa.Integer(), nullable=False),
        sa.Column("last_launch", sa.Integer(), nullable=False),
        sa.Column("last_run", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project"], ["projects.pk"], name="fk_experiments_project", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name="pk_experiments"),
        sa.UniqueConstraint("id", name="uq_experiments_id"),
        sa.UniqueConstraint("project", "name", name="uq_experiments_project_name"),
    )


def _executions() -> None:
    op.create_table(
        "executions",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("experiment", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment"], ["experiments.pk"], name="fk_executions_experiment", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name="pk_executions"),
        sa.UniqueConstraint(
            "experiment", "fingerprint", name="uq_executions_experiment_fingerprint"
        ),
        sa.UniqueConstraint("experiment", "number", name="uq_executions_experiment_number"),
        sa.UniqueConstraint("id", name="uq_executions_id"),
    )


def _environments() -> None:
    op.create_table(
        "environments",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("pk", name="pk_environments"),
        sa.UniqueConstraint("digest", name="uq_environments_digest"),
    )


def _dataset_names() -> None:
    op.create_table(
        "dataset_names",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("pk", name="pk_dataset_names"),
        sa.UniqueConstraint("name", name="uq_dataset_names_name"),
    )


def _datasets() -> None:
    op.create_table(
        "datasets",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["name"], ["dataset_names.pk"], name="fk_datasets_name", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name="pk_datasets"),
        sa.UniqueConstraint("name", "digest", name="uq_datasets_name_digest"),
        sa.UniqueConstraint("name", "version", name="uq_datasets_name_version"),
    )
    op.create_index("ix_datasets_digest", "datasets", ["digest"])


def _splits() -> None:
    op.create_table(
        "splits",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("folds", sa.Integer(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("pk", name="pk_splits"),
        sa.UniqueConstraint("digest", name="uq_splits_digest"),
    )


def _launches() -> None:
    op.create_table(
        "launches",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("experiment", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("execution", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("provenance", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("created", TIME, nullable=False),
        sa.Column("started", TIME, nullable=True),
        sa.Column("ended", TIME, nullable=True),
        sa.Column("heartbeat", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["experiment"], ["experiments.pk"], name="fk_launches_experiment", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name="pk_launches"),
        sa.UniqueConstraint("experiment", "number", name="uq_launches_experiment_number"),
        sa.UniqueConstraint("id", name="uq_launches_id"),
    )
    op.create_index("ix_launches_status", "launches", ["status"])


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("experiment", KEY, nullable=False),
        sa.Column("launch", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("execution", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=True),
        sa.Column("split", sa.Text(), nullable=True),
        sa.Column("cached", sa.Boolean(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("started", TIME, nullable=True),
        sa.Column("ended", TIME, nullable=True),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("metrics", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("hyperparameters", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("exception", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["experiment"], ["experiments.pk"], name="fk_runs_experiment", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["launch"], ["launches.pk"], name="fk_runs_launch", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name="pk_runs"),
        sa.UniqueConstraint("experiment", "number", name="uq_runs_experiment_number"),
        sa.UniqueConstraint("id", name="uq_runs_id"),
    )
    op.create_index("ix_runs_launch", "runs", ["launch"])
    op.create_index("ix_runs_name", "runs", ["name"])
    op.create_index("ix_runs_status", "runs", ["status"])


def _run_params() -> None:
    op.create_table(
        "run_params",
        sa.Column("run", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.Double(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("whole", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run"], ["runs.pk"], name="fk_run_params_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "name", name="pk_run_params"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_run_params_name_number_run", "run_params", ["name", "number", "run"])
    op.create_index("ix_run_params_name_text_run", "run_params", ["name", "text", "run"])


def _run_fields() -> None:
    op.create_table(
        "run_fields",
        sa.Column("run", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.Double(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("whole", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run"], ["runs.pk"], name="fk_run_fields_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "name", name="pk_run_fields"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_run_fields_name_number_run", "run_fields", ["name", "number", "run"])
    op.create_index("ix_run_fields_name_text_run", "run_fields", ["name", "text", "run"])


def _run_metrics() -> None:
    op.create_table(
        "run_metrics",
        sa.Column("run", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("std", sa.Double(), nullable=True),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["runs.pk"], name="fk_run_metrics_run", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "name", name="pk_run_metrics"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_run_metrics_name_value_run_direction",
        "run_metrics",
        ["name", "value", "run", "direction"],
    )


def _run_tags() -> None:
    op.create_table(
        "run_tags",
        sa.Column("run", KEY, nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.pk"], name="fk_run_tags_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "tag", name="pk_run_tags"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_run_tags_tag_run", "run_tags", ["tag", "run"])


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("run", KEY, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("execution", sa.Integer(), nullable=False),
        sa.Column("started", TIME, nullable=False),
        sa.Column("ended", TIME, nullable=True),
        sa.Column("exception", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run"], ["runs.pk"], name="fk_attempts_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "number", name="pk_attempts"),
    )


def _computations() -> None:
    op.create_table(
        "computations",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("launch", KEY, nullable=False),
        sa.Column("run", KEY, nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("fold", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("started", TIME, nullable=True),
        sa.Column("wall", sa.Double(), nullable=True),
        sa.Column("cpu", sa.Double(), nullable=True),
        sa.Column("memory", sa.BigInteger(), nullable=True),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("exception", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["launch"], ["launches.pk"], name="fk_computations_launch", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run"], ["runs.pk"], name="fk_computations_run", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name="pk_computations"),
        sa.UniqueConstraint("id", name="uq_computations_id"),
    )
    op.create_index("ix_computations_launch_run", "computations", ["launch", "run"])
    op.create_index("ix_computations_run_stage_fold", "computations", ["run", "stage", "fold"])


def _cache_entries() -> None:
    op.create_table(
        "cache_entries",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("recipe", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.Column("wall", sa.Double(), nullable=True),
        sa.Column("created", TIME, nullable=False),
        sa.Column("evicted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("pk", name="pk_cache_entries"),
        sa.UniqueConstraint("key", name="uq_cache_entries_key"),
    )
    op.create_index("ix_cache_entries_recipe", "cache_entries", ["recipe"])


def _artifact_links() -> None:
    op.create_table(
        "artifact_links",
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("owner", KEY, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("inline", sa.LargeBinary(), nullable=True),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "owner", "position", name="pk_artifact_links"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_artifact_links_digest_kept", "artifact_links", ["digest", "kept"])
