"""``airflow talecraft generate``: one picture from a prompt, after a question about its cost. Light to import."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.api.models import (
    ASPECT_RATIOS,
    CREDITS,
    DEFAULT_ASPECT_RATIO,
    DEFAULT_STYLE,
    IllustrationRequest,
)
from airflow_provider_talecraft.cli import connection, exits
from airflow_provider_talecraft.cli.terminal import Terminal, see_all_connections
from airflow_provider_talecraft.exceptions import TaleCraftError, TaleCraftOutcomeUnknownError

if TYPE_CHECKING:
    import argparse

    from airflow_provider_talecraft.api.client import TaleCraftClient
    from airflow_provider_talecraft.api.models import Illustration
    from airflow_provider_talecraft.cli.saving import Saving
    from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook

#: (flags, keywords of ``add_argument``), for both ways to call it.
OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("prompt",), {"metavar": "PROMPT", "help": "description of the scene"}),
    (("--style",), {"default": DEFAULT_STYLE, "help": f"name of a style (default: {DEFAULT_STYLE})"}),
    (
        ("--aspect-ratio",),
        {"default": DEFAULT_ASPECT_RATIO, "help": f"{', '.join(ASPECT_RATIOS)} (default: {DEFAULT_ASPECT_RATIO})"},
    ),
    (
        ("--save",),
        {
            "metavar": "PATH",
            "help": "file or folder for the picture: a local path, or a URI such as s3://conn_id@bucket/folder/",
        },
    ),
    (("--overwrite",), {"action": "store_true", "help": "replace, without a question, what stands there"}),
    (("--conn-id",), {"default": connection.DEFAULT, "help": f"id of the connection (default: {connection.DEFAULT})"}),
    (("--yes",), {"action": "store_true", "help": f"spend the {CREDITS} credits without a question"}),
    (("--output",), {"choices": ("table", "json"), "default": "table", "help": "default: table"}),
)
DESCRIPTION = (
    f"Draw one picture. It costs {CREDITS} credits, and asks before it sends anything.\n"
    "With --save the picture and its receipt are saved; the same command again finds them and costs nothing.\n\n"
    + exits.OF_GENERATE
)

CHARGED = "credits may have been charged"


class _StopError(Exception):
    """The command ends before anything is sent.

    :param code: its exit code.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class _Wire:
    """Sends one request, once, and knows what became of it.

    :param hook: of the connection.
    :param client: of the connection, too.
    """

    def __init__(self, hook: TaleCraftHook, client: TaleCraftClient) -> None:
        self._hook = hook
        self._client = client
        self.is_sent = False
        self.is_answered = False

    def send(self, request: IllustrationRequest) -> Illustration:
        with self._hook.within_the_limit():
            self.is_sent = True
            try:
                illustration = self._client.generate(request)
            except KeyboardInterrupt:
                # As an error of ours: then the receipt says, too, that nobody waits for the answer any more.
                raise TaleCraftOutcomeUnknownError(
                    "Interrupted while the request was on its way: it may have been charged; TaleCraft has no way to "
                    "look it up."
                ) from None
            self.is_answered = True
        return illustration


def run(options: argparse.Namespace) -> int:
    """Draw, print what was drawn, and return the exit code.

    :param options: a namespace with the values of ``OPTIONS``.
    """
    terminal = Terminal(as_json=options.output == "json")
    # A script's timeout ends a command as Ctrl-C does: it says what may have been charged.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    see_all_connections()
    return _Generation(options, terminal).run()


