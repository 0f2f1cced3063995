"""One picture's place and two workers, in any order of what they do: kills, lost answers, other runs, a full disk.

The rules are those of docs/receipts.md, in ``Rules``, by what the service and the folder have seen from outside.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import shutil
import tempfile
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import AirflowTaskTimeout
from drawing import FAILURES, receipt
from fsspec.implementations.local import LocalFileSystem
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from paid_service import ANSWERS, PaidService
from state_store import TaskInstance
from workers import MOST_EDGES, Worker, current, edge

from airflow_provider_talecraft.api.models import IllustrationRequest
from airflow_provider_talecraft.exceptions import TaleCraftDownloadError, TaleCraftOutcomeUnknownError
from airflow_provider_talecraft.pictures.delivery import Delivery, Picture
from airflow_provider_talecraft.pictures.format import EXTENSIONS, Format
from airflow_provider_talecraft.spending import claims, once
from airflow_provider_talecraft.spending import receipt as receipts
from airflow_provider_talecraft.spending.once import DrawOnce
from airflow_provider_talecraft.spending.terms import Terms

LEASE = 5.0
REQUESTS = {"fox": [IllustrationRequest("A fox")], "owl": [IllustrationRequest("An owl")]}
#: Every other picture is a PNG: one that replaces another may have another name.
FORMATS = (Format("image/jpeg", ".jpeg", 1, 1), Format("image/png", ".png", 1, 1))


#: Edges at which a worker may stay for long.
RESTING = ("start", "answer", "fetched", "sleep")
numbers = st.integers(0, 1)


class Clock:
    """Time as the machine has it; it passes when somebody sleeps."""

    def __init__(self):
        self.now = 1_700_000_000.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        edge("sleep")
        self.now += seconds

    def datetimes(self):
        clock = self

        class Moment(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.fromtimestamp(clock.now, tz)

        return Moment


@dataclass(frozen=True)
class Gallery(Delivery):
    """Where pictures are fetched from, without a network."""

    machine: object = None

    @contextmanager
    def fetched(self, url):
        edge("fetch")
        if not self.machine.is_reachable:
            raise TaleCraftDownloadError("The gallery is closed.")
        content = url.encode()
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            edge("fetched")
            number = int(url.rpartition("-")[2].partition(".")[0])
            yield Picture(Path(file.name), len(content), sha256(content), FORMATS[number % 2])


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Rules:
    """What is allowed at one place, whoever asks.

    A series is all that is done for one request, until the receipt is another one's: with redraw="always" that of
    another run, or of a cleared task, is another one.
    """

    def __init__(self, max_replays, clock):
        self.max_replays, self._clock = max_replays, clock
        self._series, self._charges = None, []
        self.losses = 0  # tries that may have left a request without an answer
        self._on_their_way = []  # (worker, task instance, since)
        self.settled = False  # a task of this series has returned its picture
        self.noted = None  # the picture of this series whose answer stands in the receipt
        self.standing = None  # the series whose picture stands, and is described, whatever was asked for since
        self._last_put = None  # the worker that put a picture there
        self._writers = []  # the workers that have said that they ask

    def posted(self, _):
        worker = current()
        for other, ti, since in self._on_their_way:
            others = other is not worker and ti != worker.ti
            assert not others or self._clock.now > since + LEASE, "two requests are on their way at the same time"
        # A worker that is taken for dead, and is not, has no answer for the one that tries its task again; what that
        # one sends is a replay, even if the slow one has not sent yet.
        twins = [other for other in self._writers if other is not worker and other.ti == worker.ti]
        self.losses += bool(twins)
        for twin in twins:
            twin.is_replayed = True
        self._on_their_way.append((worker, worker.ti, self._clock.now))
        self.belongs_to(worker)
        worker.number = len(self._charges) - 1
        assert worker.is_replayed or not self.settled, "what stands is drawn again"
        assert worker.is_replayed or self.noted is None, "what is paid for, and not stored yet, is drawn again"
        assert worker.is_replayed or worker.series != self.standing, (
            "what stands is drawn again, since another request was to replace it"
        )

    def charged(self):
        self._charges[current().number] += 1
        assert self._charges[current().number] <= 1 + self.max_replays, "a charge too many"

    def heard(self, picture):
        worker = current()
        worker.heard = picture or "refused"
        self.closed(worker)

    def lost(self):
        self.closed(current())

    def closed(self, worker):
        """Note that *worker* has its answer, or knows that there will be none; its task waits for no earlier one."""
        self._on_their_way = [entry for entry in self._on_their_way if entry[1] != worker.ti]

    def receipt_written(self, state):
        worker = current()
        if state == "asked":  # what it heard before was not written down: the receipt was another one's
            worker.heard = None
        if not worker.has_written:
            worker.has_written, worker.since = True, self._clock.now
            self._writers.append(worker)
        self.belongs_to(worker)
        if worker.heard not in {None, "refused"}:
            self.noted = worker.heard
        if self._last_put is worker:
            self.standing = worker.series

    def picture_put(self):
        self.standing, self._last_put = None, current()

    def belongs_to(self, worker):
        """Begin another series if the place was another request's until now."""
        if worker.series != self._series:
            self._series, self.settled, self.noted = worker.series, False, None
            self._charges.append(0)

    def returned(self, worker):
        if worker.series == self._series:
            self.settled = True


