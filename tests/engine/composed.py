"""docker-compose.yaml in an engine: from a fresh clone, by an ordinary user, seen through its published ports."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import yaml
from deployment import Deployment

ROOT = Path(__file__).parents[2]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
BUCKET = "picture-books"
#: An ordinary user, whom the engine's socket lets in.
USER = 1000


class Composed(Deployment):
    """The file's deployment; :meth:`up` starts it.

    :param engine: an :class:`engine.Engine` that has the images.
    """

    def __init__(self, engine):
        self.engine = engine
        self.clone = engine.folder / "clone"
        self.url = "http://localhost:8080"
        self.processes = {}

    def check_out(self):
        """Make the clone, the user's own."""
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(self.clone)], check=True)
        for path in (self.clone, *self.clone.rglob("*")):
            os.chown(path, USER, USER, follow_symlinks=False)

    def up(self):
        """Start it by the first line of docs/compose.md, and wait until all of it is healthy."""
        line = next(self.lines())
        with self.engine.measured("up"):
            # docker-compose 1.29 knows no --wait.
            self.compose(*(word for word in line if word != "--wait"))
        with self.engine.measured("healthy"):
            self.until_healthy()

    def compose(self, *arguments):
        """Run docker-compose in the clone, as the user."""
        become = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups")
        return self.engine.run(*become, "docker-compose", *arguments, cwd=self.clone)

    def lines(self):
        """Return the page's commands as argument lists; no terminal is there for ``exec``."""
        block = re.search(r"```sh\n(.*?)```", (self.clone / "docs" / "compose.md").read_text(), re.DOTALL)[1]
        for line in block.splitlines():
            command = line.split("#")[0].split()
            assert command[:2] == ["docker", "compose"]
            yield [word for word in command[2:] for word in ([word, "-T"] if word == "exec" else [word])]

    def container(self, service):
        """Return what the engine knows about a service's container."""
        (name,) = self.compose("ps", "--quiet", service).split()
        return json.loads(self.engine.run("docker", "inspect", name))[0]

    def health(self):
        """Return each service's health; for one that ends, its exit code."""
        found = {}
        for container in json.loads(self.engine.run("docker", "inspect", *self.compose("ps", "--quiet").split())):
            name = container["Config"]["Labels"]["com.docker.compose.service"]
            health = container["State"].get("Health", {}).get("Status")
            found[name] = health or (container["State"]["Status"], container["State"]["ExitCode"])
        return found

    def is_healthy(self):
        return self.health() == {name: "healthy" if name != "setup" else ("exited", 0) for name in SERVICES}

    def until_healthy(self):
        self.until(self.is_healthy, f"not healthy: {self.health()}")

    def log_in(self):
        self.token = self._token()


def bucket():
    """Return a client of the deployment's store, for one who is where its ports are."""
    import boto3

    return boto3.client(
        "s3", endpoint_url="http://localhost:8333", region_name="us-east-1",
        aws_access_key_id="airflow", aws_secret_access_key="not-a-secret",
    )  # fmt: skip


def keys(prefix):
    """Return the names in the bucket that begin with *prefix*."""
    pages = bucket().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def objects(prefix):
    """Return what lies in the bucket below *prefix*, by key."""
    client = bucket()
    return {key: client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys(prefix)}
