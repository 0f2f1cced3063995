"""A stand-in for a Kubernetes cluster: as much of its API as KubernetesExecutor uses, and pods that are processes.

A pod's arguments run here, with the environment that its container names and with what Airflow's configuration would
bring. A pod that is told to go gets SIGTERM, as the image's dumb-init passes it on (to the group), and SIGKILL when
``terminationGracePeriodSeconds`` are over. Images, limits, volumes, init containers and nodes are not there.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from urllib.parse import parse_qs, urlsplit

import psutil
from watcher import Watcher, kill_session

#: Keys of the labels and annotations of a patch replace those of the pod; nothing deeper is ever patched.
PATCHED = ("labels", "annotations")
#: What a client asks before its first request: what can be had here.
DISCOVERY = {
    "/version": {"major": "1", "minor": "34"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [{"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["get", "list", "watch"]}],
    },
}


class Cluster:
    """Started by ``with``; ended with all pods.

    :param folder: for what the pods print, ``NAME.log``.
    :param secrets: what ``secretKeyRef`` leads to: the keys of each Secret, by its name.
    """

    def __init__(self, folder, secrets):
        self.folder, self.secrets = folder, secrets
        #: What a container has beside its own ``env``: here Airflow's configuration, in the chart a file.
        self.environment = {}
        self.pods, self.watchers, self.processes = {}, [], {}
        #: Pods as they were asked for, and what their processes ended with.
        self.created, self.ends = {}, {}
        #: The most memory that each had, in bytes.
        self.peaks = {}
        self.version = 0
        self.lock = threading.RLock()

    def __enter__(self):
        cluster = self
        self._watcher = Watcher()

        class Handler(_Handler):
            pass

        Handler.cluster = cluster
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.config = self.folder / "kubeconfig"
        url = f"http://127.0.0.1:{self.server.server_port}"
        self.config.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "tests",
            "clusters": [{"name": "tests", "cluster": {"server": url}}],
            "users": [{"name": "tests", "user": {}}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
        }))  # fmt: skip
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self._watcher.close()

    def create(self, pod):
        with self.lock:
            name = pod["metadata"]["name"]
            self.created[name] = json.loads(json.dumps(pod))
            pod["metadata"].update(uid=name, creationTimestamp=_now())
            pod["status"] = {"phase": "Pending"}
            self.pods[name] = pod
            self._tell("ADDED", pod)
        (container,) = pod["spec"]["containers"]
        environment = {**self.environment, **dict(map(self._variable, container["env"]))}
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [*container.get("command", ()), *container["args"]],
                env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.processes[name] = process
        self._watcher.watch(process.pid)
        threading.Thread(target=self._follow, args=(pod, process), daemon=True).start()
        return pod

    def delete(self, name, grace=None):
        """Ask a pod to go, as a drained node, an autoscaler or ``kubectl delete`` does."""
        with self.lock:
            pod = self.pods[name]
            if "deletionTimestamp" in pod["metadata"]:
                return pod
            pod["metadata"]["deletionTimestamp"] = _now()
            self._tell("MODIFIED", pod)
            if self.processes[name].poll() is not None:
                self._forget(pod)
                return pod
        seconds = pod["spec"].get("terminationGracePeriodSeconds", 30) if grace is None else grace
        threading.Thread(target=self._end, args=(self.processes[name], seconds), daemon=True).start()
        return pod

    def patch(self, name, change):
        with self.lock:
            pod = self.pods[name]
            for part in PATCHED:
                pod["metadata"].setdefault(part, {}).update(change["metadata"].get(part) or {})
            self._tell("MODIFIED", pod)
            return pod

    def list(self, selector, fields):
        with self.lock:
            items = [pod for pod in self.pods.values() if _selected(pod, selector, fields)]
            return {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": str(self.version)},
                    "items": items}  # fmt: skip

    def _variable(self, variable):
        if "value" in variable:
            return variable["name"], variable["value"]
        source = variable["valueFrom"]
        if "fieldRef" in source:  # the executor names the pod and its address
            return variable["name"], "127.0.0.1"
        reference = source["secretKeyRef"]
        return variable["name"], self.secrets[reference["name"]][reference["key"]]

    def _follow(self, pod, process):
        name = pod["metadata"]["name"]
        with self.lock:
            pod["status"] = {"phase": "Running"}
            self._tell("MODIFIED", pod)
        while process.poll() is None:
            self.peaks[name] = max(self.peaks.get(name, 0), _memory(process.pid))
            time.sleep(0.2)
        kill_session(process.pid)  # with its first process a container ends
        code = process.returncode if process.returncode >= 0 else 128 - process.returncode
        with self.lock:
            self.ends[name] = code
            ended = {"terminated": {"exitCode": code, "reason": "Completed" if code == 0 else "Error"}}
            pod["status"] = {"phase": "Succeeded" if code == 0 else "Failed",
                             "containerStatuses": [{"name": "base", "image": "", "imageID": "", "ready": False,
                                                    "restartCount": 0, "state": ended}]}  # fmt: skip
            self._tell("MODIFIED", pod)
            if "deletionTimestamp" in pod["metadata"]:
                self._forget(pod)

    def _end(self, process, seconds):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            kill_session(process.pid)

    def _forget(self, pod):
        self.pods.pop(pod["metadata"]["name"], None)
        self._tell("DELETED", pod)

    def _tell(self, kind, pod):
        self.version += 1
        pod["metadata"]["resourceVersion"] = str(self.version)
        event = json.dumps({"type": kind, "object": pod})
        for selector, queue in self.watchers:
            if _selected(pod, selector, ""):
                queue.put(event)


class _Handler(BaseHTTPRequestHandler):
    cluster: Cluster

    def do_GET(self):
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        *_, last = url.path.split("/")
        if url.path in DISCOVERY:
            self._answer(DISCOVERY[url.path])
        elif last != "pods":
            pod = self.cluster.pods.get(last)
            self._answer(pod or {"kind": "Status", "code": 404}, 200 if pod else 404)
        elif query.get("watch", "").lower() == "true":
            self._watch(query.get("labelSelector", ""))
        else:
            self._answer(self.cluster.list(query.get("labelSelector", ""), query.get("fieldSelector", "")))

    def do_POST(self):
        self._answer(self.cluster.create(self._body()), 201)

    def do_PATCH(self):
        self._answer(self.cluster.patch(self.path.split("?")[0].rsplit("/", 1)[1], self._body()))

    def do_DELETE(self):
        body = self._body()
        name = self.path.split("?")[0].rsplit("/", 1)[1]
        if name not in self.cluster.pods:
            self._answer({"kind": "Status", "code": 404}, 404)
            return
        self._answer(self.cluster.delete(name, (body or {}).get("gracePeriodSeconds")))

    def log_message(self, *_):
        pass

    def _body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")

    def _answer(self, what, status=200):
        with self.cluster.lock:
            body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _watch(self, selector):
        queue = Queue()
        with self.cluster.lock:
            for pod in self.cluster.pods.values():
                if _selected(pod, selector, ""):
                    queue.put(json.dumps({"type": "ADDED", "object": pod}))
            self.cluster.watchers.append((selector, queue))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            while True:
                with suppress(Empty):
                    self.wfile.write(queue.get(timeout=5).encode() + b"\n")
                    self.wfile.flush()


def _selected(pod, selector, fields):
    """Whether the pod has the labels, and the phase, that a selector asks for."""
    labels = {**(pod["metadata"].get("labels") or {}), "status.phase": pod["status"]["phase"]}
    for term in filter(None, re.split(r",(?![^(]*\))", f"{selector},{fields}")):
        if several := re.fullmatch(r"(\S+) (in|notin) \((.*)\)", term):
            name, sign, values = several.groups()
        else:
            name, sign, values = re.fullmatch(r"([^!=]+)(!?=)=?(.*)", term).groups()
        if (labels.get(name) in values.split(",")) != (sign in {"=", "in"}):
            return False
    return True


def _memory(pid):
    """Return the bytes of a process and its children, shared pages counted once."""
    total = 0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            with suppress(psutil.Error):
                total += one.memory_full_info().pss
    return total


def _now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
