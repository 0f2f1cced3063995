"""Ways to carry a picture from a URL to a store; and such transfers, measured in the process that makes them.

``python carriers.py TASK``, with TASK as JSON. What the process prints is its log; what it measured goes to a file.
"""

from __future__ import annotations

import gc
import json
import re
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    Carry = Callable[[str, str], object]

#: Connections, defined by storage.py in the environment.
GALLERY, S3 = "gallery", "store_s3"
#: Ours refuses more than 50 MiB unless told otherwise; more than this is on nobody's disk.
MAX_BYTES = 1 << 40
TI = SimpleNamespace(dag_id="storage", task_id="store", run_id="benchmark", map_index=-1)


def ours(conn_id: str | None) -> Carry:
    from airflow_provider_talecraft.transfers.illustration_to_object_storage import IllustrationToObjectStorageOperator

    def carry(url: str, to: str) -> object:
        return IllustrationToObjectStorageOperator(
            task_id="store",
            image_url=url,
            dst=to,
            dst_conn_id=conn_id,
            max_bytes=MAX_BYTES,
            image_hosts=["127.0.0.1"],
            talecraft_conn_id=GALLERY,
        ).execute({"ti": TI})

    return carry


def content_to_file() -> Carry:
    import requests

    return lambda url, to: Path(urlsplit(to).path).write_bytes(requests.get(url, timeout=30).content)


def stream_to_file() -> Carry:
    import requests

    def carry(url: str, to: str) -> None:
        with requests.get(url, timeout=30, stream=True) as response, Path(urlsplit(to).path).open("wb") as file:
            shutil.copyfileobj(response.raw, file)

    return carry


def content_to_s3() -> Carry:
    import requests
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    hook = S3Hook(S3)
    return lambda url, to: hook.load_bytes(requests.get(url, timeout=30).content, to)


def stream_to_s3() -> Carry:
    import requests
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    hook = S3Hook(S3)

    def carry(url: str, to: str) -> None:
        with requests.get(url, timeout=30, stream=True) as response:
            hook.load_file_obj(response.raw, to)

    return carry


def http_to_s3() -> Carry:
    from airflow.providers.amazon.aws.transfers.http_to_s3 import HttpToS3Operator

    operator = HttpToS3Operator(task_id="store", http_conn_id=GALLERY, aws_conn_id=S3, s3_key="")

    def carry(url: str, to: str) -> object:
        # The same one again, because it keeps its connection to S3, as the others do.
        operator.endpoint = urlsplit(url).path
        # By its documentation a whole s3:// URI would do as its s3_key; it does not yet (apache/airflow#43379).
        operator.s3_bucket, _, operator.s3_key = to.removeprefix("s3://").partition("/")
        return operator.execute({})

    return carry


@dataclass(frozen=True)
class Contestant:
    """One way to carry a picture.

    :param title: what the table calls it.
    :param to: the store's name.
    :param checks: what it makes sure of, for the table.
    :param prepare: imports what it needs and returns what carries: from a URL, to a URI.
    :param measure: whether the others that go to the same store are compared with it.
    """

    title: str
    to: str
    checks: str
    prepare: Callable[[], Carry]
    measure: bool = False


#: urllib3 2 complains if less comes than was announced, whoever asks it.
LENGTH = "length"
ALL = "status, length, limit, type, end, pixels; notes the sha256"
CONTESTANTS = {
    "ours_file": Contestant("IllustrationToObjectStorageOperator", "file", ALL, lambda: ours(None)),
    "content_file": Contestant("`requests.get(url).content`, `write_bytes`", "file", LENGTH, content_to_file),
    "stream_file": Contestant("a copy loop: `stream=True`, `copyfileobj`", "file", LENGTH, stream_to_file, True),
    "ours_s3": Contestant("IllustrationToObjectStorageOperator", "s3", ALL, lambda: ours(S3)),
    "content_s3": Contestant("`requests.get(url).content`, `S3Hook.load_bytes`", "s3", LENGTH, content_to_s3),
    "stream_s3": Contestant("a copy loop: `stream=True`, `S3Hook.load_file_obj`", "s3", LENGTH, stream_to_s3, True),
    "http_s3": Contestant("HttpToS3Operator", "s3", "status, length", http_to_s3),
}


def measured(carry: Carry, transfers: list[tuple[str, str]]) -> dict[str, float]:
    """Return the seconds that *carry* took for all, its CPU, and by how many bytes this process grew, at most."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew; see proc(5)
    before = memory("VmRSS")
    started, used = time.monotonic(), time.process_time()
    for url, to in transfers:
        carry(url, to)
    seconds, cpu = time.monotonic() - started, time.process_time() - used
    return {"seconds": seconds, "cpu": cpu, "grown": memory("VmHWM") - before}


def memory(field: str) -> int:
    """Return bytes of this process: VmRSS, what is resident now; VmHWM, the most that was."""
    found = re.search(rf"^{field}:\s+(\d+) kB$", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"no {field} in /proc/self/status")
    return int(found[1]) * 1024


def main() -> None:
    task = json.loads(sys.argv[1])
    carry = CONTESTANTS[task["contestant"]].prepare()
    carry(*task["warm_up"])  # so that imports, clients and their connections are there
    Path(task["report"]).write_text(json.dumps(measured(carry, task["transfers"])), encoding="ascii")


if __name__ == "__main__":
    main()
