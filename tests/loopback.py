"""Small loopback servers that misbehave in ways no well-behaved server can be told to."""

from __future__ import annotations

import contextlib
import json
import socket
import threading


@contextlib.contextmanager
def server(handle, *, times=1):
    """A loopback server that gives each connection's socket, after accept, to *handle*; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        seen = []
        stopping = threading.Event()

        def serve():
            for _ in range(times):
                with contextlib.suppress(OSError):
                    connection, _ = listener.accept()
                    if stopping.is_set():
                        return
                    seen.append(connection)
                    with connection:
                        handle(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], seen
        stopping.set()
        with contextlib.suppress(OSError), socket.create_connection(listener.getsockname(), timeout=1):
            pass
        thread.join(5)


def read_head(connection):
    """Receive a request without a body and return it."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            raise ConnectionError
        data += more
    return data.decode()


def read_request(connection):
    """Receive a request with whatever body it announces; return its head and its body."""
    head, _, body = read_head(connection).partition("\r\n\r\n")
    lengths = [line.split(":")[1] for line in head.split("\r\n") if line.lower().startswith("content-length")]
    while len(body.encode()) < int(*lengths):
        body += connection.recv(65536).decode()
    return head, body


def answering(raw):
    def handle(connection):
        read_request(connection)
        connection.sendall(raw)

    return handle


def answering_json(value):
    body = json.dumps(value).encode()
    return answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
