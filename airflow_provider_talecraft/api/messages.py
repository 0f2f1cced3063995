"""What TaleCraft's messages mean: the documented ones by their beginning, and "slow down" in whatever spelling."""

from __future__ import annotations

import re

from airflow_provider_talecraft.exceptions import (
    TaleCraftAuthenticationError,
    TaleCraftError,
    TaleCraftGenerationFailedError,
    TaleCraftInsufficientCreditsError,
    TaleCraftInvalidRequestError,
    TaleCraftUnavailableError,
)

#: What an empty prompt is answered with, behind the check of the key: it proves the key, and costs nothing.
PROMPT_IS_REQUIRED = "prompt is required"

#: Upstream messages by prefix (upstream appends details), the error each becomes, and what a person can do.
MESSAGES: tuple[tuple[str, type[TaleCraftError], str], ...] = (
    (
        "API key is required",
        TaleCraftAuthenticationError,
        "Put the API key into the connection's password.",
    ),
    (
        "Invalid API key",
        TaleCraftAuthenticationError,
        "The key is unknown or revoked: create one in TaleCraft under Settings > API Keys.",
    ),
    (
        "User not found",
        TaleCraftAuthenticationError,
        "The account behind the key is gone: contact TaleCraft's support, or use another account's key.",
    ),
    (PROMPT_IS_REQUIRED, TaleCraftInvalidRequestError, "Give a prompt that is not blank."),
    ("Unsupported style", TaleCraftInvalidRequestError, "The reference names one style: children_book."),
    (
        "Unsupported aspect_ratio",
        TaleCraftInvalidRequestError,
        "Use one of the ratios in the reference's table.",
    ),
    ("insufficient credits", TaleCraftInsufficientCreditsError, "Buy credits, then clear this task."),
    (
        "Image generation service is not configured",
        TaleCraftUnavailableError,
        "This is on TaleCraft's side: retry later, or contact their support.",
    ),
    ("Generation failed", TaleCraftGenerationFailedError, "Retry, or change the prompt."),
)

#: "Slow down", in a message of lower-case words with single blanks. How a breach is worded is not documented.
SLOW_DOWN = re.compile(
    r"rate ?limit"
    r"|too ?many ?(\w+ ){0,2}(requests|generations|calls|tasks|jobs)"
    r"|\bthrottl(ed|ing)"
    r"|concurren(t|cy)\b.*\b(limit|exceed|reached|allowed|max)"
    r"|\b(limit|exceed|max)\w*\b.*\bconcurren(t|cy)"
    r"|\b(quota|limit|requests|generations) (per|an?) (second|minute|hour|day)"
    r"|\b(daily|hourly|minute|request) (\w+ )?(quota|limit)"
    r"|\bquota (\w+ ){0,2}(exceeded|exhausted)|exceeded (\w+ ){0,3}quota|resource (\w+ ){0,2}exhausted"
    r"|\b(status|code|http|error) 429\b"
    r"|^(please )?slow down|reduce your request rate"
    r"|请求过于频繁|请求过多|请求频率|限流|并发"
)
#: Characters of a message in which "slow down" is looked for.
LOOK_LIMIT = 2000


def says_slow_down(message: str) -> bool:
    """Return whether *message* speaks of a rate limit, in whatever case, with underscores, hyphens or as OneWord."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", message[:LOOK_LIMIT])
    return bool(SLOW_DOWN.search(" ".join(re.sub(r"[\W_]+", " ", words).casefold().split())))
