"""Files as values: they are their content, as it is now."""

import io
import os
import sys
import time
from pathlib import Path

import pytest

from gosset.exceptions import FingerprintError
from gosset.fingerprint import File, code_digest, digest
from gosset.fingerprint.files import files_in
from gosset.parameters import jsonable
from gosset.running import reads as noticed
from gosset.running.reads import noticing


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.txt"
    path.write_text("one two")
    return path


def test_same_content_is_the_same_file_wherever_it_lies(book):
    other = book.with_name("other.txt")
    other.write_text("one two")
    assert digest(File(book)) == digest(File(other))
    other.write_text("two one")
    assert digest(File(book)) != digest(File(other))
    assert digest(File(book)) != digest(str(book))


def test_change_is_seen_at_once_and_long_after(book, monkeypatch):
    for settled in (10**18, 0):
        monkeypatch.setattr("gosset.fingerprint.files._SETTLED", settled)
        book.write_text("one two")
        before = File(book).digest
        assert File(book).digest == before
        book.write_text("one two three")
        assert File(book).digest != before


def test_file_is_taken_for_its_path_and_shown_as_it(book):
    with open(File(book)) as file:
        assert file.read() == "one two"
    assert jsonable(File(book)) == str(File(book)) == str(book)
    assert [*files_in({"a": [File(book)], "b": 1})] == [File(book)]


def test_folder_or_nothing_is_no_file(tmp_path):
    for path, why in ((tmp_path, "Is a directory"), (tmp_path / "gone", "No such file")):
        with pytest.raises(FingerprintError, match=why):
            digest(File(path))


@pytest.mark.parametrize("within", [lambda file: file, lambda file: ({"a": [file]},)])
def test_file_of_a_function_that_is_called_counts_by_content_and_of_the_stage_as_parameter(
    book, within
):
    def made(file):
        held = within(file)

        def read(book=held, *, other=held):
            return book, other

        return read

    read = made(File(book))

    def called():
        return read()

    def digests():
        return code_digest(read).digest, code_digest(called).digest, digest(read)

    before = digests()
    copy = book.with_name("copy.txt")
    copy.write_text(book.read_text())
    assert code_digest(made(File(copy))).digest == before[0]
    book.write_text("three")
    after = digests()
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert after[2] != before[2]


def test_blocks_within_each_other_each_notice_their_own(book, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("x")
    time.sleep(0.03)  # what was written a moment ago looks as if the block had written it
    with noticing() as outer:
        with noticing() as inner:
            other.read_text()
        book.read_text()
    other.read_text()
    assert [found.foreign() for found in (outer, inner)] == [(str(book),), (str(other),)]
    assert inner.foreign([str(other)]) == inner.foreign(own=str(tmp_path)) == ()


class Odd:
    """Has a method of scikit-learn's name and a meaning of its own."""

    def get_params(self, which):
        return {"book": which}


class Declared(Odd):
    def __gosset_identity__(self):
        return 1

    def get_params(self):
        raise AssertionError("its identity is declared")


@pytest.mark.parametrize("value", [Odd(), Declared(), Odd, {"a": [Declared()]}])
def test_what_is_no_estimator_holds_no_files(value):
    assert [*files_in(value)] == []


def test_files_of_estimators_within_estimators_are_found(book):
    class Estimator:
        def __init__(self, **params):
            self.params = params

        def get_params(self, deep=True):
            return dict(self.params)

    assert [*files_in(Estimator(inner=Estimator(book=File(book))))] == [File(book)]


@pytest.fixture
def old_book(book):
    time.sleep(0.03)
    return book


def test_system_files_take_no_place_from_the_users_own(old_book, monkeypatch):
    monkeypatch.setattr(noticed, "_LIMIT", 3)
    with noticing() as reads:
        for _, path in zip(range(9), Path("/usr/share/zoneinfo").iterdir(), strict=False):
            if path.is_file():
                path.read_bytes()
        for name in ("hosts", "passwd", "group"):
            Path("/etc", name).read_bytes()
        old_book.read_text()
    assert reads.foreign() == (str(old_book),)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/shm is Linux's")
def test_shared_memory_holds_data_of_the_user():
    path = Path(f"/dev/shm/gosset-{os.getpid()}.txt")
    path.write_text("x")
    try:
        time.sleep(0.03)
        with noticing() as reads:
            path.read_text()
        assert reads.foreign() == (str(path),)
    finally:
        path.unlink()


def test_file_that_is_read_and_then_written_is_told_and_the_other_way_round_it_is_not(old_book):
    own = old_book.with_name("own.txt")
    with noticing() as reads:
        old_book.write_text(old_book.read_text() + " three")
        own.write_text("1")
        own.write_text(own.read_text() + "2")
    assert reads.foreign() == (str(old_book),)


def test_path_that_is_no_text_is_noticed(old_book):
    for path in (old_book, os.fsencode(old_book)):
        with noticing() as reads, io.FileIO(path) as file:
            file.read()
        assert reads.foreign() == (str(old_book),)


def test_opening_a_file_survives_whatever_noticing_it_meets(old_book, monkeypatch):
    def trouble(*_):
        raise RuntimeError("dictionary changed size during iteration")

    monkeypatch.setattr(noticed, "_importing", trouble)
    with noticing() as reads:
        assert old_book.read_text() == "one two"
    assert reads.foreign() == ()
