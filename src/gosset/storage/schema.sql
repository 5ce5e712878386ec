-- What the migrations make of an empty SQLite file. Made by scripts/schema.py.

CREATE TABLE projects (
	pk INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT NOT NULL, 
	created BIGINT NOT NULL, 
	CONSTRAINT pk_projects PRIMARY KEY (pk), 
	CONSTRAINT uq_projects_id UNIQUE (id), 
	CONSTRAINT uq_projects_name UNIQUE (name)
);

CREATE TABLE experiments (
	pk INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	project INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT NOT NULL, 
	definition TEXT NOT NULL, 
	created BIGINT NOT NULL, 
	last_execution INTEGER NOT NULL, 
	last_launch INTEGER NOT NULL, 
	last_run INTEGER NOT NULL, 
	CONSTRAINT pk_experiments PRIMARY KEY (pk), 
	CONSTRAINT fk_experiments_project FOREIGN KEY(project) REFERENCES projects (pk) ON DELETE CASCADE, 
	CONSTRAINT uq_experiments_id UNIQUE (id), 
	CONSTRAINT uq_experiments_project_name UNIQUE (project, name)
);

CREATE TABLE executions (
	pk INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	experiment INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	fingerprint TEXT NOT NULL, 
	code TEXT NOT NULL, 
	created BIGINT NOT NULL, 
	CONSTRAINT pk_executions PRIMARY KEY (pk), 
	CONSTRAINT fk_executions_experiment FOREIGN KEY(experiment) REFERENCES experiments (pk) ON DELETE CASCADE, 
	CONSTRAINT uq_executions_experiment_fingerprint UNIQUE (experiment, fingerprint), 
	CONSTRAINT uq_executions_experiment_number UNIQUE (experiment, number), 
	CONSTRAINT uq_executions_id UNIQUE (id)
);

CREATE TABLE environments (
	pk INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	content TEXT NOT NULL, 
	CONSTRAINT pk_environments PRIMARY KEY (pk), 
	CONSTRAINT uq_environments_digest UNIQUE (digest)
);

CREATE TABLE dataset_names (
	pk INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	last_version INTEGER NOT NULL, 
	CONSTRAINT pk_dataset_names PRIMARY KEY (pk), 
	CONSTRAINT uq_dataset_names_name UNIQUE (name)
);

CREATE TABLE datasets (
	pk INTEGER NOT NULL, 
	name INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	columns TEXT NOT NULL, 
	rows BIGINT NOT NULL, 
	description TEXT NOT NULL, 
	source TEXT NOT NULL, 
	created BIGINT NOT NULL, 
	CONSTRAINT pk_datasets PRIMARY KEY (pk), 
	CONSTRAINT fk_datasets_name FOREIGN KEY(name) REFERENCES dataset_names (pk) ON DELETE CASCADE, 
	CONSTRAINT uq_datasets_name_digest UNIQUE (name, digest), 
	CONSTRAINT uq_datasets_name_version UNIQUE (name, version)
);

CREATE INDEX ix_datasets_digest ON datasets (digest);

CREATE TABLE splits (
	pk INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	folds INTEGER NOT NULL, 
	description TEXT NOT NULL, 
	CONSTRAINT pk_splits PRIMARY KEY (pk), 
	CONSTRAINT uq_splits_digest UNIQUE (digest)
);

CREATE TABLE launches (
	pk INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	experiment INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	execution INTEGER NOT NULL, 
	status TEXT NOT NULL, 
	command TEXT NOT NULL, 
	user TEXT NOT NULL, 
	host TEXT NOT NULL, 
	pid BIGINT NOT NULL, 
	notes TEXT NOT NULL, 
	settings TEXT NOT NULL, 
	provenance TEXT NOT NULL, 
	environment TEXT, 
	created BIGINT NOT NULL, 
	started BIGINT, 
	ended BIGINT, 
	heartbeat BIGINT, 
	CONSTRAINT pk_launches PRIMARY KEY (pk), 
	CONSTRAINT fk_launches_experiment FOREIGN KEY(experiment) REFERENCES experiments (pk) ON DELETE CASCADE, 
	CONSTRAINT uq_launches_experiment_number UNIQUE (experiment, number), 
	CONSTRAINT uq_launches_id UNIQUE (id)
);

CREATE INDEX ix_launches_status ON launches (status);

