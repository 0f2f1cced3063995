"""Small loopback servers that misbehave in ways no well-behaved server can be told to."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time

import trustme


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


def drip(connection, drop):
    """Send *drop* again and again, for two minutes or until nobody is there."""
    with contextlib.suppress(OSError):
        for _ in range(6000):
            connection.sendall(drop)
            time.sleep(0.02)


def answering(raw):
    def handle(connection):
        read_request(connection)
        connection.sendall(raw)

    return handle


def answering_json(value):
    body = json.dumps(value).encode()
    return answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def resolving(monkeypatch, names):
    """Answer lookups of *names* from lists of addresses, one address a lookup; leave others to the system."""
    system = socket.getaddrinfo
    asked = []

    def getaddrinfo(host, port, *args, **kwargs):
        if host not in names:
            return system(host, port, *args, **kwargs)
        asked.append(host)
        address = names[host].pop(0) if len(names[host]) > 1 else names[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, int(port or 443)))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@contextlib.contextmanager
def tls_server(name, tmp_path, monkeypatch, handle, names=None):
    """Have *handle* answer one connection over TLS, with a certificate for *name* that a client here trusts.

    *names* gets the name that the client asks for.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    context.sni_callback = lambda _, asked, __: (names if names is not None else []).append(asked)

    def secured(connection):
        with context.wrap_socket(connection, server_side=True) as secure:
            handle(secure)

    with server(secured) as (port, _):
        yield port


@contextlib.contextmanager
def gallery(*bodies):
    """Serve *bodies* one after the other, the last one again and again; yield a URL and the list of requests."""
    rest = list(bodies)

    def handle(connection):
        read_head(connection)
        body = rest.pop(0) if len(rest) > 1 else rest[0]
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with server(handle, times=99) as (port, seen):
        yield f"http://127.0.0.1:{port}/uploads/fox.jpeg", seen
