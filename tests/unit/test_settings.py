import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from gosset.exceptions import SettingsError, StoreReadOnlyError
from gosset.settings import (
    NAMES,
    Settings,
    artifacts_url,
    default_store_url,
    find_root,
    load_settings,
    prepare_store_folder,
    sqlite_path,
    sqlite_url,
)
from gosset.settings.editing import set_value
from gosset.store import open_store


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment whose user file is in the test's own folder."""
    return {"XDG_CONFIG_HOME": str(tmp_path / "home")}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "lab"
    (folder / ".gosset").mkdir(parents=True)
    return folder


def user_file(environ: Mapping[str, str]) -> Path:
    path = Path(environ["XDG_CONFIG_HOME"]) / "gosset" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


# -- precedence and origins


def test_the_first_ever_start_needs_no_file(tmp_path: Path, environ: dict[str, str]) -> None:
    settings = load_settings(tmp_path, environ=environ)
    assert settings == Settings(root=tmp_path.resolve())
    assert {settings.origin(name) for name in NAMES} == {"default"}


def test_each_layer_wins_over_the_one_before(root: Path, environ: dict[str, str]) -> None:
    layers = [
        (user_file(environ), "u"),
        (root / "gosset.toml", "p"),
        (root / ".gosset" / "config.toml", "l"),
    ]
    for path, word in layers:
        path.write_text(f'executor = "{word}"')
        settings = load_settings(root, environ=environ)
        assert (settings.executor, settings.origin("executor")) == (word, str(path))
    environ["GOSSET_EXECUTOR"] = "e"
    settings = load_settings(root, environ=environ)
    assert (settings.executor, settings.origin("executor")) == ("e", "GOSSET_EXECUTOR")
    settings = load_settings(root, environ=environ, arguments={"executor": "a"})
    assert (settings.executor, settings.origin("executor")) == ("a", "argument")


def test_layers_add_up_name_by_name(root: Path, environ: dict[str, str]) -> None:
    user_file(environ).write_text('executor = "inline"\njobs = 2')
    (root / "gosset.toml").write_text('jobs = 3\nproject = "Examples"')
    settings = load_settings(root, environ=environ)
    assert (settings.executor, settings.jobs, settings.project) == ("inline", 3, "Examples")


def test_what_is_empty_or_none_counts_as_not_given(root: Path, environ: dict[str, str]) -> None:
    environ["GOSSET_EXECUTOR"] = ""
    assert load_settings(root, environ=environ, arguments={"jobs": None}) == Settings(root=root)


def test_numbers_of_the_environment_are_numbers(root: Path, environ: dict[str, str]) -> None:
    environ["GOSSET_JOBS"] = "4"
    assert load_settings(root, environ=environ).jobs == 4


