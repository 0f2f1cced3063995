"""``python benchmarks/storage.py``: ways to carry pictures to a disk and to S3; their memory, their time, their CPU.

The contestants, and what is measured, are in ``carriers.py``. The S3 is the tests'.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.request import ProxyHandler, build_opener

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests/integration"), str(HERE.parent / "tests")]

import psutil  # noqa: E402  # once the path is set
from carriers import CONTESTANTS, GALLERY  # noqa: E402  # as above
from pictures import large_jpeg  # noqa: E402  # as above
from report import in_turns, markdown, middle, result, say  # noqa: E402  # as above
from servers import TIED, SeaweedFS, Server, free_ports  # noqa: E402  # as above
from stores import S3, LocalFolder  # noqa: E402  # as above

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stores import Store

MB, MIB = 1000 * 1000, 1024 * 1024
SMALL_BYTES = 100_000
#: Names of the pictures, where they come from.
SMALL, LARGE = "small.jpeg", "large.jpeg"
#: Pictures, and the megabytes of each.
SHAPES = ((100, 2), (1, 200))
#: Seconds that the transfers may take, and for each MB beside that.
LIMIT, LIMIT_EACH = 120, 1
WHY = """\
Where they are missed: nothing that was not checked ever stands at its place. So a picture is first fetched to a
temporary file and looked at (type, end, pixels, sha256), and only then carried on: to a folder that is a second copy
beside its place, which it takes at once, and an fsync of it and of its sidecar (a fifth of the time, in a profile of
small ones); the loop is done before its bytes are on the disk. To S3 it is four requests where the loop sends one: what
stands there already, the picture, what its sidecar says, and the sidecar; and fetching and uploading do not overlap.
What is small waits for those requests; what is large, for the overlap. The loop stores an HTTP 500's page as a picture,
and half of one whose connection broke."""
AIMS = "at least 0.6 of the copy loop's speed to a folder, with all checks, and 1.0 to S3"

Results = dict[str, list[dict[str, float]]]


class Gallery(Server):
    """Serves the files of its folder, a few kilobytes at a time."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(self.port)]

    def make_bucket(self) -> None:
        build_opener(ProxyHandler({})).open(f"{self.url}/{SMALL}", timeout=2).close()

    def connection(self, conn_type: str = "http") -> dict[str, Any]:
        return {"conn_type": conn_type, "host": self.url}


def main() -> None:
    options = arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    for count, megabytes in options.shapes:
        found = compared(count, megabytes, options.rounds)
        result(f"{pictures(count, megabytes)}:")
        result(table(found, count * megabytes))
    result(f"Aims: {AIMS}.")
    result(WHY)


def pictures(count: int, megabytes: int) -> str:
    return f"{count} picture{'s' if count > 1 else ''} of {megabytes} MB, one after the other"


