"""What an answer brings in is made harmless here, once: behind it no text of it is a template, a path or a markup.

An illustration's fields are strict; what an error quotes stays readable to people.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote, urlsplit

#: Upstream text is quoted up to here: enough for any documented message, too little to fill a log.
QUOTE_LIMIT = 300
#: Characters of an unreadable body among which there is something to quote, or not.
READ_LIMIT = 4096
#: Longest image_url that is taken, in characters: RFC 9110, section 4.1, asks everybody to support 8,000 octets.
URL_LIMIT = 8000
#: What may stand in a URL besides letters, digits and ``-._~`` (RFC 3986), save what ends a text in HTML or Markdown.
URL_SAFE = "%:/?#@!$&*+,;="
#: Angle brackets that look like those of a tag and are none.
NO_TAGS = {
    ord("<"): "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
    ord(">"): "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
}
#: A host as a name, an IPv4 address or a bracketed IPv6 address; with a port.
AUTHORITY = re.compile(r"([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?")
#: A key at least this long cannot be part of a URL by chance.
KEY_LENGTH_NOT_BY_CHANCE = 8


def harmless_url(value: Any) -> str:
    """Return *value* as RFC 3986 writes URLs; empty if it is no http(s) URL.

    A blank, a brace, a quote, a control or a letter of another script is percent-encoded: servers take both for the
    same address, and what is encoded is no template and no markup.
    """
    text = value.strip() if isinstance(value, str) else ""
    if len(text) > URL_LIMIT:  # encoding only makes it longer
        return ""
    # Before it is taken apart: urlsplit drops tabs and newlines without a word.
    text = re.sub(r"[\x00-\x20]", lambda control: f"%{ord(control[0]):02X}", text)
    text = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        user, at, host = parts.netloc.rpartition("@")
        host = host if host.isascii() else host.encode("idna").decode()
    except ValueError:
        return ""
    if not usable or not AUTHORITY.fullmatch(host):
        return ""
    rest = text.partition("://")[2][len(parts.netloc) :]
    url = f"{parts.scheme}://{_encoded(user)}{at}{host}{_without_dots(_encoded(rest))}"
    return url if len(url) <= URL_LIMIT else ""


def _encoded(text: str) -> str:
    return quote(text, safe=URL_SAFE, errors="surrogatepass")


def _without_dots(url: str) -> str:
    """Encode the dots of ``.`` and ``..`` between slashes: whoever takes the last part for a name stays there."""
    return re.sub(r"(?<![^/?#])\.{1,2}(?![^/?#])", lambda dots: "%2E" * len(dots[0]), url)


def contains_key(text: str, secret: str) -> bool:
    """Return whether *secret*, not by chance, is in *text*, as it is or percent-encoded."""
    return len(secret) >= KEY_LENGTH_NOT_BY_CHANCE and secret in unquote(text)


def label(value: Any, secret: str) -> str:
    """Return a short name: letters, digits and ``._:-``, the first one a letter or a digit; empty if it has the key."""
    # The key is looked for in what is left: something between its letters would hide it.
    kept = _named(value) if isinstance(value, str) else ""
    return "" if contains_key(kept, _named(secret)) else kept[:QUOTE_LIMIT]


def _named(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._:-]", "", text).lstrip("._:-")


def harmless(text: str, secret: str) -> str:
    """Return upstream text fit for a message: one printable line, no template, no tag, without the key, cut."""
    # The key is taken out before the text is cut: a cut key would not be recognised, and half of it shown.
    line = " ".join(redact(text, secret).split())
    shown = line if len(line) <= QUOTE_LIMIT else line[:QUOTE_LIMIT] + "…"
    # Controls, and marks without a width or with a direction, are not printable either.
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in shown)
    return re.sub(r"\{(?=[{%#])", "{ ", shown).translate(NO_TAGS)


def quoted(text: str, secret: str) -> str:
    """Return upstream text as :func:`harmless` does, in quotes."""
    return repr(harmless(text, secret))


def redact(text: str, secret: str) -> str:
    """Return *text* without the key."""
    return text.replace(secret, "***") if secret else text
