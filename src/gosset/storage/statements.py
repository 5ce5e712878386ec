"""The SQL by which news of tracked runs is written, as SQLite and PostgreSQL both take it."""

from __future__ import annotations

from typing import Final

BEAT: Final = """
UPDATE launches SET heartbeat = :heartbeat, status = :status, ended = :ended WHERE id = :launch
"""
REVIVE: Final = """
UPDATE runs SET status = 'running', ended = NULL
WHERE launch = (SELECT pk FROM launches WHERE id = :launch) AND status = 'crashed'
"""
FIND: Final = "SELECT pk, metrics <> '' FROM runs WHERE id = :run"
OWNER: Final = """
SELECT runs.name, runs.status, launches.host, launches.pid, launches.heartbeat >= :latest
FROM runs JOIN launches ON launches.pk = runs.launch WHERE runs.pk = :run
"""
TAKE_UP: Final = """
UPDATE runs SET launch = :launch, execution = :execution, status = 'running', ended = NULL,
    exception = NULL, metrics = ''
WHERE pk = :run
"""
FACTS: Final = """
SELECT name, seed, params, config, fields, tags, parent FROM runs WHERE pk = :run
"""
ANEW: Final = (
    "DELETE FROM series WHERE run = :run",
    "DELETE FROM run_metrics WHERE run = :run",
    "DELETE FROM run_fields WHERE run = :run",
    "DELETE FROM alerts WHERE run = :run",
    "DELETE FROM artifact_links WHERE kind = :kind AND owner = :run",
    "UPDATE runs SET metrics = '{}' WHERE pk = :run AND metrics <> ''",
    "UPDATE runs SET fields = '{}' WHERE pk = :run",
)
RENEW: Final = "UPDATE runs SET metrics = :metrics WHERE pk = :run AND metrics <> ''"
FIND_LAUNCH: Final = """
SELECT experiment, pk, execution, status FROM launches WHERE id = :launch
"""
PROJECT: Final = """
INSERT INTO projects (id, name, description, created) VALUES (:id, :project, '', :created)
ON CONFLICT DO NOTHING
"""
EXPERIMENT: Final = """
INSERT INTO experiments
    (id, project, name, description, definition, created, last_execution, last_launch, last_run)
SELECT :id, pk, :experiment, '', '{}', :created, 0, 0, 0 FROM projects WHERE name = :project
ON CONFLICT DO NOTHING
"""
NEXT_LAUNCH: Final = """
UPDATE experiments SET last_launch = last_launch + 1
WHERE name = :experiment AND project = (SELECT pk FROM projects WHERE name = :project)
RETURNING pk, last_launch
"""
FIND_EXECUTION: Final = """
SELECT number FROM executions WHERE experiment = :experiment AND fingerprint = :fingerprint
"""
NEXT_EXECUTION: Final = """
UPDATE experiments SET last_execution = last_execution + 1 WHERE pk = :experiment
RETURNING last_execution
"""
EXECUTION: Final = """
INSERT INTO executions (id, experiment, number, fingerprint, code, created)
VALUES (:id, :experiment, :number, :fingerprint, :code, :created)
"""
LAUNCH: Final = """
INSERT INTO launches
    (id, experiment, number, execution, status, command, "user", host, pid, notes, settings,
     provenance, created, started, heartbeat)
VALUES
    (:id, :experiment, :number, :execution, :status, :command, :user, :host, :pid, :notes,
     :settings, :provenance, :moment, :moment, :moment)
RETURNING pk
"""
NEXT_RUN: Final = """
UPDATE experiments SET last_run = last_run + 1 WHERE pk = :experiment RETURNING last_run
"""
RUN: Final = """
INSERT INTO runs
    (id, experiment, launch, number, execution, name, status, seed, "group", cached, created,
     started, ended, params, metrics, fields, hyperparameters, tags, exception, parent, config,
     notes)
VALUES
    (:id, :experiment, :launch, :number, :execution, :name, :status, :seed, :group, :cached,
     :moment, :moment, :ended, :params, :metrics, '{}', '[]', :tags, :exception, :parent, :config,
     :notes)
RETURNING pk
"""
END: Final = """
UPDATE runs SET status = :status, ended = :ended, exception = :exception, metrics = :metrics
WHERE pk = :run
"""
OWN: Final = "AND launch = (SELECT pk FROM launches WHERE id = :launch)"
SAID: Final = """
INSERT INTO writers (run, writer, last) VALUES (:run, :writer, :last)
ON CONFLICT (run, writer) DO UPDATE SET last = excluded.last WHERE writers.last < excluded.last
RETURNING last
"""
CHUNK: Final = """
INSERT INTO series
    (run, name, writer, number, count, kind, step, stride, "time", steps, "values", times)
VALUES
    (:run, :name, :writer, :number, :count, :kind, :step, :stride, :time, :steps, :values, :times)
ON CONFLICT (run, name, writer, number) DO UPDATE SET
    count = excluded.count, kind = excluded.kind, step = excluded.step,
    stride = excluded.stride, "time" = excluded."time", steps = excluded.steps,
    "values" = excluded."values", times = excluded.times
"""
# Points that are alone in their series: see alone.py.
ALONE: Final = """
SELECT run, name, value, whole, step, "time" FROM run_metrics
WHERE run {chosen} AND count = 1 AND NOT EXISTS
    (SELECT 1 FROM series WHERE series.run = run_metrics.run AND series.name = run_metrics.name)
"""
WRITER: Final = "SELECT min(writer) FROM writers WHERE run = :run"
# The last point is that with the highest step, and of these the latest.
LATER: Final = (
    "(run_metrics.step IS NULL OR excluded.step > run_metrics.step OR"
    ' (excluded.step = run_metrics.step AND excluded."time" >= run_metrics."time"))'
)
METRIC: Final = f"""
INSERT INTO run_metrics
    (run, name, value, std, direction, whole, count, step, "time", minimum, maximum, total,
     numbers)
VALUES
    (:run, :name, :value, NULL, 'none', :whole, :count, :step, :time, :minimum, :maximum, :total,
     :numbers)
ON CONFLICT (run, name) DO UPDATE SET
    value = CASE WHEN {LATER} THEN excluded.value ELSE run_metrics.value END,
    whole = CASE WHEN {LATER} THEN excluded.whole ELSE run_metrics.whole END,
    count = coalesce(run_metrics.count, 0) + excluded.count,
    step = CASE WHEN {LATER} THEN excluded.step ELSE run_metrics.step END,
    "time" = CASE WHEN {LATER} THEN excluded."time" ELSE run_metrics."time" END,
    minimum = CASE WHEN run_metrics.minimum < excluded.minimum OR excluded.minimum IS NULL
        THEN run_metrics.minimum ELSE excluded.minimum END,
    maximum = CASE WHEN run_metrics.maximum > excluded.maximum OR excluded.maximum IS NULL
        THEN run_metrics.maximum ELSE excluded.maximum END,
    total = CASE WHEN run_metrics.numbers IS NULL THEN excluded.total
        ELSE run_metrics.total + excluded.total END,
    numbers = coalesce(run_metrics.numbers, 0) + excluded.numbers
"""
METRICS: Final = """
SELECT name, value, std, direction, whole, count, step, "time", minimum, maximum, total, numbers
FROM run_metrics WHERE run = :run ORDER BY name
"""
SIDE: Final = """
INSERT INTO {table} (run, name, number, text, whole) VALUES (:run, :name, :number, :text, :whole)
ON CONFLICT (run, name) DO UPDATE SET
    number = excluded.number, text = excluded.text, whole = excluded.whole
"""
TAG: Final = "INSERT INTO run_tags (run, tag) VALUES (:run, :tag) ON CONFLICT DO NOTHING"
UNTAG: Final = "DELETE FROM run_tags WHERE run = :run AND tag = :tag"
GAP: Final = """
UPDATE console SET text = :text WHERE run = :run AND "time" = :start
"""
LEAVE_OUT: Final = """
DELETE FROM console WHERE run = :run AND "time" > :start AND "time" <= :end
"""
ENVIRONMENT: Final = """
INSERT INTO environments (digest, content) VALUES (:digest, :content) ON CONFLICT DO NOTHING
"""
CAPTURED: Final = """
UPDATE launches SET provenance = :provenance, environment = coalesce(:environment, environment)
WHERE pk = :launch
"""
UNLINK_ALL: Final = "DELETE FROM artifact_links WHERE kind = :kind AND owner = :owner"
UNLINK: Final = """
DELETE FROM artifact_links WHERE kind = :kind AND owner = :owner AND name = :name
"""
LINKED: Final = "SELECT 1 FROM artifact_links WHERE kind = :kind AND owner = :owner LIMIT 1"
FORGET: Final = """
DELETE FROM artifact_links
WHERE kind = :kind AND owner = :owner AND substr(name, 1, :length) = :place
"""
LINK: Final = """
INSERT INTO artifact_links (kind, owner, position, name, format, digest, size, inline, kept)
VALUES
    (:kind, :owner,
     (SELECT coalesce(max(position), -1) + 1 FROM artifact_links
      WHERE kind = :kind AND owner = :owner),
     :name, :format, :digest, :size, :inline, :kept)
"""
