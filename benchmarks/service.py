"""``python service.py SECONDS [CERTIFICATE]``: answers POSTs like the service, after so many seconds.

As little as a server can do, so that what is measured is the client. The sandbox, which checks and paints, takes longer
than the clients do. Prints its port.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import ssl
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "tc-not-a-key-outside-this-benchmark"
numbers = itertools.count()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            found = re.search(rb"(?i)content-length: *(\d+)", head)
            await reader.readexactly(int(found[1]) if found else 0)
            await asyncio.sleep(float(sys.argv[1]))
            name = f"{next(numbers):08}-0000-0000-0000-000000000000"
            url = f"https://pub-00000000000000000000000000000000.r2.dev/uploads/illustrations/{name}.jpeg"
            data = {"id": name, "status": "success", "image_url": url}
            body = json.dumps({"code": 0, "message": "ok", "data": data}).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            await writer.drain()
    writer.close()


async def main() -> None:
    context = None
    if len(sys.argv) > 2:  # noqa: PLR2004  # with a certificate
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2])
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def service(latency: float, certificate: Path | None = None) -> Iterator[str]:
    """Run it; yield its URL."""
    command = [sys.executable, __file__, str(latency), *([str(certificate)] if certificate else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:  # noqa: S603  # this file
        try:
            port = int(process.stdout.readline() if process.stdout else "")
            yield f"https://localhost:{port}" if certificate else f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def certificate(folder: Path) -> tuple[Path, Path]:
    """Return a certificate for localhost, and a CA bundle that is as large as a real one and trusts it."""
    import certifi
    import trustme

    authority = trustme.CA()
    own, bundle = folder / "localhost.pem", folder / "bundle.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(own))
    bundle.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
    return own, bundle


if __name__ == "__main__":
    asyncio.run(main())
