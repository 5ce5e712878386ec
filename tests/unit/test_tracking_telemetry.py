"""What is known of a run that nobody logged: what it printed, where it comes from, how busy it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gosset as gs
from gosset.provenance.redaction import redact, redact_source, redact_values
from gosset.provenance.suspicion import known_secrets, suspicious, suspicious_values

SECRETIVE = """api_key TOKEN pw --password x = : 'v4lue' " sk- hf_ ghp_ 0123456789abcdefghij https://
me:pw@ host AKIA ABCDEFGHIJKLMNOP eyJabcdefgh.abcdefgh.x sessionId Cred ? & privateKey xoxb- AIza
Bearer"""
PIECES = st.sampled_from([*SECRETIVE.split(), " ", "\n"])


@given(st.lists(PIECES, max_size=8).map("".join))
def test_whatever_holds_a_secret_looks_like_it(text: str) -> None:
    found = redact(text) != text or redact_source(text) != text
    assert suspicious(text) or not found


@given(st.dictionaries(PIECES, st.lists(PIECES, max_size=6).map("".join), max_size=3))
def test_whatever_values_hold_a_secret_look_like_it(values: dict[str, str]) -> None:
    assert suspicious_values({"a": [values]}) or redact_values({"a": [values]}) == {"a": [values]}


def test_variables_that_are_named_like_secrets_hold_one_unless_they_hold_a_word() -> None:
    environ = {"A_TOKEN": "correct-horse", "MY_KEY": "production", "B_KEY": "k3y-012345"}
    environ |= {"DB_PASSWORD": "short", "PWD": "/home/me/lab", "TOKENIZERS": "parallel"}
    assert known_secrets(environ) == ["correct-horse", "k3y-012345"]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/lab.db"


def test_secret_parameters_are_the_scripts_alone(url: str, tmp_path: Path) -> None:
    given = {"lr": 0.1, "api_key": "tok-0123456789", "max_tokens": 7, "token": 3}
    config = {"db": {"url": "postgresql://me:hush-hush@host/lab", "password": ["pass-word-9"]}}
    with gs.start_run(params=given, config=config, store=url) as run:
        run.log_params({"secret": "geheim-geheim"})
        run.config.update({"auth_token": "auth-auth-auth"})
        assert dict(run.params) == {**given, "secret": "geheim-geheim"}
        assert run.config.db == config["db"]
    with gs.open_store(url) as store:
        found = store.run(run.id)
        assert found.params == {
            "lr": 0.1, "api_key": "***", "max_tokens": 7, "token": 3, "secret": "***",
        }  # fmt: skip
        assert found.config["db"] == {"url": "postgresql://me:***@host/lab", "password": ["***"]}
        assert found.config["auth_token"] == "***"
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    for secret in (b"tok-0123", b"hush-hush", b"pass-word", b"geheim", b"auth-auth"):
        assert secret not in kept


def test_an_exception_tells_no_secret(url: str) -> None:
    with pytest.raises(ValueError, match="hush"), gs.start_run(store=url) as run:
        raise ValueError("cannot reach postgresql://me:hush-hush@host/lab")
    with gs.open_store(url) as store:
        told = store.run(run.id).exception
    assert told is not None
    assert told.message == "cannot reach postgresql://me:***@host/lab"