def compared(count: int, megabytes: int, rounds: int) -> Results:
    """Have everybody carry so many pictures so often."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="talecraft-storage-")))
        say(f"{pictures(count, megabytes)}; temporary files on {filesystem(home)}")
        folders = {name: home / name for name in ("gallery", "seaweedfs", "file", "airflow", "tmp")}
        for folder in folders.values():
            folder.mkdir()
        sha256 = paint(folders["gallery"], megabytes * MB)
        gallery = stack.enter_context(Gallery(folders["gallery"]))
        seaweedfs = stack.enter_context(SeaweedFS(folders["seaweedfs"]))
        stores = {"file": LocalFolder(folders["file"]), "s3": S3("storage", seaweedfs)}
        environment = {
            **os.environ, **stores["s3"].environment,
            f"AIRFLOW_CONN_{GALLERY.upper()}": json.dumps(gallery.connection()),
            "AIRFLOW_HOME": str(folders["airflow"]), "TMPDIR": str(folders["tmp"]),
            "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
        }  # fmt: skip
        found: Results = defaultdict(list)
        for round_, name in in_turns(list(CONTESTANTS), rounds):
            store = stores[CONTESTANTS[name].to]
            one = carried(
                name, count, url=gallery.url, store=store, environment=environment, home=home,
                limit=LIMIT + LIMIT_EACH * count * megabytes,
            )  # fmt: skip
            check(name, store, count, sha256)
            clear(store)
            found[name].append(one)
            say(f"  {round_ + 1} {name}: {one}")
    return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Ways to carry pictures to a store: their memory, their time.")
    parser.add_argument(
        "--pictures", type=int, metavar="N", help="so many, in place of a hundred small and a large one"
    )
    parser.add_argument("--megabytes", type=int, default=2, metavar="N", help="size of each of those pictures (2)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of all of them (5); medians are shown")
    options = parser.parse_args()
    if min(options.pictures or 1, options.megabytes, options.rounds) < 1:
        parser.error("--pictures, --megabytes and --rounds: 1 or more")
    options.shapes = [(options.pictures, options.megabytes)] if options.pictures else SHAPES
    return options


def stop(number: int, _: object) -> NoReturn:
    """End, once: what is ended on the way out is not interrupted again."""
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_, signal.SIG_IGN)
    sys.exit(128 + number)


def filesystem(path: Path) -> str:
    """Return the type of the filesystem that *path* is on."""
    mounts = [mount for mount in psutil.disk_partitions(all=True) if path.is_relative_to(mount.mountpoint)]
    return max(mounts, key=lambda mount: len(mount.mountpoint)).fstype


def paint(folder: Path, size: int) -> str:
    """Put both pictures into *folder*; return the large one's sha256."""
    # As little as a real picture's, no store can compress this; SeaweedFS would zeros.
    filling = random.Random(1).randbytes(65533)
    (folder / SMALL).write_bytes(large_jpeg(SMALL_BYTES, filling=filling))
    large = large_jpeg(size, filling=filling)
    (folder / LARGE).write_bytes(large)
    return hashlib.sha256(large).hexdigest()


def carried(
    name: str, count: int, *, url: str, store: Store, environment: Mapping[str, str], home: Path, limit: float
) -> dict[str, float]:
    """Have a process of its own carry the picture so often, after a small one; return what it measured."""
    report, log = home / "report.json", home / "carrier.log"
    report.unlink(missing_ok=True)
    task = {
        "contestant": name,
        "warm_up": [f"{url}/{SMALL}", store.uri(SMALL)],
        "transfers": [[f"{url}/{LARGE}", store.uri(name)] for name in names(count)],
        "report": str(report),
    }
    os.sync()  # nobody waits for what the one before has left to the disk
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603  # this folder's own script
            [*TIED, sys.executable, str(HERE / "carriers.py"), json.dumps(task)],
            env=environment, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True,
        ) as process,
    ):  # fmt: skip
        try:
            code = process.wait(limit)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if code:
        raise RuntimeError(f"{name} ended with {code}:\n{log.read_text(errors='replace')[-3000:]}")
    found: dict[str, float] = json.loads(report.read_text())
    return found


def names(count: int) -> list[str]:
    return [f"{number:03}.jpeg" for number in range(count)]


def check(name: str, store: Store, count: int, sha256: str) -> None:
    """Make sure that the pictures stand in *store*, every byte of them."""
    for stored in names(count):
        if hashlib.sha256(store.read(stored)).hexdigest() != sha256:
            raise RuntimeError(f"{name} stored something else")


def clear(store: S3 | LocalFolder) -> None:
    for name in store.objects():
        if isinstance(store, S3):
            bucket, _, key = store.uri(name).removeprefix("s3://").partition("/")
            store.server.client().delete_object(Bucket=bucket, Key=key)
        else:
            (store.folder / name).unlink()


def table(found: Results, megabytes: int) -> str:
    """Return a row for each contestant: medians, and beside them the ratio to the copy loop of the same destination."""
    loops = {c.to: found[name] for name, c in CONTESTANTS.items() if c.measure}
    rows = []
    for name, contestant in CONTESTANTS.items():
        loop = loops[contestant.to]
        seconds, cpu = middle(found[name], "seconds"), middle(found[name], "cpu")
        rows.append([
            contestant.title, contestant.to, f"{middle(found[name], 'grown') / MIB:.1f} MiB", f"{seconds:.2f} s",
            f"{megabytes / seconds:.0f} MB/s", f"{middle(loop, 'seconds') / seconds:.2f}",
            f"{cpu:.2f} s", f"{cpu / middle(loop, 'cpu'):.2f}", contestant.checks,
        ])  # fmt: skip
    head = ["", "to", "peak memory", "time", "speed", "of the loop's", "CPU", "of the loop's", "checks"]
    return markdown(head, rows)


if __name__ == "__main__":
    main()
