"""The record of one task instance through kills at any moment, lost answers, clears and a store that fails.

The rules are those of docs/retries.md, in ``Rules``: what may be sent follows from what an earlier try has said
before it ended, and the code is held to exactly that.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile

from airflow.providers.common.compat.sdk import AirflowTaskTimeout, ObjectStoragePath
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from paid_service import ANSWERS, REFUSALS, TIMEOUT, PaidService
from state_store import Store
from workers import Worker, edge

from airflow_provider_talecraft.api.models import CREDITS, IllustrationRequest
from airflow_provider_talecraft.exceptions import TaleCraftOutcomeUnknownError
from airflow_provider_talecraft.spending.record import SpendRecord, fingerprint
from airflow_provider_talecraft.spending.store import Pages, RecordFolder, StateKey

REQUESTS = {
    "fox": [IllustrationRequest("A fox")],
    "owl": [IllustrationRequest("An owl")],
    "fox, else owl": [IllustrationRequest("A fox"), IllustrationRequest("An owl")],
}


class Rules:
    """What is allowed. A try knows what earlier ones have saved, and what it has heard itself."""

    def __init__(self, max_replays, on_clear):
        self.max_replays, self.on_clear = max_replays, on_clear
        self.asked = None  # the request of the last try that began one, and the task's max_tries then
        self.answered, self.replays, self.unanswered, self.picture = True, 0, 0, None  # as saved
        self.delivered = self.forgotten = 0

    def next_try(self, asked, max_tries):
        """Return what it is to do: "find", "give up" or "send"."""
        self.now = (asked, max_tries)
        self.knows_answer, self.picture_heard, self.unanswered_now = self.answered, None, self.unanswered
        same = self.asked is not None and self.asked[0] == asked
        cleared = self.asked is not None and max_tries > self.asked[1]
        if self.picture and same and (not cleared or self.on_clear == "reuse"):
            return "find"
        if self.asked is not None and not same and cleared:  # another picture, with replays of its own
            self.starts_anew = True
            self.knows_answer, self.unanswered_now = True, 0
            return "send"
        self.starts_anew = False
        return "send" if self.answered or self.replays < self.max_replays else "give up"

    def began(self):
        if self.starts_anew:
            self.forgotten += self.unanswered
            self.replays, self.starts_anew = 0, False
        self.replays += not self.knows_answer
        self.unanswered_now += 1
        self.asked, self.unanswered = self.now, self.unanswered_now
        self.answered = self.knows_answer = False
        self.picture = None

    def posted(self, _):
        assert not self.answered, "nothing is sent before the record says so"
        assert self.replays <= self.max_replays, "a replay too many"

    def charged(self):
        pass

    def lost(self):
        pass

    def heard(self, picture):
        self.knows_answer, self.picture_heard = True, picture
        self.delivered += picture is not None
        self.unanswered_now -= 1

    def saved(self):
        if self.knows_answer:
            self.answered, self.picture, self.unanswered = True, self.picture_heard, self.unanswered_now


class Watched:
    """A keeper whose store may be gone, with an edge before and behind each write."""

    def __init__(self, keeper, machine):
        self._keeper, self._machine = keeper, machine
        self.place = keeper.place

    def load(self):
        edge("load")
        return self._keeper.load()

    def begin(self, entry):
        self._write(self._keeper.begin, entry, self._machine.rules.began)

    def save(self, entry):
        self._write(self._keeper.save, entry, self._machine.rules.saved)

    def _write(self, write, entry, tell):
        edge("write")
        if self._machine.is_broken:
            raise ConnectionError("the store is gone")
        write(entry)
        tell()
        edge("written")


class TaskInstanceOverTime(RuleBasedStateMachine):
    @initialize(
        kind=st.sampled_from(["key", "page", "folder"]),
        max_replays=st.integers(0, 2),
        on_clear=st.sampled_from(["regenerate", "reuse"]),
    )
    def begin(self, kind, max_replays, on_clear):
        self.kind, self.max_tries, self.is_broken = kind, 3, False
        self.rules = Rules(max_replays, on_clear)
        self.service = PaidService(self.rules)
        self.folder = tempfile.mkdtemp(prefix="talecraft-records-") if kind == "folder" else None
        self.store = RecordFolder(ObjectStoragePath(f"file://{self.folder}")) if kind == "folder" else Store()
        self.record = None

    @rule(
        asked=st.sampled_from(["fox", "fox", *REQUESTS]),
        answers=st.lists(st.sampled_from(ANSWERS), max_size=2),
        ends=st.sampled_from([None, None, "killed", AirflowTaskTimeout, SystemExit]),
        edges=st.integers(0, 9),
        store_changes=st.none() | st.integers(0, 9),
    )
    def a_try(self, asked, answers, ends=None, edges=0, store_changes=None):
        """Run a try; after so many edges the store breaks, or is mended, and after so many it ends in that way."""
        self.plan = self.rules.next_try(asked, self.max_tries)
        posts = self.service.posts
        worker = Worker(lambda: self.draw(asked, answers))
        for number in itertools.count():
            if number == store_changes:
                self.is_broken = not self.is_broken
            if worker.is_over or (ends and number == edges):
                break
            worker.step()
        if worker.is_over:
            worker.finish()
            self.judge(worker, answers, self.service.posts - posts)
        elif ends == "killed":
            worker.kill()
        else:
            worker.interrupt(ends("now"))
            worker.finish()

    @rule()
    def clear(self):
        self.max_tries += 4

    @rule()
    def mend_the_store(self):
        self.is_broken = False

    def draw(self, asked, answers):
        keeper = Pages(self.store).keeper("item") if self.kind == "page" else StateKey(self.store)
        requests = REQUESTS[asked]
        self.record = SpendRecord(
            Watched(keeper, self),
            fingerprint=fingerprint(*(request.payload() for request in requests)),
            max_tries=self.max_tries,
            try_number=1,
            max_replays=self.rules.max_replays,
            on_clear=self.rules.on_clear,
        )
        return self.record.obtain(requests, self.service.sending(answers))

    def judge(self, worker, answers, posts):
        """Hold the outcome of a try that nobody has ended against the plan."""
        assert not isinstance(worker.error, AssertionError), worker.error
        if self.plan == "find":
            assert (worker.result["id"], posts) == (self.rules.picture, 0), worker.error
        elif self.plan == "give up":
            assert (type(worker.error), posts) == (TaleCraftOutcomeUnknownError, 0)
            assert f"Up to {self.rules.unanswered * CREDITS} credits may have been charged" in str(worker.error)
            assert f"delete {Watched(StateKey(self.store), self).place}" in str(worker.error) or self.kind == "page"
        elif posts == 0 or (isinstance(worker.error, ConnectionError) and answers[:posts][-1:] == ["model failed"]):
            # Nothing is sent, nor the next of several prompts, while the store does not take down that it is.
            assert isinstance(worker.error, ConnectionError), worker.error
        else:
            last = (answers[:posts] + ["delivered"] * posts)[posts - 1]
            if last == "delivered":
                assert worker.result["id"] == self.service.charged[-1]
            else:
                expected = REFUSALS.get(last) or {TIMEOUT: AirflowTaskTimeout}.get(last, TaleCraftOutcomeUnknownError)
                assert type(worker.error) is expected, worker.error
        if not isinstance(worker.error, ConnectionError):
            assert self.record.unanswered == self.rules.unanswered_now
        assert len(self.service.charged) - self.rules.delivered <= self.rules.unanswered + self.rules.forgotten, (
            "a charge is neither a picture nor among those that the record names"
        )

    def teardown(self):
        if not hasattr(self, "rules"):
            return
        try:
            self.is_broken = False
            pictures = []
            for _ in range(2):  # with a store and a service that work, the first try ends it
                self.a_try(asked="fox", answers=[])
                pictures.append(self.rules.picture)
            assert pictures[0] == pictures[1]
            assert pictures[0] or self.plan == "give up"
        finally:
            if self.folder:
                shutil.rmtree(self.folder)


TestTheRecord = TaskInstanceOverTime.TestCase
