"""Records that cannot be written at once: none is lost, and none is silently missing."""

import threading

import pytest

from gosset.exceptions import StorageError
from gosset.running.recording import FLUSH_EVERY, Recorder
from gosset.storage.changes import RunUpdate

UPDATE = RunUpdate(id="one")


class Refusing:
    """A catalog that cannot be written for the first `times`."""

    def __init__(self, times):
        self.times = times
        self.written = []
        self.refused = threading.Event()

    def record(self, batch):
        if self.times:
            self.times -= 1
            self.refused.set()
            raise StorageError("the database is locked")
        self.written.extend(batch.runs)


def record(catalog):
    with Recorder(catalog) as recorder:
        recorder.add(runs=[UPDATE])
        assert catalog.refused.wait(20 * FLUSH_EVERY)


def record_more(catalog):
    with Recorder(catalog) as recorder:
        recorder.add(runs=[UPDATE])
        recorder._thread.join(20 * FLUSH_EVERY)
        recorder.add(runs=[UPDATE])
        pytest.fail("the second was taken")


def test_what_could_not_be_written_is_tried_again_at_the_end():
    catalog = Refusing(times=1)
    record(catalog)
    assert catalog.written == [UPDATE]


def test_what_cannot_be_written_is_an_error_also_when_nothing_follows_it():
    with pytest.raises(StorageError, match="locked"):
        record(Refusing(times=2))


def test_work_that_goes_on_learns_that_its_records_are_not_written():
    with pytest.raises(StorageError, match="locked"):
        record_more(Refusing(times=2))
