"""Series, what else is tracked of a run, and views for people.

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
    database = op.get_bind()
    for name, query in _views(database.dialect.name == "sqlite").items():
        # Past SQLAlchemy, which would take the colons in times for parameters.
        database.exec_driver_sql(f"CREATE VIEW {name} AS {query}")


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


def _views(sqlite: bool) -> dict[str, str]:
    """Return name → query of what people read who open the database with any SQL tool."""
    place = "p.name AS project, e.name AS experiment"
    run = "r.id AS run_id, r.name AS run"
    runs = """runs AS r JOIN experiments AS e ON e.pk = r.experiment
        JOIN projects AS p ON p.pk = e.project"""
    text = f"COALESCE(v.whole, v.text, {_shortest('v.number', sqlite)})"
    values = f"SELECT {place}, {run}, v.name, {text} AS value, v.number FROM {runs}"
    return {
        "v_launches": f"""SELECT {place}, l.number, l.id, l.status, l.execution, l.command,
            l."user", l.host, l.notes, {_times("l", sqlite)}
        FROM launches AS l JOIN experiments AS e ON e.pk = l.experiment
        JOIN projects AS p ON p.pk = e.project""",
        "v_runs": f"""SELECT {place}, r.number, r.id, r.name, r.status, l.number AS launch,
            r.execution, r.seed, r.tags, r.notes, r.parent, r.params, r.fields,
            {_times("r", sqlite)}
        FROM {runs} JOIN launches AS l ON l.pk = r.launch""",
        "v_params": f"{values} JOIN run_params AS v ON v.run = r.pk",
        "v_fields": f"{values} JOIN run_fields AS v ON v.run = r.pk",
        "v_metrics": f"""SELECT {place}, {run}, m.name, m.value, m.std, m.direction, m.count,
            m.step, {_micro("m.time", sqlite)} AS time, m.minimum, m.maximum,
            m.total / m.numbers AS mean
        FROM {runs} JOIN run_metrics AS m ON m.run = r.pk""",
        "v_tags": f"SELECT {place}, {run}, t.tag FROM {runs} JOIN run_tags AS t ON t.run = r.pk",
        "v_alerts": f"""SELECT {place}, {run}, {_micro('a."time"', sqlite)} AS time, a.level,
            a.title, a.text
        FROM {runs} JOIN alerts AS a ON a.run = r.pk""",
    }


def _times(table: str, sqlite: bool) -> str:
    start, end = f"{table}.started", f"{table}.ended"
    seconds = f"({end} - {start}) / 1000000.0" if sqlite else f"extract(epoch FROM {end} - {start})"
    times = (f"{_iso(f'{table}.{n}', sqlite)} AS {n}" for n in ("created", "started", "ended"))
    return f"{', '.join(times)}, {seconds} AS seconds"


def _iso(time: str, sqlite: bool) -> str:
    """Return a column of times as text of ISO 8601, to the microsecond, in UTC."""
    if sqlite:
        return _micro(time, sqlite)
    return f"""to_char(({time}) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


def _micro(time: str, sqlite: bool) -> str:
    """Return microseconds since the epoch likewise."""
    if not sqlite:
        return _iso(f"to_timestamp(0) + {time} * interval '1 microsecond'", sqlite)
    second = f"strftime('%Y-%m-%dT%H:%M:%S', {time} / 1000000, 'unixepoch')"
    return f"{second} || printf('.%06dZ', {time} % 1000000)"


def _shortest(number: str, sqlite: bool) -> str:
    """Return a number as text, whole ones without a point."""
    if not sqlite:
        return f"CAST({number} AS text)"
    whole = f"abs({number}) < 1e15 AND {number} = CAST({number} AS integer)"
    return f"""CASE WHEN {whole} THEN CAST(CAST({number} AS integer) AS text)
            ELSE CAST({number} AS text) END"""
