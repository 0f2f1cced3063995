"""What Airflow's metrics arrive at: a StatsD server, and an OpenTelemetry receiver over HTTP; each by its wire format."""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LIMIT = 60


class Receiver:
    """Keeps, by name and tags, what has arrived; ``with`` starts and stops it."""

    def __init__(self):
        self._arrived = {}
        self._lock = threading.Lock()

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def keep(self, key, value, *, sum_up):
        with self._lock:
            self._arrived[key] = self._arrived.get(key, 0) + value if sum_up else value

    def read(self, **tags):
        """Return counts, and of timings how many there were, by name and what else tags tell apart."""
        with self._lock:
            arrived = dict(self._arrived)
        found = {}
        for (name, all_tags), value in arrived.items():
            rest = dict(all_tags)
            if all(rest.pop(tag, None) == wanted for tag, wanted in tags.items()):
                kind = "".join(f" {tag}={text}" for tag, text in sorted(rest.items()) if tag in {"error", "waits_for"})
                found[f"{name}{kind}"] = found.get(f"{name}{kind}", 0) + value
        return found

    def until(self, wanted, **tags):
        """Wait until *wanted* has arrived; return what has."""
        end = time.monotonic() + LIMIT
        while (found := self.read(**tags)) != wanted and time.monotonic() < end:
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
                if line.startswith("airflow.talecraft."):
                    self.lines.append(line)
                    name, _, value = line.partition(":")
                    number, _, kind = value.partition("|")
                    name, *tags = name.split(",")
                    key = (name, tuple(sorted(tuple(tag.split("=")) for tag in tags)))
                    self.keep(key, 1 if kind == "ms" else float(number), sum_up=True)


class OpenTelemetry(Receiver):
    """A receiver of OTLP over HTTP. Each process sends its sums since it began, again and again."""

    def __init__(self):
        super().__init__()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802  # http.server's
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
            "AIRFLOW__METRICS__OTEL_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__OTEL_PORT": str(port),
            "AIRFLOW__METRICS__OTEL_INTERVAL_MILLISECONDS": "1000",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        }
        self.units = {}

    def serve(self):
        self._server.serve_forever()

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def take(self, body):
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                if metric.name.startswith("airflow.talecraft."):
                    self.units[metric.name] = metric.unit
                    self._take(metric)

    def _take(self, metric):
        data = getattr(metric, metric.WhichOneof("data"))
        for point in data.data_points:
            tags = tuple(sorted((each.key, each.value.string_value) for each in point.attributes))
            value = point.count if hasattr(point, "count") else point.as_int or point.as_double
            # A process is known by when it began to count.
            self.keep((metric.name, (*tags, ("start", str(point.start_time_unix_nano)))), value, sum_up=False)