class _Generation:
    """One run of the command: what is to be drawn, and what is known about the money when it ends."""

    def __init__(self, options: argparse.Namespace, terminal: Terminal) -> None:
        self._options = options
        self._terminal = terminal
        self._wire: _Wire | None = None
        self._unanswered = 0
        self._is_paid = False

    def run(self) -> int:
        """Return the exit code."""
        from airflow.providers.common.compat.sdk import AirflowException  # noqa: PLC0415  # light until here

        try:
            output = self._draw()
        except _StopError as stop:
            return self._end("NotSent", str(stop), stop.code)
        except TaleCraftOutcomeUnknownError as error:
            self._unanswered += bool(self._wire and self._wire.is_sent)
            said = f"{error}" if CHARGED in str(error) else f"{error} {self._how_much()}"
            return self._end(type(error).__name__, said + self._where(error), exits.UNKNOWN)
        except KeyboardInterrupt:
            return self._end("KeyboardInterrupt", "Interrupted.", exits.FAILED)
        except (TaleCraftError, AirflowException) as error:
            return self._end(type(error).__name__, f"{error}{self._where(error)}", exits.FAILED)
        except Exception as error:  # noqa: BLE001  # each store has its own
            return self._end(type(error).__name__, f"{type(error).__name__}: {error}", exits.FAILED)
        self._print(output)
        return exits.DONE

    def _draw(self) -> dict[str, Any]:
        """Ask, send, save.

        :raises _StopError: if nothing is to be sent.
        """
        try:
            request = IllustrationRequest(self._options.prompt, self._options.style, self._options.aspect_ratio)
        except TaleCraftError as error:
            raise _StopError(str(error), exits.USAGE) from None
        hook, client = connection.opened(self._options.conn_id)
        saving = self._saving(request, hook)
        if saving and saving.found:
            return saving.found
        self._ask(client.base_url, request, saving)
        self._wire = _Wire(hook, client)
        with self._terminal.waiting(f"Drawing at {client.base_url}; this takes some seconds …"):
            if saving:
                return saving.draw(self._wire.send, again=not self._options.yes)
            illustration = self._wire.send(request)
        parts = {"id": illustration.id, "status": illustration.status, "image_url": illustration.image_url}
        return {**parts, **request.payload(), "drawn": True}

    def _saving(self, request: IllustrationRequest, hook: TaleCraftHook) -> Saving | None:
        if self._options.save is None:
            return None
        from airflow_provider_talecraft.cli.saving import Saving  # noqa: PLC0415  # loads requests and file systems

        with self._terminal.waiting(f"Looking at {self._options.save} …"):
            saving = Saving(self._options.save, request, hook)
        self._unanswered = saving.unanswered
        self._is_paid = saving.is_paid
        return saving

    def _ask(self, host: str, request: IllustrationRequest, saving: Saving | None) -> None:
        """Ask what has to be asked before anything is sent.

        :raises _StopError: if the answer is no, or nobody is there to give one.
        """
        options, terminal = self._options, self._terminal
        taken = saving.in_the_way if saving and not options.overwrite else []
        if (options.yes or (saving and saving.is_paid)) and not taken:
            return
        if not terminal.can_ask:
            wanted = " ".join([*(["--yes"] if not options.yes else []), *(["--overwrite"] if taken else [])])
            why = f"{taken[0]} stands there already" if taken else f"it costs {CREDITS} credits"
            raise _StopError(f"Nothing was sent: {why}, and there is no terminal to ask on. Add {wanted}.", exits.USAGE)
        terminal.say(
            f"{request.prompt}\n  style {request.style}, {request.aspect_ratio}, connection {options.conn_id}, {host}"
        )
        if saving and saving.unanswered:
            terminal.say(f"  {saving.unanswered} earlier request(s) for it had no answer. {self._how_much()}")
        if saving and saving.in_the_way:
            terminal.say(f"  {saving.in_the_way[0]} stands there already, and is replaced.")
        if not terminal.confirms(f"This costs {CREDITS} credits. Go on?"):
            raise _StopError("Not confirmed: nothing was sent.", exits.FAILED)

    def _how_much(self) -> str:
        return f"Up to {self._unanswered * CREDITS} {CHARGED}: compare your balance."

    def _where(self, error: BaseException) -> str:
        """Return the connection's name, if *error* does not say it; with several, which one is the question."""
        named = repr(self._options.conn_id) in str(error) or not isinstance(error, TaleCraftError)
        return "" if named else f" (connection {self._options.conn_id!r})"

    def _end(self, error: str, message: str, code: int) -> int:
        """Say why it ends, and what that has cost; return the exit code."""
        # The operators' advice speaks of tasks and their options.
        message = re.sub("clear (the|this) task", "run this again", message)
        message = re.sub(r"\bdst\b", "--save", message).replace('redraw="always"', "--overwrite")
        paid = self._is_paid or bool(self._wire and self._wire.is_answered and self._options.save)
        if paid:
            code = exits.UNSAVED
            message += (
                f"\nThe picture is paid for ({CREDITS} credits) and not saved. "
                "The same command again saves it, and pays nothing."
            )
        elif code == exits.FAILED and "othing was" not in message:
            message += " Nothing was charged."
        credits_ = {
            "credits": CREDITS if self._wire and self._wire.is_answered else 0,
            "credits_unknown": self._unanswered * CREDITS,
        }
        self._terminal.say(message)
        self._terminal.result({"error": error, "message": message, **credits_, "exit_code": code})
        return code

    def _print(self, output: dict[str, Any]) -> None:
        from airflow_provider_talecraft.cli.saving import shown  # noqa: PLC0415  # light until here

        cost = CREDITS if self._wire and self._wire.is_sent else 0
        rows = {"picture": output["id"], "url": output["image_url"]}
        if "path" in output:
            rows["saved in"] = shown(output["path"])
            rows["file"] = f"{output['content_type']}, {output['width']} x {output['height']}, {output['size']:,} bytes"
        rows["cost"] = f"{cost} credits" if cost else "nothing: it was paid for before"
        self._terminal.result(
            {**output, "credits": cost, "credits_unknown": 0}, [f"{name:<12}{value}" for name, value in rows.items()]
        )