CREATE TABLE runs (
	pk INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	experiment INTEGER NOT NULL, 
	launch INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	execution INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	status TEXT NOT NULL, 
	seed BIGINT, 
	"group" TEXT NOT NULL, 
	dataset TEXT, 
	split TEXT, 
	cached BOOLEAN NOT NULL, 
	created BIGINT NOT NULL, 
	started BIGINT, 
	ended BIGINT, 
	params TEXT NOT NULL, 
	metrics TEXT NOT NULL, 
	fields TEXT NOT NULL, 
	hyperparameters TEXT NOT NULL, 
	tags TEXT NOT NULL, 
	exception TEXT, parent TEXT, config TEXT DEFAULT '{}' NOT NULL, notes TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_runs PRIMARY KEY (pk), 
	CONSTRAINT fk_runs_experiment FOREIGN KEY(experiment) REFERENCES experiments (pk) ON DELETE CASCADE, 
	CONSTRAINT fk_runs_launch FOREIGN KEY(launch) REFERENCES launches (pk) ON DELETE CASCADE, 
	CONSTRAINT uq_runs_experiment_number UNIQUE (experiment, number), 
	CONSTRAINT uq_runs_id UNIQUE (id)
);

CREATE INDEX ix_runs_launch ON runs (launch);

CREATE INDEX ix_runs_name ON runs (name);

CREATE INDEX ix_runs_status ON runs (status);

CREATE TABLE run_params (
	run INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	number DOUBLE, 
	text TEXT, 
	whole TEXT, 
	CONSTRAINT pk_run_params PRIMARY KEY (run, name), 
	CONSTRAINT fk_run_params_run FOREIGN KEY(run) REFERENCES runs (pk) ON DELETE CASCADE
)
 WITHOUT ROWID

;

CREATE INDEX ix_run_params_name_number_run ON run_params (name, number, run);

CREATE INDEX ix_run_params_name_text_run ON run_params (name, text, run);

CREATE TABLE run_fields (
	run INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	number DOUBLE, 
	text TEXT, 
	whole TEXT, 
	CONSTRAINT pk_run_fields PRIMARY KEY (run, name), 
	CONSTRAINT fk_run_fields_run FOREIGN KEY(run) REFERENCES runs (pk) ON DELETE CASCADE
)
 WITHOUT ROWID

;

CREATE INDEX ix_run_fields_name_number_run ON run_fields (name, number, run);

CREATE INDEX ix_run_fields_name_text_run ON run_fields (name, text, run);

CREATE TABLE run_metrics (
	run INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	value DOUBLE, 
	std DOUBLE, 
	direction TEXT NOT NULL, whole TEXT, count BIGINT, step BIGINT, time BIGINT, minimum DOUBLE, maximum DOUBLE, total DOUBLE, numbers BIGINT, 
	CONSTRAINT pk_run_metrics PRIMARY KEY (run, name), 
	CONSTRAINT fk_run_metrics_run FOREIGN KEY(run) REFERENCES runs (pk) ON DELETE CASCADE
)
 WITHOUT ROWID

;

CREATE INDEX ix_run_metrics_name_value_run_direction ON run_metrics (name, value, run, direction);

CREATE TABLE run_tags (
	run INTEGER NOT NULL, 
	tag TEXT NOT NULL, 
	CONSTRAINT pk_run_tags PRIMARY KEY (run, tag), 
	CONSTRAINT fk_run_tags_run FOREIGN KEY(run) REFERENCES runs (pk) ON DELETE CASCADE
)
 WITHOUT ROWID

;

CREATE INDEX ix_run_tags_tag_run ON run_tags (tag, run);

CREATE TABLE attempts (
	run INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	status TEXT NOT NULL, 
	resource TEXT NOT NULL, 
	execution INTEGER NOT NULL, 
	started BIGINT NOT NULL, 
	ended BIGINT, 
	exception TEXT, 
	CONSTRAINT pk_attempts PRIMARY KEY (run, number), 
	CONSTRAINT fk_attempts_run FOREIGN KEY(run) REFERENCES runs (pk) ON DELETE CASCADE
);

