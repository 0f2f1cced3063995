"""What people see: Airflow's pages with ours in them, in a real browser, after real runs."""

from __future__ import annotations

import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener, urlopen

import pytest
from packaging.version import Version
from patience import HELD, PATIENCE, until

if Version(version("apache-airflow")) < Version("3.1"):
    pytest.skip("the pages came with Airflow 3.1", allow_module_level=True)

from pages import ADMIN, ARGUMENTS, CHROMIUM, AirflowWithPeople
from people import GUEST, OPEN_TO_THE_GUEST

pytestmark = pytest.mark.integration

DAGS = ["talecraft_pages", "talecraft_pages_hostile", "talecraft_pages_slow", "talecraft_pages_killed"]
FAILED = ["The fox breaks its pencil", "The fox breaks its pencil again"]
SLOW = ["A snail posts a slow letter", "A snail posts a slow parcel"]
KILLED = "A kite cut from its string"
#: In the order of the tasks, with what each picture is called.
IN_ORDER = [
    "A bear bakes bread", "The fox breaks its pencil again", "Snow on the mill", "A paper boat on a lake",
    "The fox breaks its pencil", "A red balloon over the hills", "A cat asleep on a bookshelf",
    "An owl reads by lantern light",
]  # fmt: skip
LOADED = "element => element.complete && element.naturalWidth > 0"


@pytest.fixture(scope="module")
def sandbox():
    from airflow_provider_talecraft.sandbox import Sandbox

    with Sandbox(latency=0) as running:
        running.faults(
            [{"message": "Generation failed", "prompt": prompt, "times": None} for prompt in FAILED]
            + [{"delay_before_charge": HELD, "prompt": KILLED, "times": None}]
        )
        yield running


@pytest.fixture(scope="module")
def gate(sandbox):
    """A way to the sandbox on which the slow prompts wait until it is opened: the address, and an event."""
    opened = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if any(prompt.encode() in body for prompt in SLOW):
                opened.wait(HELD)
            # Without the Host, which is where the sandbox's pictures would lie.
            headers = {name: self.headers[name] for name in ("X-API-Key", "Content-Type")}
            with urlopen(Request(f"{sandbox.url}{self.path}", body, headers)) as answer:
                self.send_response(answer.status)
                self.end_headers()
                self.wfile.write(answer.read())

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", opened
        opened.set()
        server.shutdown()


@pytest.fixture(scope="module")
def airflow(tmp_path_factory, sandbox, gate):
    home = tmp_path_factory.mktemp("airflow")
    plan = {"requests_per_minute": 6000}
    connection = {"conn_type": "talecraft", "host": sandbox.url, "password": sandbox.api_key, "extra": plan}
    environment = {
        "AIRFLOW_CONN_TALECRAFT_DEFAULT": json.dumps(connection),
        "AIRFLOW_CONN_TALECRAFT_SLOW": json.dumps(
            {**connection, "host": gate[0], "extra": {**plan, "read_timeout": HELD}}
        ),
        # Scheduled together, the tasks of one Dag would be several at a time anyway.
        "AIRFLOW__CORE__PARALLELISM": "6",
    }
    with AirflowWithPeople(home, Path(__file__).with_name("dags_pages"), environment) as running:
        yield running


@pytest.fixture(scope="module")
def runs(airflow, sandbox, tmp_path_factory):
    """Run everything; return the run ids by Dag. One worker is killed with its request on the way."""
    folder = f"file://{tmp_path_factory.mktemp('pictures')}"
    killed = airflow.trigger("talecraft_pages_killed")
    started = {dag: airflow.trigger(dag, {"folder": folder}) for dag in DAGS[:2]}
    where = f"/dags/talecraft_pages_killed/dagRuns/{killed.replace('+', '%2B')}/taskInstances/killed"
    airflow.until(lambda: KILLED in [one["prompt"] for one in sandbox.ledger()["requests"]], "it was not asked")
    os.kill(airflow.api(where)["pid"], signal.SIGKILL)
    airflow.until(lambda: airflow.api(where)["state"] == "up_for_retry", "nobody noticed the kill")
    for dag, run in started.items():
        airflow.wait(dag, run)
    return {**started, "talecraft_pages_killed": killed}