def test_the_process_environment_is_read_by_default(
    root: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", environ["XDG_CONFIG_HOME"])
    monkeypatch.setenv("GOSSET_PROJECT", "Examples")
    assert load_settings(root).project == "Examples"


def test_origin_of_an_unknown_name_is_refused() -> None:
    with pytest.raises(SettingsError, match="no setting 'job'; did you mean 'jobs'"):
        Settings().origin("job")


# -- files


def test_pyproject_is_a_project_file_where_it_has_the_section(
    root: Path, environ: dict[str, str]
) -> None:
    (root / "gosset.toml").write_text("jobs = 1")
    inner = root / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text('[project]\nname = "x"')
    assert load_settings(inner, environ=environ).jobs == 1
    (inner / "pyproject.toml").write_text("[tool.gosset]\njobs = 2")
    assert load_settings(inner, environ=environ).jobs == 2
    (inner / "gosset.toml").write_text("jobs = 3")
    assert load_settings(inner / "deeper", environ=environ).jobs == 3


def test_relative_paths_are_taken_from_the_folder_that_names_them(
    root: Path, environ: dict[str, str]
) -> None:
    (root / "gosset.toml").write_text('store = "sqlite:///lab.db?mode=ro"\nartifacts = "bytes"')
    below = root / "a" / "b"
    below.mkdir(parents=True)
    settings = load_settings(below, environ=environ)
    assert settings.store == f"sqlite:///{root}/lab.db?mode=ro"
    assert settings.artifacts == f"{root}/bytes"
    settings = load_settings(below, environ={**environ, "GOSSET_STORE": "sqlite:///lab.db"})
    assert settings.store == f"sqlite:///{below}/lab.db"


@pytest.mark.parametrize("url", ["memory://", "sqlite://", "sqlite:////x/y.db", "postgresql://h/d"])
def test_other_urls_stay_as_they_are(url: str, root: Path, environ: dict[str, str]) -> None:
    assert load_settings(root, environ=environ, arguments={"store": url}).store == url


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('stoer = "x"', "there is no setting 'stoer'; did you mean 'store'"),
        ("jobs = true", "jobs is True; it is a whole number, 1 or more"),
        ("jobs = 0", "jobs is 0"),
        ('jobs = "many"', "jobs is 'many'"),
        ("executor = 3", "executor is 3; it is a text"),
        ('executor = ""', "executor is ''"),
        ('progress = "On"', "progress is 'On'; did you mean 'on'"),
        ('store = "lab.db"', "it is a URL, such as 'sqlite:///lab.db'"),
        ("jobs = 1\njobs =\n", r"is not TOML: .*line 2"),
        ("[jobs]", "jobs is {}"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(
    text: str, message: str, root: Path, environ: dict[str, str]
) -> None:
    path = root / "gosset.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=f"{path}.*{message}"):
        load_settings(root, environ=environ)


def test_bytes_that_are_no_text_are_named(root: Path, environ: dict[str, str]) -> None:
    (root / "gosset.toml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="is not TOML"):
        load_settings(root, environ=environ)


def test_a_section_that_is_no_table_is_refused(root: Path, environ: dict[str, str]) -> None:
    (root / "pyproject.toml").write_text("[tool]\ngosset = 3")
    with pytest.raises(SettingsError, match=r"\[tool.gosset\] is not a table"):
        load_settings(root, environ=environ)


def test_a_misspelled_variable_is_refused_and_a_foreign_one_is_not(
    root: Path, environ: dict[str, str]
) -> None:
    load_settings(root, environ={**environ, "GOSSET_SERVER_TOKEN": "x"})
    for slip, meant in [("STOER", "store"), ("JOBB", "jobs"), ("PROJ", "project")]:
        with pytest.raises(SettingsError, match=rf"GOSSET_{slip}: .*did you mean '{meant}'"):
            load_settings(root, environ={**environ, f"GOSSET_{slip}": "x"})


def test_an_unknown_argument_is_refused(root: Path, environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="there is no setting 'worker'"):
        load_settings(root, environ=environ, arguments={"worker": 1})


# -- set_value


@pytest.mark.parametrize(
    ("scope", "place"),
    [
        ("user", "home/gosset/config.toml"),
        ("project", "lab/gosset.toml"),
        ("local", "lab/.gosset/config.toml"),
    ],
)
def test_setting_works_the_first_time_and_reads_back(
    scope: str, place: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    lab = tmp_path / "lab"
    lab.mkdir()
    path = set_value(scope, "jobs", "4", start=lab, environ=environ)
    assert path == tmp_path / place
    set_value(scope, "project", 'My "own" \\ ü', start=lab, environ=environ)
    settings = load_settings(lab, environ=environ)
    assert (settings.jobs, settings.project) == (4, 'My "own" \\ ü')
    set_value(scope, "jobs", None, start=lab, environ=environ)
    assert load_settings(lab, environ=environ).jobs is None
    assert not list(path.parent.glob(".config-*"))


FILE = """\
# ours
executor = "inline"   # not "processes" # really

jobs=2
"""

PYPROJECT = """\
[project]
name = "x"  # [tool.gosset]

[tool.gosset]  # ours
jobs = 2

[tool.other]
jobs = 7
"""


@pytest.mark.parametrize(
    ("name", "before", "assignments", "after"),
    [
        ("gosset.toml", FILE, {"jobs": 3}, FILE.replace("jobs=2", "jobs = 3")),
        ("gosset.toml", FILE, {"jobs": None}, FILE.replace("jobs=2\n", "")),
        ("gosset.toml", FILE, {"executor": "a#b"}, FILE.replace('"inline"', '"a#b"')),
        ("gosset.toml", FILE, {"project": "P"}, FILE + 'project = "P"\n'),
        ("gosset.toml", FILE.rstrip(), {"project": "P"}, FILE + 'project = "P"\n'),
        ("gosset.toml", "jobs = 1\r\n", {"project": "P"}, 'jobs = 1\r\nproject = "P"\r\n'),
        ("gosset.toml", FILE, {"artifacts": None}, FILE),
        ("pyproject.toml", "[tool.gosset]", {"jobs": 3}, "[tool.gosset]\njobs = 3\n"),
        ("pyproject.toml", PYPROJECT, {"jobs": 3}, PYPROJECT.replace("jobs = 2", "jobs = 3")),
        (
            "pyproject.toml",
            PYPROJECT,
            {"project": "P"},
            PYPROJECT.replace("jobs = 2\n", 'jobs = 2\nproject = "P"\n'),
        ),
    ],
)
def test_editing_changes_one_line_and_keeps_the_rest(
    name: str, before: str, assignments: dict[str, object], after: str, root: Path
) -> None:
    path = root / name
    path.write_bytes(before.encode())
    for setting, value in assignments.items():
        set_value("project", setting, value, start=root, environ={})
    assert path.read_bytes().decode() == after
    tomllib.loads(after)


def test_a_pyproject_without_our_section_is_left_alone(root: Path) -> None:
    path = root / "pyproject.toml"
    path.write_text('[project]\nname = "x"')
    assert set_value("project", "jobs", 1, start=root, environ={}) == root / "gosset.toml"
    assert path.read_text() == '[project]\nname = "x"'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "tool.gosset.jobs = 2\n"),
        ("pyproject.toml", "[tool]\ngosset = {jobs = 2}\n"),
        ("gosset.toml", 'project = """\njobs = 2\n"""\n'),
    ],
)
def test_a_file_that_no_line_can_change_is_left_alone(name: str, text: str, root: Path) -> None:
    path = root / name
    path.write_text(text)
    with pytest.raises(SettingsError, match="cannot be edited line by line; change 'jobs'"):
        set_value("project", "jobs", 3, start=root, environ={})
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("scope", "name", "value", "message"),
    [
        ("usr", "jobs", 1, "there is no scope 'usr'; did you mean 'user'"),
        ("local", "job", 1, "there is no setting 'job'; did you mean 'jobs'"),
        ("local", "jobs", "x", "jobs is 'x'"),
    ],
)
def test_what_cannot_be_set_writes_nothing(
    scope: str, name: str, value: object, message: str, root: Path
) -> None:
    with pytest.raises(SettingsError, match=message):
        set_value(scope, name, value, start=root, environ={})
    assert not list((root / ".gosset").iterdir())


