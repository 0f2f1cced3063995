"""What Airflow's metrics arrive at: a StatsD server, and a receiver of OpenTelemetry's protocol over HTTP."""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from patience import PATIENCE

PREFIX = "airflow."


class Receiver:
    """Keeps, by name and tags, what has arrived; ``with`` starts and stops it."""

    def __init__(self):
        self._arrived = {}
        self._lock = threading.Lock()

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def keep(self, name, tags, value, *, sum_up=False, process=""):
        """Note *value* of a metric: on top of what there was, or in its place."""
        key = (name.removeprefix(PREFIX), tuple(sorted(tags)), process)
        with self._lock:
            self._arrived[key] = self._arrived.get(key, 0) + value if sum_up else value

    def read(self):
        """Return what has arrived by name and tags: the sums of counters; of timings, how many there were."""
        found = {}
        with self._lock:
            for (name, tags, _), value in self._arrived.items():
                found[name, tags] = found.get((name, tags), 0) + value
        return found

    def until(self, wanted):
        """Wait until *wanted* has arrived; return what has."""
        end = time.monotonic() + PATIENCE
        while (found := self.read()) != wanted and time.monotonic() < end:
            time.sleep(0.1)
        return found


class StatsD(Receiver):
    """A StatsD server. Airflow writes tags as InfluxDB does: ``name,tag=value:1|c``."""

    def __init__(self):
        super().__init__()
        self.lines = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.environment = {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(self._socket.getsockname()[1]),
            "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
        }

    def __exit__(self, *_):
        self._socket.close()

    def serve(self):
        while True:
            try:
                packet = self._socket.recv(65536).decode()
            except OSError:
                return
            for line in packet.splitlines():
                if line.startswith(f"{PREFIX}talecraft."):
                    self.lines.append(line)
                    name, _, value = line.partition(":")
                    number, _, kind = value.partition("|")
                    name, *tags = name.split(",")
                    self.keep(name, [tuple(tag.split("=")) for tag in tags],
                              1 if kind == "ms" else float(number), sum_up=True)  # fmt: skip


class OpenTelemetry(Receiver):
    """A receiver of OTLP over HTTP. Each process sends its sums since it began, again and again."""

    def __init__(self):
        super().__init__()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):  # http.server's
                receiver.take(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        port = self._server.server_port
        self.environment = {
            "AIRFLOW__METRICS__OTEL_ON": "True",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        }

    def serve(self):
        self._server.serve_forever()

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def take(self, body):
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                if metric.name.startswith(f"{PREFIX}talecraft."):
                    self._take(metric)

    def _take(self, metric):
        data = getattr(metric, metric.WhichOneof("data"))
        for point in data.data_points:
            tags = [(each.key, each.value.string_value) for each in point.attributes]
            value = point.count if hasattr(point, "count") else point.as_int or point.as_double
            # A process is known by when it began to count.
            self.keep(metric.name, tags, value, process=point.start_time_unix_nano)
