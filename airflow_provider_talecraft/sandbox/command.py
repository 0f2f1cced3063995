"""The command line: its options, what it prints, how it ends. Light to import; loads the server when it serves.

``OPTIONS`` is plain data, (flags, keywords of ``add_argument``), so that ``airflow talecraft sandbox`` offers the same.
"""

from __future__ import annotations

import argparse
import sys
from functools import wraps
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.sandbox import addresses, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_EXTRA = ("starlette", "uvicorn", "PIL")
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - recognised, not bound


def _argument(check: Callable[[Any], Any]) -> Callable[[str], Any]:
    """Let argparse show the check's own sentence instead of its "invalid value"."""

    @wraps(check)
    def parse(text: str) -> Any:
        try:
            return check(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse


def _option(flag: str, check: Callable[[Any], Any], **keywords: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    return (flag,), {"type": _argument(check), **keywords}


OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    _option("--host", settings.host, default="127.0.0.1", help="address to listen on (default: 127.0.0.1)"),
    _option("--port", settings.port, default=8765, help="port to listen on; 0 for a free one (default: 8765)"),
    _option(
        "--latency",
        settings.seconds,
        default=1.0,
        metavar="SECONDS",
        help="how long a generation takes (default: 1)",
    ),
    _option("--credits", settings.credits_, default=1000, help="the account's balance (default: 1000)"),
    _option(
        "--requests-per-minute",
        settings.at_least_one,
        default=None,
        metavar="N",
        help="answer more in any 60 seconds with 429 (default: no limit)",
    ),
    _option(
        "--max-concurrency",
        settings.at_least_one,
        default=None,
        metavar="N",
        help="answer more at the same time with 429 (default: no limit)",
    ),
    _option("--seed", settings.seed, default=0, help="another seed paints other pictures (default: 0)"),
    _option(
        "--api-key",
        settings.api_key,
        action="append",
        default=None,
        metavar="KEY",
        help=f"a key that is valid; may be repeated (default: {settings.DEFAULT_KEY})",
    ),
    _option(
        "--public-url",
        settings.public_url,
        default=None,
        metavar="URL",
        help="what image URLs begin with (default: the host each request was sent to)",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sandbox's options."""
    for flags, keywords in OPTIONS:
        parser.add_argument(*flags, **keywords)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_talecraft.sandbox",
        description="A local stand-in for the TaleCraft API: nothing it does costs money.",
    )
    add_arguments(parser)
    return serve(parser.parse_args(arguments))


def serve(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; the exit code.

    :param options: a namespace with the values of ``OPTIONS``.
    """
    if complaint := complaint_about_extra():
        return _fail(complaint)
    from airflow_provider_talecraft.sandbox import server  # noqa: PLC0415 - light until here

    chosen = settings.Settings(
        latency=options.latency,
        credits=options.credits,
        requests_per_minute=options.requests_per_minute,
        max_concurrency=options.max_concurrency,
        seed=options.seed,
        api_keys=tuple(options.api_key or (settings.DEFAULT_KEY,)),
        public_url=options.public_url,
    )
    try:
        listener = server.listen(options.host, options.port)
    except OSError as error:
        where = f"{addresses.bracketed(options.host)}:{options.port}"
        return _fail(f"cannot listen on {where}: {error.strerror or error}. Another --port, or 0 for a free one?")
    greeting = _greeting(addresses.bracketed(options.host), listener.getsockname()[1], chosen)
    server.run_in_foreground(chosen, listener, lambda: print(greeting, flush=True))  # noqa: T201 - a command's own output
    return 0


def complaint_about_extra() -> str | None:
    """A sentence if the server's libraries are not installed; nothing is imported to find out."""
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if not missing:
        return None
    wanted = ", ".join({"PIL": "pillow"}.get(name, name) for name in missing)
    return f"The sandbox needs {wanted}: pip install 'airflow-provider-talecraft[sandbox]'"


def _greeting(host: str, port: int, chosen: settings.Settings) -> str:
    key = chosen.api_keys[0]
    return (
        f"TaleCraft sandbox listening on http://{host}:{port}\n"
        f"API key {key}, {chosen.credits} credits, {chosen.latency:g} s a picture. Nothing here costs money.\n"
        f"{addresses.connection_line(_EVERYWHERE.get(host, host), port, key)}"
    )


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 - a command's own output
    return 1