def test_a_link_and_the_mode_of_a_file_survive(root: Path) -> None:
    real = root / "real.toml"
    real.write_text("jobs = 1")
    real.chmod(0o640)
    (root / "gosset.toml").symlink_to(real)
    set_value("project", "jobs", 2, start=root, environ={})
    assert (root / "gosset.toml").is_symlink()
    assert real.read_text() == "jobs = 2\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


# -- places


@pytest.mark.parametrize("mark", [".gosset", "gosset.toml", "pyproject.toml"])
def test_the_root_is_the_nearest_folder_with_a_mark(mark: str, tmp_path: Path) -> None:
    below = tmp_path / "a" / "b" / "c"
    below.mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    place = tmp_path / "a" / "b" / mark
    place.touch() if "." in mark[1:] else place.mkdir()
    assert find_root(below) == tmp_path / "a" / "b"


def test_without_a_mark_the_folder_itself_is_the_root(tmp_path: Path) -> None:
    assert find_root(tmp_path / "new") == tmp_path / "new"


def test_the_store_url_is_the_one_that_is_set_or_lies_in_the_root(tmp_path: Path) -> None:
    assert Settings(root=tmp_path).store_url == default_store_url(tmp_path)
    assert default_store_url(tmp_path) == f"sqlite:///{tmp_path}/.gosset/store.db"
    assert Settings(root=tmp_path, store="memory://").store_url == "memory://"


@pytest.mark.parametrize(
    ("store", "artifacts"),
    [
        ("sqlite:////lab/.gosset/store.db", "/lab/.gosset/artifacts"),
        ("sqlite:////lab/iris.db", "/lab/iris-artifacts"),
        ("sqlite+pysqlite:////lab/iris.db?mode=ro", "/lab/iris-artifacts"),
        ("sqlite:///iris.db", "/root-of-it/iris-artifacts"),
        ("sqlite://", "memory://"),
        ("sqlite:///:memory:", "memory://"),
        ("memory://", "memory://"),
        ("postgresql+psycopg://u@h/d", "/root-of-it/.gosset/artifacts"),
        ("https://lab.example", "https://lab.example"),
    ],
)
def test_where_the_artifacts_of_a_store_lie(store: str, artifacts: str) -> None:
    assert artifacts_url(store, Settings(root=Path("/root-of-it"))) == artifacts
    assert artifacts_url(store, Settings(artifacts="s3://bucket")) == "s3://bucket"


def test_the_store_folder_hides_itself_from_version_control(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / ".gosset"
    prepare_store_folder(folder)
    prepare_store_folder(folder)
    assert (folder / ".gitignore").read_text().splitlines()[-1] == "*"


def test_nothing_is_put_into_a_folder_of_the_users_own(tmp_path: Path) -> None:
    prepare_store_folder(tmp_path / "results")
    assert not list((tmp_path / "results").iterdir())


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreReadOnlyError, match=r"file/\.gosset cannot be made: Not a directory"):
        prepare_store_folder(tmp_path / "file" / ".gosset")


@pytest.mark.parametrize("name", ["sp ace ü.db", "100%41.db", "why?.db", "a#b.db"])
def test_a_file_of_any_name_has_one_url_that_opens_it(
    name: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    url = sqlite_url(tmp_path / name)
    assert sqlite_path(url) == tmp_path / name
    with open_store(url) as store:
        assert (tmp_path / name).is_file()
        assert store.url == url
    with open_store(url, create=False) as again:
        assert again.runs() == []
    given = load_settings(tmp_path, arguments={"store": f"sqlite:///{url.rpartition('/')[2]}"})
    assert given.store == url


def test_only_what_a_url_would_read_otherwise_is_encoded_in_it() -> None:
    assert sqlite_url(Path("/sp ace ü.db")) == "sqlite:////sp ace ü.db"
