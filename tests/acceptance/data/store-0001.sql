-- A store as the first version of the schema wrote it: sqlite3 store.db .dump
BEGIN TRANSACTION;
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
INSERT INTO "artifact_links" VALUES(1,1,0,'squares','json','62e06d89b12b17fd1de41ddb58ae0494e87a0c255436ce0cfcd10e1153cde763',5,X'5B302C315D',1);
INSERT INTO "artifact_links" VALUES(1,2,0,'largest','json','d63bd9a826af91c1fea371965a64e11ee20f13e46b5f52c59901136605b3a487',1,X'31',1);
INSERT INTO "artifact_links" VALUES(1,3,0,'squares','json','7d9591226f561fe33ecb9eaa3d28d93fdff78a4b62ceb290f61306932ac38325',7,X'5B302C312C345D',1);
INSERT INTO "artifact_links" VALUES(1,4,0,'largest','json','e67a9c4536256f1ec7495a146b5442fa7c0ed99e258a08260a4a244fa31c7c61',1,X'34',1);
INSERT INTO "artifact_links" VALUES(1,5,0,'train','json','03f88b99c3d8073bba8948d6e762aac443b265f606cc05abd4d172f03a4def6a',4,X'6E756C6C',1);
INSERT INTO "artifact_links" VALUES(1,5,1,'@logged','json','c56a7b81c966d0f097d82524c8da17cf33d175b9e03ec12357db1a3b4228f76a',67,X'7B226D657472696373223A7B226C6F7373223A302E357D2C226669656C6473223A7B2273756D223A362C226E6F7465223A226B657074227D2C2274616773223A5B5D7D',1);
INSERT INTO "artifact_links" VALUES(1,6,0,'train','json','03f88b99c3d8073bba8948d6e762aac443b265f606cc05abd4d172f03a4def6a',4,X'6E756C6C',1);
INSERT INTO "artifact_links" VALUES(1,6,1,'@logged','json','53fe86d8f2d0d27f392f8a2c46d7051e2e5aa1e6c5aee63e2e4d4ea94ea4d121',82,X'7B226D657472696373223A7B226C6F7373223A302E333333333333333333333333333333337D2C226669656C6473223A7B2273756D223A372C226E6F7465223A226B657074227D2C2274616773223A5B5D7D',1);
INSERT INTO "artifact_links" VALUES(1,7,0,'@logged','json','1563a1259714fe52c5e4815c98a8b42d8948b165ca8754f846abc664a54cc6c6',68,X'7B226D657472696373223A7B226C6F7373223A302E32357D2C226669656C6473223A7B2273756D223A382C226E6F7465223A226B657074227D2C2274616773223A5B5D7D',1);
INSERT INTO "artifact_links" VALUES(2,1,0,'largest','json','d63bd9a826af91c1fea371965a64e11ee20f13e46b5f52c59901136605b3a487',1,X'31',1);
INSERT INTO "artifact_links" VALUES(2,2,0,'largest','json','e67a9c4536256f1ec7495a146b5442fa7c0ed99e258a08260a4a244fa31c7c61',1,X'34',1);
INSERT INTO "artifact_links" VALUES(2,3,0,'squares','json','62e06d89b12b17fd1de41ddb58ae0494e87a0c255436ce0cfcd10e1153cde763',5,X'5B302C315D',1);
INSERT INTO "artifact_links" VALUES(2,4,0,'squares','json','7d9591226f561fe33ecb9eaa3d28d93fdff78a4b62ceb290f61306932ac38325',7,X'5B302C312C345D',1);
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
INSERT INTO "attempts" VALUES(1,1,'complete','inline',1,1795298374996620,1795298374996809,NULL);
INSERT INTO "attempts" VALUES(2,1,'complete','inline',1,1795298375017752,1795298375017941,NULL);
INSERT INTO "attempts" VALUES(3,1,'complete','inline',1,1795298383383021,1795298383383181,NULL);
INSERT INTO "attempts" VALUES(4,1,'complete','inline',1,1795298383397952,1795298383398261,NULL);
INSERT INTO "attempts" VALUES(5,1,'failed','inline',1,1795298383403663,1795298383403840,'["ValueError","three is too many","Traceback (most recent call last):\n  File \"/lab/gosset/blueprints/stages.py\", line 59, in __call__\n    return self.function(run)\n           ^^^^^^^^^^^^^^^^^^\n  File \"/lab/old.py\", line 9, in train\n    if run.params.A==3: raise ValueError(\"three is too many\")\n                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\nValueError: three is too many\n"]');
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
INSERT INTO "cache_entries" VALUES(1,'13432d25be10eeff8fff45a5f93b65b3c208062e4abcd1e9e303d528bf12f076','26743dcb2156265112fbefb17100995a4abb12ee996cb3c245a728b0edcb209f','largest','{"code":"7324feba41e17491ffdec1d470072555bd3dd81333d5b3f6d6c198685ece776c","parameters":{},"inputs":{"squares":"json:62e06d89b12b17fd1de41ddb58ae0494e87a0c255436ce0cfcd10e1153cde763"}}',1.23644000268541276454e-04,1795298374996456,0);
INSERT INTO "cache_entries" VALUES(2,'6786ededc32825f42f7889fad46b93e815258cd5c9926a6f92be4026ff69811f','26743dcb2156265112fbefb17100995a4abb12ee996cb3c245a728b0edcb209f','largest','{"code":"7324feba41e17491ffdec1d470072555bd3dd81333d5b3f6d6c198685ece776c","parameters":{},"inputs":{"squares":"json:7d9591226f561fe33ecb9eaa3d28d93fdff78a4b62ceb290f61306932ac38325"}}',0.000160830000822898,1795298375017547,0);
INSERT INTO "cache_entries" VALUES(3,'73673fa578fae261142a479af4054bda80601fcc40fd1b8c011680d1dde58888','5b856f563f894c55e9c98d029f64d466f51e5d721e0b84e1a19a0cac968cff15','squares','{"code":"32bc459ba557c1cabb93f9af5848e034c3a98b79dff30c96d294497f966a3210","parameters":{"n":2},"inputs":{}}',3.43928999973286408931e-02,1795298374961967,0);
INSERT INTO "cache_entries" VALUES(4,'caef913547d0cca5be45a9b2d33213d7c83c238ae6ddb36f4ca7c6462c8e4f7b','9f035fd33b6591f03341a33889e9f605c137136f76a85664ecf0402ae5c882ca','squares','{"code":"32bc459ba557c1cabb93f9af5848e034c3a98b79dff30c96d294497f966a3210","parameters":{"n":3},"inputs":{}}',2.05709260008006822317e-02,1795298374996861,0);
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
INSERT INTO "computations" VALUES(1,'01a2001f-3554-7b54-9957-cbeb3e33b0bc',1,1,'squares',NULL,'computed','73673fa578fae261142a479af4054bda80601fcc40fd1b8c011680d1dde58888','{}',1795298374961967,3.43928999973286408931e-02,1.07565530000000020294e-02,78573568,'""',NULL);
INSERT INTO "computations" VALUES(2,'01a2001f-3554-7bf4-8bcd-0dda0a8fb2de',1,1,'largest',NULL,'computed','13432d25be10eeff8fff45a5f93b65b3c208062e4abcd1e9e303d528bf12f076','{"squares":"json:62e06d89b12b17fd1de41ddb58ae0494e87a0c255436ce0cfcd10e1153cde763"}',1795298374996456,1.23644000268541276454e-04,1.2383400000004485264e-04,78573568,'""',NULL);
INSERT INTO "computations" VALUES(3,'01a2001f-3569-7d70-a35f-e49573ce8c75',1,2,'squares',NULL,'computed','caef913547d0cca5be45a9b2d33213d7c83c238ae6ddb36f4ca7c6462c8e4f7b','{}',1795298374996861,2.05709260008006822317e-02,5.69889000000101120235e-04,78573568,'""',NULL);
INSERT INTO "computations" VALUES(4,'01a2001f-3569-7e1b-848d-89c872c15d05',1,2,'largest',NULL,'computed','6786ededc32825f42f7889fad46b93e815258cd5c9926a6f92be4026ff69811f','{"squares":"json:7d9591226f561fe33ecb9eaa3d28d93fdff78a4b62ceb290f61306932ac38325"}',1795298375017547,0.000160830000822898,1.60859999999929392799e-04,78573568,'""',NULL);
INSERT INTO "computations" VALUES(5,'01a2001f-5617-713d-b999-5f04b9b7e148',2,3,'train',NULL,'computed',NULL,'{"run":"d208d9d49267d5ca5362591f83a10d0d3ddee2b6c350f6cace1e39d9461885a3"}',1795298383382307,6.29008001851616427302e-04,6.2984799999998841713e-04,222117888,'""',NULL);
INSERT INTO "computations" VALUES(6,'01a2001f-5626-7188-aa6a-f7cb415606d9',2,4,'train',NULL,'computed',NULL,'{"run":"feea85e2991c524e0bc598d8d4687a04f0e07f5ff739b472e612b737566dec02"}',1795298383383224,4.25794998591300100088e-04,4.26456000000019486151e-04,222117888,'""',NULL);
INSERT INTO "computations" VALUES(7,'01a2001f-562b-7b60-a3f8-5d8b1ae37d83',2,5,'train',NULL,'failed',NULL,'{"run":"976f36e22a30f33feae45ab4e76de01564212ea95eb13fcb0e53af7d222877bf"}',1795298383398322,1.41478899968205951154e-03,1.41624999999967471353e-03,222248960,'""','["ValueError","three is too many","Traceback (most recent call last):\n  File \"/lab/gosset/blueprints/stages.py\", line 59, in __call__\n    return self.function(run)\n           ^^^^^^^^^^^^^^^^^^\n  File \"/lab/old.py\", line 9, in train\n    if run.params.A==3: raise ValueError(\"three is too many\")\n                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\nValueError: three is too many\n"]');
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
CREATE TABLE environments (
	pk INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	content TEXT NOT NULL, 
	CONSTRAINT pk_environments PRIMARY KEY (pk), 
	CONSTRAINT uq_environments_digest UNIQUE (digest)
);
INSERT INTO "environments" VALUES(1,'4bcdf934e1a416ead7fb62e498287022ab38b7dc22e8c8286b96641f85c160ce','{"python": {"version": "3.11.7", "implementation": "CPython", "compiler": "GCC 12.2.0"}, "packages": ["gosset==0.1.0", "numpy==2.4.6"], "os": {"system": "Linux", "release": "6.1.0", "name": "Debian GNU/Linux 12 (bookworm)", "machine": "x86_64"}, "cpu": {"model": "a processor", "cores": 2, "usable": 2}, "memory": 17179869184, "gpus": [], "threads": {}, "variables": {"LANG": "C.UTF-8"}}');
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
INSERT INTO "executions" VALUES(1,'01a2001f-3470-72f1-866e-bd2dc735c8d3',1,1,'59f386dede7dd15983043dfcb666ea6e6bf5366e7614041f5331440080520638','{"stages":{"squares":{"digest":"32bc459ba557c1cabb93f9af5848e034c3a98b79dff30c96d294497f966a3210","parts":{"__main__.squares":"25e1125204b01ece35d3b01e6b741d894e4e9ba06a0cc04397a874061f5a0d15"},"packages":{"python":"3.11"},"version":""},"largest":{"digest":"7324feba41e17491ffdec1d470072555bd3dd81333d5b3f6d6c198685ece776c","parts":{"__main__.largest":"42cdb86a1266e4f7af0d59c67a478f0d090858ad994e14612d7df15e02912f58"},"packages":{"python":"3.11"},"version":""}},"sources":{"__main__.squares":"@gs.stage\ndef squares(n: int = 1): return [i*i for i in range(n)]\n","__main__.largest":"@gs.metric(direction=\"maximize\")\ndef largest(squares): return max(squares)\n"},"unresolved":[]}',1795298374768247);
INSERT INTO "executions" VALUES(2,'01a2001f-55a3-704d-a750-98e1e33e0a3a',2,1,'7e51fc7b10d6a1cfdc8ed7f3ae454169a55e513958c455d6da185b971bd28815','{"stages":{"train":{"digest":"636f7e137c9040a11e827fc280541840169d4350460724af06c777dccfdab58c","parts":{"entry":"eb45b6433de26316040c97e2a3201ad053b14734c26182e03079577f28ec6116","__main__.train":"6602b0729c6c24ee879bfaef979bad15e9ab5f86e30a0a0b29c013867beaccd4"},"packages":{"gosset":"0.1.0","python":"3.11"},"version":""}},"sources":{"__main__.train":"def train(run):\n    run.log({\"loss\": 1/(1+run.params.A)}); run.fields[\"sum\"]=run.params.A+run.config.C; run.fields[\"note\"]=\"kept\"\n    if run.params.A==3: raise ValueError(\"three is too many\")\n"},"unresolved":[]}',1795298383267061);
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
INSERT INTO "experiments" VALUES(1,'01a2001f-3447-7b59-a4a9-922416ba3bdc',1,'squares','','{"kind":"stages","dataset":null,"splits":null,"parameters":{"n":[2,3]},"seeds":[0],"config":{},"objective":{"metric":"largest","direction":"maximize"},"stages":["squares"],"metrics":["largest"]}',1795298374727832,1,1,2);
INSERT INTO "experiments" VALUES(2,'01a2001f-5588-7d9a-8898-8d9d156a19bc',1,'stepped','','{"kind":"steps","dataset":null,"splits":null,"parameters":{"A":[1,2,3]},"seeds":[0],"config":{"C":5},"objective":null,"stages":["train"],"metrics":["loss"]}',1795298383240960,1,1,3);
CREATE TABLE gosset_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT gosset_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "gosset_version" VALUES('0001');
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
INSERT INTO "launches" VALUES(1,'01a2001f-3491-7266-81ad-dc0e35f43324',1,1,1,'complete','python /lab/old.py','ada','lab',31378,'','{"file":"/lab/old.py","executor":"inline","jobs":null,"cache":true,"timeout":null,"parameters":null,"seeds":null,"metrics":null}','{"kind":"files","files":{"old.py":"efa014e20acb81bd2e40ba01291687e1c1f58c42dcd2d87bb3c630e38eb8fbb8"},"notes":[]}','4bcdf934e1a416ead7fb62e498287022ab38b7dc22e8c8286b96641f85c160ce',1795298374801139,1795298374816521,1795298375117376,1795298374965443);
INSERT INTO "launches" VALUES(2,'01a2001f-55be-779d-a33c-76313986b3c4',2,1,1,'failed','python /lab/old.py','ada','lab',31378,'of version 1','{"file":"/lab/old.py","executor":"inline","jobs":null,"cache":true,"timeout":null,"parameters":null,"seeds":null,"metrics":null}','{"kind":"files","files":{"old.py":"efa014e20acb81bd2e40ba01291687e1c1f58c42dcd2d87bb3c630e38eb8fbb8"},"notes":[]}','4bcdf934e1a416ead7fb62e498287022ab38b7dc22e8c8286b96641f85c160ce',1795298383294465,1795298383296678,1795298383477447,1795298383316454);
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
INSERT INTO "projects" VALUES(1,'01a2001f-3431-7236-871f-f6e7f6f60b02','Lab','',1795298374705165);
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
INSERT INTO "run_fields" VALUES(3,'note',NULL,'kept',NULL);
INSERT INTO "run_fields" VALUES(3,'sum',6.0,NULL,NULL);
INSERT INTO "run_fields" VALUES(4,'note',NULL,'kept',NULL);
INSERT INTO "run_fields" VALUES(4,'sum',7.0,NULL,NULL);
INSERT INTO "run_fields" VALUES(5,'note',NULL,'kept',NULL);
INSERT INTO "run_fields" VALUES(5,'sum',8.0,NULL,NULL);
CREATE TABLE run_metrics (
	run INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	value DOUBLE, 
	std DOUBLE, 
	direction TEXT NOT NULL, 
	CONSTRAINT pk_run_metrics PRIMARY KEY (run, name), 
	CONSTRAINT fk_run_metrics_run FOREIGN KEY(run) REFERENCES runs (pk) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "run_metrics" VALUES(1,'largest',1.0,NULL,'maximize');
INSERT INTO "run_metrics" VALUES(2,'largest',4.0,NULL,'maximize');
INSERT INTO "run_metrics" VALUES(3,'loss',0.5,NULL,'none');
INSERT INTO "run_metrics" VALUES(4,'loss',3.33333333333333314829e-01,NULL,'none');
INSERT INTO "run_metrics" VALUES(5,'loss',0.25,NULL,'none');
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
INSERT INTO "run_params" VALUES(1,'n',2.0,NULL,NULL);
INSERT INTO "run_params" VALUES(2,'n',3.0,NULL,NULL);
INSERT INTO "run_params" VALUES(3,'A',1.0,NULL,NULL);
INSERT INTO "run_params" VALUES(4,'A',2.0,NULL,NULL);
INSERT INTO "run_params" VALUES(5,'A',3.0,NULL,NULL);
CREATE TABLE run_tags (
	run INTEGER NOT NULL, 
	tag TEXT NOT NULL, 
	CONSTRAINT pk_run_tags PRIMARY KEY (run, tag), 
	CONSTRAINT fk_run_tags_run FOREIGN KEY(run) REFERENCES runs (pk) ON DELETE CASCADE
)
 WITHOUT ROWID

;
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
	exception TEXT, 
	CONSTRAINT pk_runs PRIMARY KEY (pk), 
	CONSTRAINT fk_runs_experiment FOREIGN KEY(experiment) REFERENCES experiments (pk) ON DELETE CASCADE, 
	CONSTRAINT fk_runs_launch FOREIGN KEY(launch) REFERENCES launches (pk) ON DELETE CASCADE, 
	CONSTRAINT uq_runs_experiment_number UNIQUE (experiment, number), 
	CONSTRAINT uq_runs_id UNIQUE (id)
);
INSERT INTO "runs" VALUES(1,'01a2001f-34e3-7412-939b-c0fb48fcb5ab',1,1,1,1,'squares#1','complete',0,'5d3adb50b348ded961c6bc30dfa9be4a2ff869d22826cbb7888466c19faacecb',NULL,NULL,0,1795298374883228,1795298374996620,1795298374996809,'{"n":2}','{"largest":[1.0,null,[],"maximize"]}','{}','[]','[]',NULL);
INSERT INTO "runs" VALUES(2,'01a2001f-34e3-7517-a2a8-3349b352ebfd',1,1,2,1,'squares#2','complete',0,'cb56e3241eb13bab214d046199f6977c566d74bc3d61074a30b430de51e2c16b',NULL,NULL,0,1795298374883228,1795298375017752,1795298375017941,'{"n":3}','{"largest":[4.0,null,[],"maximize"]}','{}','[]','[]',NULL);
INSERT INTO "runs" VALUES(3,'01a2001f-55f4-7d90-a85d-bf54db801131',2,2,1,1,'stepped#1','complete',0,'7d0bdb5137b5c630766844a4196d3ec39838da894cd9c3ee65ccc38e03ca1078',NULL,NULL,0,1795298383348788,1795298383383021,1795298383383181,'{"A":1}','{"loss":[0.5,null,[],"none"]}','{"sum":6,"note":"kept"}','[]','[]',NULL);
INSERT INTO "runs" VALUES(4,'01a2001f-55f4-7e8e-82e9-8d9371197bc4',2,2,2,1,'stepped#2','complete',0,'0336869c3c1b8d8948e8b6feb04e0e7dab803991c9dc271ee9d1304ad3863eff',NULL,NULL,0,1795298383348788,1795298383397952,1795298383398261,'{"A":2}','{"loss":[0.3333333333333333,null,[],"none"]}','{"sum":7,"note":"kept"}','[]','[]',NULL);
INSERT INTO "runs" VALUES(5,'01a2001f-55f4-7ed0-a553-94e8ad90b33f',2,2,3,1,'stepped#3','failed',0,'338074de7c3db5203528b49cc53e43a016f9757bfd3a095e0b883f00bb16831d',NULL,NULL,0,1795298383348788,1795298383403663,1795298383403840,'{"A":3}','{"loss":[0.25,null,[],"none"]}','{"sum":8,"note":"kept"}','[]','[]','["ValueError","three is too many","Traceback (most recent call last):\n  File \"/lab/gosset/blueprints/stages.py\", line 59, in __call__\n    return self.function(run)\n           ^^^^^^^^^^^^^^^^^^\n  File \"/lab/old.py\", line 9, in train\n    if run.params.A==3: raise ValueError(\"three is too many\")\n                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\nValueError: three is too many\n"]');
CREATE TABLE splits (
	pk INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	folds INTEGER NOT NULL, 
	description TEXT NOT NULL, 
	CONSTRAINT pk_splits PRIMARY KEY (pk), 
	CONSTRAINT uq_splits_digest UNIQUE (digest)
);
CREATE INDEX ix_datasets_digest ON datasets (digest);
CREATE INDEX ix_launches_status ON launches (status);
CREATE INDEX ix_runs_launch ON runs (launch);
CREATE INDEX ix_runs_name ON runs (name);
CREATE INDEX ix_runs_status ON runs (status);
CREATE INDEX ix_run_params_name_number_run ON run_params (name, number, run);
CREATE INDEX ix_run_params_name_text_run ON run_params (name, text, run);
CREATE INDEX ix_run_fields_name_number_run ON run_fields (name, number, run);
CREATE INDEX ix_run_fields_name_text_run ON run_fields (name, text, run);
CREATE INDEX ix_run_metrics_name_value_run_direction ON run_metrics (name, value, run, direction);
CREATE INDEX ix_run_tags_tag_run ON run_tags (tag, run);
CREATE INDEX ix_computations_launch_run ON computations (launch, run);
CREATE INDEX ix_computations_run_stage_fold ON computations (run, stage, fold);
CREATE INDEX ix_cache_entries_recipe ON cache_entries (recipe);
CREATE INDEX ix_artifact_links_digest_kept ON artifact_links (digest, kept);
COMMIT;
