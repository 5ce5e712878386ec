"""What notebooks show: small pages of their own, in which nothing that users write is markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import gosset as gs

HOSTILE = "<script>alert(1)</script>\u202e\n& \"'"
ALLOWED = {"div", "strong", "table", "tr", "th", "td", "p"}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not attrs
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(thing: object) -> str:
    """Return the display of a thing, which must be whole, plain and its own."""
    html: str = thing._repr_html_()  # type: ignore[attr-defined]
    parser = _Tags()
    parser.feed(html)
    assert not parser.open
    assert parser.seen <= ALLOWED
    assert "\u202e" not in html
    assert not re.search(r"https?:|src=|href=", html)
    return html


@pytest.fixture
def store(tmp_path: Path) -> gs.Store:
    url = f"sqlite:///{tmp_path}/lab.db"
    with gs.start_run("e <b>", project="p <i>", params={"opt <u>": HOSTILE, "lr": 0.1}, store=url) as run:  # fmt: skip
        run.log({"loss <s>": 0.25})
        run.set_tags("draft")
        run.fields["note"] = HOSTILE
        text = checked(run)
        assert "&lt;script&gt;" in text
        assert "running" in text
    return gs.open_store(url)


def test_a_store_tells_what_it_holds(store: gs.Store) -> None:
    html = checked(store)
    assert "<tr><th>runs</th><td>1</td></tr>" in html
    assert "loss &lt;s&gt;" in html


def test_runs_are_a_table_that_says_what_it_leaves_out(store: gs.Store) -> None:
    html = checked(store.runs())
    assert "0.2500" in html
    assert " of " not in html
    for _ in range(21):
        gs.start_run("many", store=store.url).finish()
    assert "20 of 22 runs" in checked(store.runs())
    assert repr(store.runs()) == f"<22 runs of {store.url}>"
    assert "<table>" in checked(store.runs("seed == 7"))


def test_entities_tell_themselves(store: gs.Store) -> None:
    [run] = store.runs()
    html = checked(run)
    assert "opt &lt;u&gt;" in html
    assert "draft" in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202e\\n" in html
    for kind, word in (("projects", "p &lt;i&gt;"), ("experiments", "e &lt;b&gt;"), ("launches", "#1")):  # fmt: skip
        [entity] = store.select(kind)
        assert word in checked(entity)


def test_declared_projects_and_experiments_tell_themselves() -> None:
    project = gs.Project("Lab", description=HOSTILE)
    experiment = gs.Experiment(
        "quick", project=project, steps=[_step], parameters={"lr": [HOSTILE] * 50}
    )
    assert "quick" in checked(project)
    html = checked(experiment)
    assert "experiment Lab/quick" in html
    assert "characters)" in html


def _step(run: object) -> None:
    """Do nothing."""