CREATE TABLE computations (
	pk INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	launch INTEGER NOT NULL, 
	run INTEGER, 
	stage TEXT NOT NULL, 
	fold INTEGER, 
	status TEXT NOT NULL, 
	"key" TEXT, 
	inputs TEXT NOT NULL, 
	started BIGINT, 
	wall DOUBLE, 
	cpu DOUBLE, 
	memory BIGINT, 
	log TEXT NOT NULL, 
	exception TEXT, 
	CONSTRAINT pk_computations PRIMARY KEY (pk), 
	CONSTRAINT fk_computations_launch FOREIGN KEY(launch) REFERENCES launches (pk) ON DELETE CASCADE, 
	CONSTRAINT fk_computations_run FOREIGN KEY(run) REFERENCES runs (pk) ON DELETE CASCADE, 
	CONSTRAINT uq_computations_id UNIQUE (id)
);

CREATE INDEX ix_computations_launch_run ON computations (launch, run);

CREATE INDEX ix_computations_run_stage_fold ON computations (run, stage, fold);

CREATE TABLE cache_entries (
	pk INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	recipe TEXT NOT NULL, 
	stage TEXT NOT NULL, 
	parts TEXT NOT NULL, 
	wall DOUBLE, 
	created BIGINT NOT NULL, 
	evicted BOOLEAN NOT NULL, 
	CONSTRAINT pk_cache_entries PRIMARY KEY (pk), 
	CONSTRAINT uq_cache_entries_key UNIQUE ("key")
);

CREATE INDEX ix_cache_entries_recipe ON cache_entries (recipe);

CREATE TABLE artifact_links (
	kind SMALLINT NOT NULL, 
	owner INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	format TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	size BIGINT NOT NULL, 
	inline BLOB, 
	kept BOOLEAN NOT NULL, 
	CONSTRAINT pk_artifact_links PRIMARY KEY (kind, owner, position)
)
 WITHOUT ROWID

;

CREATE INDEX ix_artifact_links_digest_kept ON artifact_links (digest, kept);

CREATE TABLE gosset_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT gosset_version_pkc PRIMARY KEY (version_num)
);

CREATE INDEX ix_runs_parent ON runs (parent);

CREATE TABLE series (
	pk INTEGER NOT NULL, 
	run INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	writer BIGINT NOT NULL, 
	number INTEGER NOT NULL, 
	count INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	step BIGINT NOT NULL, 
	stride BIGINT NOT NULL, 
	time BIGINT NOT NULL, 
	steps BLOB NOT NULL, 
	"values" BLOB NOT NULL, 
	times BLOB NOT NULL, 
	CONSTRAINT pk_series PRIMARY KEY (pk), 
	CONSTRAINT fk_series_run FOREIGN KEY(run) REFERENCES runs (pk) ON DELETE CASCADE, 
	CONSTRAINT uq_series_run_name_writer_number UNIQUE (run, name, writer, number)
);

CREATE TABLE writers (
	run INTEGER NOT NULL, 
	writer BIGINT NOT NULL, 
	last BIGINT NOT NULL, 
	CONSTRAINT pk_writers PRIMARY KEY (run, writer), 
	CONSTRAINT fk_writers_run FOREIGN KEY(run) REFERENCES runs (pk) ON DELETE CASCADE
)
 WITHOUT ROWID

;

CREATE TABLE console (
	pk INTEGER NOT NULL, 
	run INTEGER NOT NULL, 
	stream TEXT NOT NULL, 
	time BIGINT NOT NULL, 
	text TEXT NOT NULL, 
	CONSTRAINT pk_console PRIMARY KEY (pk), 
	CONSTRAINT fk_console_run FOREIGN KEY(run) REFERENCES runs (pk) ON DELETE CASCADE
);

CREATE INDEX ix_console_run_pk ON console (run, pk);

CREATE TABLE alerts (
	pk INTEGER NOT NULL, 
	run INTEGER NOT NULL, 
	time BIGINT NOT NULL, 
	level TEXT NOT NULL, 
	title TEXT NOT NULL, 
	text TEXT NOT NULL, 
	CONSTRAINT pk_alerts PRIMARY KEY (pk), 
	CONSTRAINT fk_alerts_run FOREIGN KEY(run) REFERENCES runs (pk) ON DELETE CASCADE
);

CREATE INDEX ix_alerts_run ON alerts (run);

