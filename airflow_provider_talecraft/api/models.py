"""What is asked of TaleCraft and what comes back. Plain values, checked when they are made; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from airflow_provider_talecraft.exceptions import TaleCraftInvalidRequestError

#: The reference's closed table of width:height ratios.
AspectRatio = Literal["1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9"]
ASPECT_RATIOS: tuple[str, ...] = get_args(AspectRatio)

#: The reference's defaults.
DEFAULT_STYLE = "children_book"
DEFAULT_ASPECT_RATIO = "1:1"

#: What one delivered illustration costs.
CREDITS = 2


@dataclass(frozen=True)
class IllustrationRequest:
    """One illustration to draw; a value that TaleCraft is known to refuse cannot be made.

    :param prompt: description of the scene; not blank.
    :param style: name of a style. The list is open upstream, so an unknown one is sent.
    :param aspect_ratio: one of :data:`ASPECT_RATIOS`.
    :raises TaleCraftInvalidRequestError: on a wrong value; nothing has been sent.
    """

    prompt: str
    style: str = DEFAULT_STYLE
    aspect_ratio: str = DEFAULT_ASPECT_RATIO

    def __post_init__(self) -> None:
        for name in ("prompt", "style", "aspect_ratio"):
            value = getattr(self, name)
            if not isinstance(value, str):
                raise TaleCraftInvalidRequestError(
                    f"{name} must be a string, not {type(value).__name__}: nothing was sent."
                )
            if not value.strip():
                raise TaleCraftInvalidRequestError(f"{name} is blank: nothing was sent. Give a {name}.")
            if "\0" in value:
                # PostgreSQL stores none: the picture would be paid for, and its XCom lost.
                raise TaleCraftInvalidRequestError(f"{name} contains a NUL: nothing was sent.")
            if not _is_unicode(value):
                raise TaleCraftInvalidRequestError(
                    f"{name} contains half of a surrogate pair, which is not text: nothing was sent."
                )
        if self.aspect_ratio not in ASPECT_RATIOS:
            raise TaleCraftInvalidRequestError(
                f"aspect_ratio {self.aspect_ratio[:40]!r} is not supported: nothing was sent. "
                f"Use one of {', '.join(ASPECT_RATIOS)}."
            )

    def payload(self) -> dict[str, str]:
        """Return the JSON body of the POST."""
        return {"prompt": self.prompt, "style": self.style, "aspect_ratio": self.aspect_ratio}


@dataclass(frozen=True)
class Illustration:
    """A delivered, and therefore charged, illustration.

    :param id: TaleCraft's id of the task, a UUID; empty if the answer had none.
    :param status: "success" as a rule; empty if the answer had none.
    :param image_url: http(s) URL of the picture, on another host than the API; public.
    """

    id: str
    status: str
    image_url: str


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
