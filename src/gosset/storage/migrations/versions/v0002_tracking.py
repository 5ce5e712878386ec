"""Series, and what else is tracked of a run.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables and columns."""
    _runs()
    _run_metrics()
    _series()
    _writers()
    _console()
    _alerts()


def _runs() -> None:
    op.add_column("runs", sa.Column("parent", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("config", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("runs", sa.Column("notes", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_runs_parent", "runs", ["parent"])


def _run_metrics() -> None:
    for name, kind in (
        ("whole", sa.Text()),
        ("count", sa.BigInteger()),
        ("step", sa.BigInteger()),
        ("time", sa.BigInteger()),
        ("minimum", sa.Double()),
        ("maximum", sa.Double()),
        ("total", sa.Double()),
        ("numbers", sa.BigInteger()),
    ):
        op.add_column("run_metrics", sa.Column(name, kind, nullable=True))


def _series() -> None:
    op.create_table(
        "series",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("run", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("writer", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("stride", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("steps", sa.LargeBinary(), nullable=False),
        sa.Column("values", sa.LargeBinary(), nullable=False),
        sa.Column("times", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.pk"], name="fk_series_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pk", name="pk_series"),
        sa.UniqueConstraint(
            "run", "name", "writer", "number", name="uq_series_run_name_writer_number"
        ),
    )


def _writers() -> None:
    op.create_table(
        "writers",
        sa.Column("run", KEY, nullable=False),
        sa.Column("writer", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.pk"], name="fk_writers_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "writer", name="pk_writers"),
        sqlite_with_rowid=False,
    )


def _console() -> None:
    op.create_table(
        "console",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("run", KEY, nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.pk"], name="fk_console_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pk", name="pk_console"),
    )
    op.create_index("ix_console_run_pk", "console", ["run", "pk"])


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("run", KEY, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.pk"], name="fk_alerts_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pk", name="pk_alerts"),
    )
    op.create_index("ix_alerts_run", "alerts", ["run"])
