"""A container engine of a test's own, which the rest of the machine does not see and which leaves nothing behind.

Of one that was killed, its folder and its control groups stay. The next one finds that nobody holds the folder's lock
any more, and takes both away.

It lives in namespaces of its own: its bridges, firewall rules, published ports, mounts and processes are there and end
with it. A network in user space (slirp4netns) is its way out. ``with engine.network():`` puts the calling thread, and
what it starts, where the published ports are.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from patience import until
from servers import TIED

STAND_INS = Path(__file__).with_name("stand_ins")
#: The stages of stand_ins/Dockerfile, and the published images whose names they take.
IMAGES = {
    "postgres": "postgres:15.18",
    "redis": "redis:7.2.16",
    "seaweedfs": "chrislusf/seaweedfs:4.48",
    "airflow": "apache/airflow:3.3.2-python3.12",
}
#: What Debian brings to all of them.
PACKAGES = ("ca-certificates", "curl", "dumb-init", "postgresql", "python3", "python3-venv", "redis-server")
NEEDED = (
    "dockerd", "docker", "docker-compose", "iptables", "mmdebstrap", "slirp4netns", "ip", "nsenter", "pgrep", "setpriv",
    "unshare",
)  # fmt: skip
#: How this machine reaches the package registries, if it is told so in the environment.
REACHING = (
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "UV_DEFAULT_INDEX", "UV_INDEX",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
)  # fmt: skip
#: Becomes the first process of namespaces that end with it.
APART = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
#: slirp4netns's own.
NAME_SERVER = "10.0.2.3"
#: How an engine's folder is called, in the folder for temporary files; and the file whose lock it holds while it lives.
PREFIX, LOCK = "tc-engine-", "held"
#: Bytes of free memory with which its images (1.4 GB, at most 2) are kept there.
PLENTY = 8 * 1024**3
COMMAND_LIMIT = 600


def complaint():
    """Return why no engine can be had here, or None."""
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        return f"no container engine: {', '.join(missing)} missing; on Debian: scripts/engine.sh"
    if os.getuid():
        return "no container engine: only root can start one"
    # A container that is not privileged has neither.
    tried = subprocess.run(
        [*APART, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        return f"no container engine: this machine allows no namespaces with mounts ({tried.stderr.strip()})"
    if not Path("/dev/net/tun").exists():
        return "no container engine: /dev/net/tun is missing, which slirp4netns needs"
    return None


class Engine:
    """Started by ``with``, in ``folder``, one of its own; ``engine.log`` in it is what it printed.

    :param user: an ordinary user, who may use it.
    """

    def __init__(self, user):
        self.user = user
        remove_what_the_dead_have_left()
        # Short, since a socket's path is.
        self.folder = folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.folder.chmod(0o755)
        self._log = folder / "engine.log"
        self._lock = (folder / "lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        # Nobody finds it before it is held.
        (folder / "lock").rename(folder / LOCK)
        self.environment = {
            **os.environ, "DOCKER_HOST": f"unix://{folder}/docker.sock", "DOCKER_BUILDKIT": "0",
            "DOCKER_CONFIG": str(folder / "config"),
        }  # fmt: skip
        self.times = {}

    def __enter__(self):
        with self._log.open("wb") as log:
            dockerd = [
                "dockerd", f"--host=unix://{self.folder}/docker.sock", f"--data-root={self.folder}/data",
                f"--exec-root={self.folder}/exec", f"--pidfile={self.folder}/pid", f"--dns={NAME_SERVER}",
                "--exec-opt=native.cgroupdriver=cgroupfs", f"--cgroup-parent={self.folder.name}",
            ]  # fmt: skip
            self._process = _tied(*APART, "/bin/sh", "-c", f'{self._prepare()} && exec "$@"', "sh", *dockerd, log=log)
            try:
                self._pid = self._until(self._first_inside, "nothing runs in the namespaces")
                options = ["--configure", "--mtu=65520", "--disable-host-loopback"]
                self._way_out = _tied("slirp4netns", *options, str(self._pid), "tap0", log=log)
                self._until(self._is_up, "the engine did not come up")
                os.chown(self.folder / "docker.sock", self.user, self.user)
                self._ask_for_a_share()
            except BaseException:
                self.__exit__()
                raise
        return self

    def __exit__(self, *_):
        # The end of the namespaces' first process is the end of all that is in them; nobody is asked.
        for name in ("_process", "_way_out"):
            if process := getattr(self, name, None):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.stdin.close()
                process.wait()
        self._until(lambda: control_groups_are_gone(self.folder.name), "something is left of the containers")
        shutil.rmtree(self.folder)
        self._lock.close()

    @contextmanager
    def network(self):
        """Where the published ports are."""
        with Path("/proc/thread-self/ns/net").open("rb") as here:
            with Path(f"/proc/{self._pid}/ns/net").open("rb") as there:
                _enter(there)
            try:
                yield
            finally:
                _enter(here)

    def run(self, *command, cwd=None, stdin=subprocess.DEVNULL):
        """Run a command with this engine to its end; return what it printed."""
        done = subprocess.run(
            command, cwd=cwd, env=self.environment, capture_output=True, text=True, stdin=stdin,
            timeout=COMMAND_LIMIT, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def kill(self, pid):
        """Kill a process by the id that it has in here, with SIGKILL."""
        self.run("nsenter", f"--target={self._pid}", "--pid", "kill", "-KILL", str(pid))

    def build_stand_ins(self):
        """Make the images that the repository's files name."""
        with self.measured("base"):
            self._import_base()
        for stage, tag in IMAGES.items():
            with self.measured(tag):
                self.run("docker", "build", "--quiet", "--target", stage, "--tag", tag, str(STAND_INS))

    @contextmanager
    def measured(self, phase):
        """Note the phase's seconds, and the CPU's seconds of all that ended or runs in here meanwhile."""
        wall, cpu = time.monotonic(), self._cpu()
        yield
        self.times[phase] = (time.monotonic() - wall, self._cpu() - cpu)

    def _import_base(self):
        certificates = os.environ.get("SSL_CERT_FILE") or CERTIFICATES
        options = ["--quiet", "--variant=essential", f"--include={','.join(PACKAGES)}"]
        # Nobody reads them.
        options += [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "locale", "man")]
        options.append(f"--customize-hook=upload {certificates} {CERTIFICATES}")
        if Path("/etc/pip.conf").exists():
            options.append("--customize-hook=upload /etc/pip.conf /etc/pip.conf")
        variables = {name: os.environ[name] for name in REACHING if os.environ.get(name)}
        variables |= {"SSL_CERT_FILE": CERTIFICATES, "PIP_CERT": CERTIFICATES, "UV_SYSTEM_CERTS": "1"}
        changes = [part for name, value in variables.items() for part in ("--change", f'ENV {name}="{value}"')]
        with self._log.open("ab") as log:
            debian = subprocess.Popen(
                ["mmdebstrap", *options, "bookworm", "-"], stdout=subprocess.PIPE, stderr=log
            )  # fmt: skip
        try:
            self.run("docker", "import", *changes, "-", "stand-in/base", stdin=debian.stdout)
        finally:
            debian.stdout.close()
            assert debian.wait() == 0, self._said("mmdebstrap failed")

    def _cpu(self):
        ours = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = ours.ru_utime + ours.ru_stime
        root = Path("/sys/fs/cgroup")
        if (usage := root / "cpuacct" / self.folder.name / "cpuacct.usage").exists():
            return seconds + int(usage.read_text()) / 1e9
        if (usage := root / self.folder.name / "cpu.stat").exists():
            return seconds + int(usage.read_text().split()[1]) / 1e6
        return seconds

    def _prepare(self):
        """Return what is done in the namespaces before the engine starts."""
        commands = ["ip link set lo up"]
        if psutil.virtual_memory().available > PLENTY:
            # It ends with the namespaces. On a disk, its hundred thousand files take a minute to remove.
            commands.append(f"mkdir {self.folder}/data && mount -t tmpfs -o mode=711 none {self.folder}/data")
        return " && ".join(commands)

    def _ask_for_a_share(self):
        """Count as a dozen processes, which it is: as one control group, it would have one process's share."""
        root = Path("/sys/fs/cgroup")
        if (root / "cgroup.controllers").exists():
            group, file, share = root / self.folder.name, "cpu.weight", 12 * 100
        else:
            group, file, share = root / "cpu" / self.folder.name, "cpu.shares", 12 * 1024
        with suppress(OSError):  # where it has none, it has to do with less
            group.mkdir(exist_ok=True)
            (group / file).write_text(str(share))

    def _first_inside(self):
        """Return the id, as it is out here, of the first process in the namespaces."""
        for child in psutil.Process(self._process.pid).children():
            with suppress(OSError):
                if Path(f"/proc/{child.pid}/ns/pid").readlink() != Path("/proc/self/ns/pid").readlink():
                    return child.pid
        return None

    def _is_up(self):
        return not subprocess.run(["docker", "info"], env=self.environment, capture_output=True, check=False).returncode

    def _until(self, condition, message):
        return until(condition, lambda: self._said(message))

    def _said(self, message):
        return f"{message}:\n{self._log.read_text(errors='replace')[-3000:]}"


def remove_what_the_dead_have_left():
    """Remove folders and control groups of engines whose process is gone; only those, which their lock tells."""
    for lock in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError), lock.open("r+") as file:  # another one removes it, or it is not ours
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(AssertionError):
                until(lambda name=lock.parent.name: control_groups_are_gone(name))  # its processes are still ending
            shutil.rmtree(lock.parent, ignore_errors=True)


def control_groups_are_gone(name):
    """Remove an engine's control groups that have no process any more; return whether none is left."""
    groups = {path for path in Path("/sys/fs/cgroup").glob(f"**/{name}/**") if path.is_dir()}
    left = False
    for group in sorted(groups, reverse=True):
        try:
            group.rmdir()
        except OSError:
            left = group.exists()
    return not left


def _tied(*command, log):
    """Start a command that ends when this process does, however that ends."""
    return subprocess.Popen(
        [*TIED, *command], stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
    )  # fmt: skip


def _enter(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace.fileno(), 0):
        raise OSError(ctypes.get_errno(), "setns")
