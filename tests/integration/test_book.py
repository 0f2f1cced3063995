"""The book of 24 pages, as it stands in example_dags/, under a real scheduler: nothing is published unapproved."""

from __future__ import annotations

import re
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from patience import PATIENCE

pytestmark = pytest.mark.integration

PAGES = 24


@pytest.fixture
def asked(deployment, keyed_sandbox, tmp_path):
    """A run that waits for an answer: its id, its folder and what the person is shown."""
    keyed_sandbox.reset()
    run_id = deployment.trigger("talecraft_book", {"destination": f"file://{tmp_path}"})
    path = f"/dags/talecraft_book/dagRuns/{quote(run_id)}/taskInstances/approve/-1/hitlDetails"

    def question():
        try:
            return deployment.api(path)
        except HTTPError:
            return None

    detail = deployment.until(question, "nobody was asked")
    # Airflow 3.3.2 takes a task that is answered before the scheduler knows of its pause for one that has failed.
    paused = f"task_id='approve', run_id='{run_id}'"
    log = deployment.home / "scheduler.log"
    deployment.until(
        lambda: any("Received executor event" in line and paused in line for line in log.read_text().splitlines()),
        "the pause was not reported",
    )  # fmt: skip
    return run_id, tmp_path, path, detail


@pytest.mark.parametrize("answer", ["Approve", "Reject"])
def test_the_pictures_are_shown_before_they_are_published_and_a_rejected_book_is_not(
    deployment, keyed_sandbox, asked, answer
):
    run_id, folder, path, detail = asked
    assert len(keyed_sandbox.ledger()["charges"]) == PAGES
    assert detail["subject"] == "Publish The Lighthouse Mouse?"
    shown = re.findall(r"!\[(page-\d\d)\]\((http.*?)\)", detail["body"])
    assert [name for name, _ in shown] == [f"page-{number:02}" for number in range(1, PAGES + 1)]
    with urlopen(shown[0][1], timeout=PATIENCE) as picture:
        assert picture.read(3) == b"\xff\xd8\xff"
    assert sorted(file.name for file in folder.glob("*.jpeg")) == [f"{name}.jpeg" for name, _ in shown]
    assert not (folder / "book.html").exists()
    deployment.api(path, {"chosen_options": [answer]}, method="PATCH")
    assert deployment.wait("talecraft_book", run_id) == "success"
    if answer == "Reject":
        assert not (folder / "book.html").exists()
        return
    book = (folder / "book.html").read_text()
    assert re.findall('src="(.*?)"', book) == [f"{name}.jpeg" for name, _ in shown]
    assert len(keyed_sandbox.ledger()["charges"]) == PAGES, "nothing was drawn again"