@pytest.fixture(scope="module")
def chromium():
    if not CHROMIUM.exists():
        pytest.skip("no Chromium on this machine; on Debian: apt install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def look(chromium, airflow):
    """Open an address as somebody; what the page asked for is in ``page.asked``."""
    contexts = []

    def open_page(url, name=ADMIN, *, storage=(), **options):
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        if name:
            context.add_cookies([airflow.cookie(name)])
        for key, value in dict(storage).items():
            context.add_init_script(f"localStorage.setItem({key!r}, {value!r})")
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("dialog", lambda dialog: pytest.fail(f"a page said {dialog.message!r}"))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()


def inner(page):
    """Our page, inside Airflow's."""
    return page.frame_locator("iframe")


def test_a_runs_tab_shows_its_pictures_in_order_and_failed_ones_in_their_place(look, airflow, runs):
    ours = inner(look(airflow.tab("talecraft_pages", runs["talecraft_pages"])))
    ours.locator(".card").nth(len(IN_ORDER) - 1).wait_for()
    assert ours.locator(".card figcaption .prompt").all_inner_texts() == IN_ORDER
    assert ours.locator("header").inner_text().split() == ["Illustrations", "6", "pictures", "·", "2", "failed"]
    failed = ours.locator(".card", has=ours.locator(".placeholder.failed"))
    assert failed.locator("figcaption .prompt").all_inner_texts() == [FAILED[1], FAILED[0]]
    reasons = failed.locator(".placeholder").all_inner_texts()
    assert all("nothing was charged" in text for text in reasons)
    assert not any("TaleCraftGenerationFailedError" in text for text in reasons), (
        "of a batch and of a mapped task alike"
    )
    for image in ours.locator(".card img").all():
        image.scroll_into_view_if_needed()
        until(lambda image=image: image.evaluate(LOADED))


@pytest.mark.parametrize(
    ("task", "says"),
    [
        (("single", None), ["Drawn", "An owl reads by lantern light", "children_book", "3:2", "2 credits"]),
        (("mapped", 0), ["Drawn", "A paper boat on a lake", "1:1", "2 credits"]),
        (("once", None), ["Drawn", "A cat asleep on a bookshelf", "4:3", "2 credits", "Stored at", "/once/"]),
        (("store", None), ["Stored", "An owl reads by lantern light", "Stored at", "/owl.jpeg"]),
        (("batch", None), ["Drawn", "2 of 3 delivered", "1 failed", "A bear bakes bread", "4 credits"]),
    ],
)
def test_a_tasks_tab_shows_the_picture_what_it_was_drawn_from_and_what_it_cost(look, airflow, runs, task, says):
    ours = inner(look(airflow.tab("talecraft_pages", runs["talecraft_pages"], *task)))
    image = ours.locator("img").first
    image.wait_for()
    until(lambda: image.evaluate(LOADED))
    text = ours.locator("main").inner_text()
    assert [words for words in says if words not in text] == []


def test_a_failed_tasks_tab_says_what_happened_what_may_have_been_charged_and_what_to_do(look, airflow, runs):
    ours = inner(look(airflow.tab("talecraft_pages", runs["talecraft_pages"], "mapped", 1)))
    ours.locator(".trouble").wait_for()
    lines = ours.locator(".trouble p").all_inner_texts()
    assert "TaleCraftGenerationFailedError" in lines[0]
    assert "nothing was charged" in lines[1]
    assert "change the prompt" in lines[2]


def test_a_killed_tasks_tab_says_that_its_request_may_have_been_charged(look, airflow, runs):
    ours = inner(look(airflow.tab("talecraft_pages_killed", runs["talecraft_pages_killed"], "killed")))
    ours.locator(".trouble").wait_for()
    text = ours.locator("main").inner_text()
    assert "No answer" in text
    assert "may have been charged" in text
    assert KILLED in text
    assert "perhaps 2 credits more" in text


def test_a_strangers_task_has_a_tab_that_says_so(look, airflow, runs):
    ours = inner(look(airflow.tab("talecraft_pages", runs["talecraft_pages"], "stranger")))
    ours.get_by_text("This task draws no illustrations.").wait_for()


def test_a_running_tasks_tab_says_what_is_on_its_way_and_turns_into_the_picture_by_itself(look, airflow, runs, gate):
    run = airflow.trigger("talecraft_pages_slow")
    single = inner(look(airflow.tab("talecraft_pages_slow", run, "single")))
    batch = inner(look(airflow.tab("talecraft_pages_slow", run, "batch")))
    single.get_by_text("A request is on its way to TaleCraft.").wait_for()
    assert "Since" in single.locator(".since").inner_text()
    batch.get_by_text("1 of 2 delivered").wait_for()
    assert batch.get_by_role("progressbar").get_attribute("value") == "1"
    batch.locator(".progress", has_text="1 on their way").wait_for()
    gate[1].set()
    for ours in (single, batch):
        ours.locator("img").first.wait_for()
        ours.locator(".chip.drawn").wait_for()
    airflow.wait("talecraft_pages_slow", run)


def test_what_people_and_services_write_is_text_and_never_markup(look, airflow, runs):
    run = runs["talecraft_pages_hostile"]
    page = look(airflow.page("run.html", dag_id="talecraft_pages_hostile", run_id=run))
    page.locator(".card").first.wait_for()
    text = page.locator("main").inner_text()
    assert "<script>window.hacked = 1</script><img src=x" in text
    for task in ("script", "script_url", "data_url", "gone", "wrong_types", "huge", "only_text"):
        page.goto(
            airflow.page(
                "task.html", dag_id="talecraft_pages_hostile", run_id=run, task_id=task, map_index="{MAP_INDEX}"
            )
        )
        page.locator("main[aria-busy=false], main:not([aria-busy=true])").wait_for()
        assert page.locator("main").inner_text().strip(), task
        assert page.evaluate("window.hacked") is None, task
        hrefs = page.locator("a").evaluate_all("links => links.map(link => link.protocol)")
        assert set(hrefs) <= {"http:", "https:"}, task
    assert page.locator("main script").count() == 0


def test_a_picture_that_is_gone_shows_a_placeholder(look, airflow, runs):
    run = runs["talecraft_pages_hostile"]
    page = look(airflow.page("task.html", dag_id="talecraft_pages_hostile", run_id=run, task_id="gone", map_index=-1))
    page.get_by_text("The picture cannot be shown. It may have expired or been deleted.").wait_for()


def test_a_stored_picture_comes_through_airflow_and_all_else_from_this_airflow(look, airflow, sandbox, runs):
    page = look(airflow.page("run.html", dag_id="talecraft_pages", run_id=runs["talecraft_pages"]))
    images = page.locator(".card img")
    images.first.wait_for()
    stored = [
        source for source in images.evaluate_all("all => all.map(one => one.src)") if "/talecraft/picture?" in source
    ]
    assert len(stored) == 4  # the two of the batch, the one that was drawn once, and the one that was stored
    assert {url for url in page.asked if not url.startswith((airflow.url, sandbox.url))} == set()


def test_the_menu_page_shows_recent_pictures_and_what_they_cost_by_day_and_dag(look, airflow, runs):
    page = look(f"{airflow.url}/plugin/talecraft")
    ours = inner(page)
    ours.locator(".card img").first.wait_for()
    assert "A cat asleep on a bookshelf" in ours.locator("main").inner_text()
    ours.locator("canvas").wait_for()
    ours.get_by_text("Show as a table").click()
    assert "talecraft_pages" in ours.get_by_role("table").inner_text()


def test_who_may_not_read_the_dag_sees_nothing_of_it(look, airflow, runs):
    page = look(airflow.page("run.html", dag_id="talecraft_pages", run_id=runs["talecraft_pages"]), GUEST)
    page.get_by_text("You may not read this.").wait_for()
    page.goto(
        airflow.page(
            "task.html", dag_id="talecraft_pages", run_id=runs["talecraft_pages"], task_id="once", map_index=-1
        )
    )
    page.get_by_text("You may not read this.").wait_for()
    page.goto(airflow.page("menu.html"))
    page.locator(".card").first.wait_for()
    assert OPEN_TO_THE_GUEST in page.locator("main").inner_text()
    assert not {prompt for prompt in IN_ORDER if prompt in page.content()}


def test_for_a_stranger_there_is_nothing(airflow, runs):
    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    paths = [
        "", "run.html", "task.html", "menu.html", "style.css", "js/task.js", "icon.svg", "docs", "openapi.json",
        "picture?dag_id=talecraft_pages&run_id=x&task_id=once", "entries?dag_id=talecraft_pages&run_id=x&task_id=y",
    ]  # fmt: skip
    for path in paths:
        with pytest.raises(HTTPError) as refused:
            build_opener(Stay).open(f"{airflow.url}/talecraft/{path}", timeout=PATIENCE)
        assert refused.value.code == 401, path
        assert json.loads(refused.value.read()) == {"detail": "Not authenticated"}, path


@pytest.mark.parametrize(("theme", "is_dark"), [("dark", True), ("light", False)])
def test_the_theme_is_the_one_that_was_chosen_in_airflow(look, airflow, runs, theme, is_dark):
    page = look(
        airflow.page("run.html", dag_id="talecraft_pages", run_id=runs["talecraft_pages"]), storage={"theme": theme}
    )
    page.locator(".card").first.wait_for()
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert (min(map(int, ink[4:-1].split(","))) > 128) == is_dark


def test_the_language_is_the_one_that_was_chosen_in_airflow(look, airflow, runs):
    address = airflow.page(
        "task.html", dag_id="talecraft_pages", run_id=runs["talecraft_pages"], task_id="once", map_index=-1
    )
    page = look(address, storage={"i18nextLng": "zh-CN"})
    page.locator("img").first.wait_for()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.locator("main").inner_text().count("积分") >= 1
    assert "Stored at" not in page.locator("main").inner_text()


@pytest.mark.parametrize("name", ["run.html", "task.html", "menu.html"])
def test_on_a_phone_nothing_is_wider_than_the_page(look, airflow, runs, name):
    parameters = {"dag_id": "talecraft_pages", "run_id": runs["talecraft_pages"], "task_id": "once", "map_index": -1}
    page = look(airflow.page(name, **parameters), viewport={"width": 360, "height": 740})
    page.locator("img").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_by_keyboard_a_picture_is_opened_large_and_closed_again_and_everything_has_a_name(look, airflow, runs):
    page = look(airflow.page("run.html", dag_id="talecraft_pages", run_id=runs["talecraft_pages"]))
    page.locator(".card img").first.wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name=IN_ORDER[0])
    dialog.wait_for()
    assert dialog.get_by_role("img", name=IN_ORDER[0]).count() == 1
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    unlabelled = page.locator("img:not([alt]), button:not([aria-label])")
    # In one look: a closed dialog leaves the page when it likes.
    assert unlabelled.evaluate_all("all => all.filter(one => !one.innerText).map(one => one.outerHTML)") == []


def test_a_picture_can_be_opened_and_its_link_copied_from_the_tab(look, airflow, runs):
    page = look(
        airflow.tab("talecraft_pages", runs["talecraft_pages"], "once"),
        permissions=["clipboard-read", "clipboard-write"],
    )
    ours = inner(page)
    ours.get_by_role("button", name="Copy link").click()
    ours.get_by_text("Copied").first.wait_for()
    with page.expect_response(lambda response: "/talecraft/picture?" in response.url) as opened:
        ours.get_by_role("link", name="Open picture").click()
    assert opened.value.request.is_navigation_request()
    assert opened.value.headers["content-type"] == "image/jpeg"