class OnePlace(RuleBasedStateMachine):
    @initialize(max_replays=st.integers(0, 2), redraw=st.sampled_from(["when_changed", "never", "always"]))
    def begin(self, max_replays, redraw):
        self.redraw, self.clock = redraw, Clock()
        self.rules = Rules(max_replays, self.clock)
        self.service = PaidService(self.rules)
        self.is_full, self.is_reachable = False, True
        self.folder = Path(tempfile.mkdtemp(prefix="talecraft-place-"))
        self.workers = [None, None]
        self.runs = 0
        self.tis = [self.another_run(), self.another_run()]
        self.patched = pytest.MonkeyPatch()
        self.patched.setattr(claims, "datetime", self.clock.datetimes())
        self.patched.setattr(once, "time", self.clock)
        self.patched.setattr(receipts, "time", self.clock)
        # As in life: whoever tries to write an answer down has given up before others take the request for lost.
        self.patched.setattr(receipts, "PATIENCE", LEASE - 2)
        self.patched.setattr(os, "fsync", lambda _: None)
        for owner, name in ((LocalFileSystem, "info"), (LocalFileSystem, "cat_file"), (LocalFileSystem, "rm_file")):
            self.patched.setattr(owner, name, self.stopping(name, getattr(owner, name)))
        for owner, name in ((os, "link"), (Path, "replace")):
            self.patched.setattr(owner, name, self.writing(name, getattr(owner, name)))

    def stopping(self, name, call):
        def stop(*args, **kwargs):
            edge(name)
            return call(*args, **kwargs)

        return stop

    def writing(self, name, call):
        def write(source, target):
            edge(name)
            if self.is_full and current():
                current().failed_write = True
                raise OSError(errno.ENOSPC, "No space left on device")
            call(source, target)
            if current() and str(target).endswith(".json"):
                self.rules.receipt_written(receipt(Path(target))["state"])
            elif current() and str(target).endswith(EXTENSIONS):
                self.rules.picture_put()

        return write

    def another_run(self):
        self.runs += 1
        return TaskInstance(run_id=f"run-{self.runs}")

    def step(self, worker):
        """One step of *worker*; who waits lets those who do not wait go on.

        Nothing but waiting takes as long as a lease: between its look at the receipt and its write no worker sleeps.
        Nor does anybody write in the very moment in which an answer is written that came after its lease: no store
        that cannot compare and swap tells those two apart (docs/receipts.md). The same goes for two workers of one task
        instance, which do not wait for each other: none stops between its look and its write for a whole request.
        """
        if worker.at == "sleep" or any(one.is_late for one in self.running()) or self.is_answered_beside_a_twin(worker):
            self.rest(besides=worker)
        worker.step()
        self.count_late_ones()

    def is_answered_beside_a_twin(self, worker):
        return worker.at == "answer" and any(one is not worker and one.ti == worker.ti for one in self.running())

    def count_late_ones(self):
        """An answer that takes longer than a lease is none to the others."""
        for worker in filter(None, self.workers):
            if worker.has_written and self.clock.now > worker.since + LEASE:
                self.rules.losses += 1
                worker.since, worker.is_late = float("inf"), True

    def rest(self, besides=None):
        for worker in self.running():
            while worker is not besides and not worker.is_over and worker.at not in RESTING:
                worker.step()

    @precondition(lambda self: not all(self.workers))
    @rule(
        number=numbers,
        asked=st.sampled_from(["fox", "fox", "owl"]),
        answers=st.lists(st.sampled_from(ANSWERS), max_size=1),
        who=st.sampled_from(["retry", "clear", "another run", "the other's retry"]),
    )
    def a_worker(self, number, asked, answers, who):
        self.start(number, asked, answers, who)

    def start(self, number, asked, answers, who):
        if self.workers[number]:
            number = 1 - number
        if who == "another run":
            self.tis[number] = self.another_run()
        elif who == "clear":
            self.tis[number].max_tries += 4
        elif who == "the other's retry":  # Airflow takes a worker for dead that is not
            self.tis[number] = self.tis[1 - number]
        ti = copy(self.tis[number])
        worker = self.workers[number] = Worker(lambda: self.draw(ti, asked, answers))
        self.know(worker, ti, asked)
        return worker

    def know(self, worker, ti, asked):
        worker.ti, worker.asked, worker.heard = ti.run_id, asked, None
        worker.failed_write = worker.has_written = worker.is_late = worker.is_replayed = False
        worker.series = (asked, ti.run_id, ti.max_tries) if self.redraw == "always" else asked

    @precondition(lambda self: not all(self.workers))
    @rule(
        number=numbers,
        answer=st.sampled_from(["delivered", "delivered", *ANSWERS]),
        who=st.sampled_from(["retry", "clear", "another run"]),
        edges=st.none() | st.integers(0, 40),
    )
    def a_try(self, number, answer, who, edges, asked="fox"):
        """Run a try beside the other one, to its end or until it is killed."""
        number = 1 - number if self.workers[number] else number
        worker = self.start(number, asked, [answer], who)
        for count in itertools.count():
            if worker.is_over or count == edges:
                break
            self.step(worker)
        self.judge()
        if not worker.is_over:
            worker.kill()
            self.forget(worker)

    @precondition(lambda self: not any(self.workers))
    @rule(asked=st.sampled_from(["fox", "owl"]), turns=st.lists(numbers, min_size=12, max_size=40))
    def a_race(self, asked, turns):
        """Let two runs begin at the same time, and take these turns."""
        both = [self.start(number, asked, [], "another run") for number in (0, 1)]
        for number in turns:
            if not both[number].is_over:
                self.step(both[number])
        self.judge()

    @precondition(lambda self: not any(self.workers))
    @rule(
        answer=st.sampled_from(ANSWERS),
        where=st.sampled_from(["answer", "fetched"]),
        edges=st.none() | st.integers(0, 40),
    )
    def a_late_answer(self, answer, where, edges):
        """Let an answer, or a picture, take longer than a lease, and another run come and go meanwhile."""
        late = self.start(0, "fox", [answer], "retry")
        self.run(late, until=where)
        self.time_passes()
        self.a_try(1, "delivered", "another run", edges)
        self.run(late)
        self.judge()

    @precondition(lambda self: not any(self.workers))
    @rule(
        answer=st.sampled_from(ANSWERS), edges=st.none() | st.integers(0, 40), who=st.sampled_from(["retry", "clear"])
    )
    def a_redraw_that_may_die(self, answer, edges, who):
        """Draw a fox, let a run begin to replace it with an owl, and ask for the fox again."""
        self.a_try(0, "delivered", "another run", None)
        self.a_try(1, answer, "another run", edges, asked="owl")
        self.time_passes()
        self.a_try(0, "delivered", who, None)

    @precondition(lambda self: not any(self.workers))
    @rule(is_own=st.booleans())
    def a_claim_left_behind(self, is_own):
        """Kill a worker between its claim and its receipt; its own retry, or another run, goes on after a lease."""
        self.is_full, self.is_reachable = False, True
        self.a_try(0, "lost, free", "another run", None)
        dead = self.start(0, "fox", [], "retry")
        self.run(dead, until="link")
        if dead.is_over:  # what it was to draw stands, or is given up
            self.judge()
            return
        self.step(dead)
        dead.kill()
        self.forget(dead)
        following = self.start(0, "fox", [], "retry" if is_own else "another run")
        self.run(following)
        assert not isinstance(following.error, claims.TakenError), "the claim of a dead worker keeps others away"
        self.judge()

    def a_running_one(self, number):
        return self.workers[number] or self.workers[1 - number]

    @precondition(lambda self: any(self.workers))
    @rule(number=numbers, steps=st.integers(1, 4))
    def go_on(self, number, steps):
        worker = self.a_running_one(number)
        for _ in range(steps):
            if not worker.is_over:
                self.step(worker)
        self.judge()

    @precondition(lambda self: any(self.workers))
    @rule(number=numbers, where=st.sampled_from(["post", "answer", "answer", "fetched", "link", "replace", "the end"]))
    def go_to(self, number, where):
        worker = self.a_running_one(number)
        self.run(worker, until=where)
        self.judge()

    def run(self, worker, *, until="the end"):
        for count in range(MOST_EDGES):
            if worker.is_over or (count and worker.at == until):
                return
            self.step(worker)
        raise AssertionError(f"no end in sight, at {worker.at}")

    @precondition(lambda self: any(self.workers))
    @rule(number=numbers)
    def kill(self, number):
        worker = self.a_running_one(number)
        self.judge()
        if not worker.is_over:
            worker.kill()
            self.forget(worker)

    @precondition(lambda self: any(self.workers))
    @rule(number=numbers, error=st.sampled_from([AirflowTaskTimeout, SystemExit]))
    def signal(self, number, error):
        worker = self.a_running_one(number)
        self.judge()
        if not worker.is_over:
            worker.interrupt(error("now"))
            self.run(worker)
            self.forget(worker)

    def forget(self, worker):
        self.workers = [None if one is worker else one for one in self.workers]
        self.rules.losses += worker.has_written

    @rule()
    def time_passes(self):
        self.rest()
        self.clock.now += LEASE + 1
        self.count_late_ones()
        self.judge()

    @rule(is_full=st.booleans())
    def fill_the_disk(self, is_full):
        self.is_full = is_full

    @rule(is_reachable=st.booleans())
    def close_the_gallery(self, is_reachable):
        self.is_reachable = is_reachable

    def draw(self, ti, asked, answers):
        delivery = Gallery(
            f"file://{self.folder}/", None, if_exists="overwrite", max_bytes=9999, trusted=(), machine=self
        )
        terms = Terms(
            delivery,
            redraw=self.redraw,
            max_replays=self.rules.max_replays,
            lease=lambda: LEASE,
            talecraft_conn_id="talecraft_default",
        )
        requests = REQUESTS[asked]
        picture = DrawOnce(requests, terms, ti, name="cover")
        return picture.obtain_or_wait(requests, self.service.sending(answers))

    def judge(self):
        """Hold those that have ended against the rules."""
        for worker in self.workers:
            if worker and worker.is_over:
                self.workers = [None if one is worker else one for one in self.workers]
                self.judge_one(worker)

    def running(self):
        return [worker for worker in self.workers if worker]

    def judge_one(self, worker):
        assert not isinstance(worker.error, AssertionError), worker.error
        if worker.result:
            assert worker.result["id"] in self.service.charged
            assert worker.result["prompt"] == REQUESTS[worker.asked][0].prompt or self.redraw == "never"
            self.rules.returned(worker)
        elif "It is not sent again" in str(worker.error) and not worker.has_written:
            twins = sum(other is not worker and other.ti == worker.ti and other.has_written for other in self.running())
            assert self.rules.losses + twins > self.rules.max_replays, "it gives up and has no reason to"
        elif isinstance(worker.error, (TaleCraftOutcomeUnknownError, AirflowTaskTimeout)) or worker.failed_write:
            self.rules.losses += 1
        else:
            assert isinstance(worker.error, FAILURES), worker.error

    def teardown(self):
        if not hasattr(self, "patched"):
            return
        try:
            self.is_full, self.is_reachable = False, True
            for worker in self.workers:
                if worker:
                    self.run(worker)
            self.judge()
            self.clock.now += LEASE + 1
            self.it_ends()
        finally:
            self.patched.undo()
            shutil.rmtree(self.folder)

    def it_ends(self):
        """With a disk, a gallery and a service that work, one try ends it."""
        ti = self.another_run()
        worker = Worker(lambda: self.draw(ti, "fox", []))
        self.know(worker, ti, "fox")
        worker.finish()
        if worker.error:
            assert isinstance(worker.error, TaleCraftOutcomeUnknownError), worker.error
            assert "not sent again" in str(worker.error)
            assert self.rules.losses > self.rules.max_replays, "it gives up and has no reason to"
            return
        files = [path for path in self.folder.iterdir() if path.name in {"cover.jpeg", "cover.png"}]
        assert [f"file://{path}" for path in files] == [worker.result["path"]]
        assert sha256(files[0].read_bytes()) == worker.result["sha256"]
        facts = receipt(self.folder / "cover.json")
        assert facts.get("replaces", facts)["id"] == worker.result["id"]


TestAPlace = OnePlace.TestCase