CREATE VIEW v_launches AS SELECT p.name AS project, e.name AS experiment, l.number, l.id, l.status, l.execution, l.command,
            l."user", l.host, l.notes, strftime('%Y-%m-%dT%H:%M:%S', l.created / 1000000, 'unixepoch') || printf('.%06dZ', l.created % 1000000) AS created, strftime('%Y-%m-%dT%H:%M:%S', l.started / 1000000, 'unixepoch') || printf('.%06dZ', l.started % 1000000) AS started, strftime('%Y-%m-%dT%H:%M:%S', l.ended / 1000000, 'unixepoch') || printf('.%06dZ', l.ended % 1000000) AS ended, (l.ended - l.started) / 1000000.0 AS seconds
        FROM launches AS l JOIN experiments AS e ON e.pk = l.experiment
        JOIN projects AS p ON p.pk = e.project;

CREATE VIEW v_runs AS SELECT p.name AS project, e.name AS experiment, r.number, r.id, r.name, r.status, l.number AS launch,
            r.execution, r.seed, r.tags, r.notes, r.parent, r.params, r.fields,
            strftime('%Y-%m-%dT%H:%M:%S', r.created / 1000000, 'unixepoch') || printf('.%06dZ', r.created % 1000000) AS created, strftime('%Y-%m-%dT%H:%M:%S', r.started / 1000000, 'unixepoch') || printf('.%06dZ', r.started % 1000000) AS started, strftime('%Y-%m-%dT%H:%M:%S', r.ended / 1000000, 'unixepoch') || printf('.%06dZ', r.ended % 1000000) AS ended, (r.ended - r.started) / 1000000.0 AS seconds
        FROM runs AS r JOIN experiments AS e ON e.pk = r.experiment
        JOIN projects AS p ON p.pk = e.project JOIN launches AS l ON l.pk = r.launch;

CREATE VIEW v_params AS SELECT p.name AS project, e.name AS experiment, r.id AS run_id, r.name AS run, v.name, COALESCE(v.whole, v.text, CASE WHEN abs(v.number) < 1e15 AND v.number = CAST(v.number AS integer) THEN CAST(CAST(v.number AS integer) AS text)
            ELSE CAST(v.number AS text) END) AS value, v.number FROM runs AS r JOIN experiments AS e ON e.pk = r.experiment
        JOIN projects AS p ON p.pk = e.project JOIN run_params AS v ON v.run = r.pk;

CREATE VIEW v_fields AS SELECT p.name AS project, e.name AS experiment, r.id AS run_id, r.name AS run, v.name, COALESCE(v.whole, v.text, CASE WHEN abs(v.number) < 1e15 AND v.number = CAST(v.number AS integer) THEN CAST(CAST(v.number AS integer) AS text)
            ELSE CAST(v.number AS text) END) AS value, v.number FROM runs AS r JOIN experiments AS e ON e.pk = r.experiment
        JOIN projects AS p ON p.pk = e.project JOIN run_fields AS v ON v.run = r.pk;

CREATE VIEW v_metrics AS SELECT p.name AS project, e.name AS experiment, r.id AS run_id, r.name AS run, m.name, m.value, m.std, m.direction, m.count,
            m.step, strftime('%Y-%m-%dT%H:%M:%S', m.time / 1000000, 'unixepoch') || printf('.%06dZ', m.time % 1000000) AS time, m.minimum, m.maximum,
            m.total / m.numbers AS mean
        FROM runs AS r JOIN experiments AS e ON e.pk = r.experiment
        JOIN projects AS p ON p.pk = e.project JOIN run_metrics AS m ON m.run = r.pk;

CREATE VIEW v_tags AS SELECT p.name AS project, e.name AS experiment, r.id AS run_id, r.name AS run, t.tag FROM runs AS r JOIN experiments AS e ON e.pk = r.experiment
        JOIN projects AS p ON p.pk = e.project JOIN run_tags AS t ON t.run = r.pk;

CREATE VIEW v_alerts AS SELECT p.name AS project, e.name AS experiment, r.id AS run_id, r.name AS run, strftime('%Y-%m-%dT%H:%M:%S', a."time" / 1000000, 'unixepoch') || printf('.%06dZ', a."time" % 1000000) AS time, a.level,
            a.title, a.text
        FROM runs AS r JOIN experiments AS e ON e.pk = r.experiment
        JOIN projects AS p ON p.pk = e.project JOIN alerts AS a ON a.run = r.pk;

INSERT INTO gosset_version VALUES ('0002');
