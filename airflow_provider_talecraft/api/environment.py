"""How this machine reaches others: its proxies and its CA bundle, as requests would read them from the environment.

Sessions here do not trust the environment as a whole, since that would bring in ``.netrc`` passwords too.
"""

from __future__ import annotations

import os
import ssl
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies

from airflow_provider_talecraft.api.address import is_loopback
from airflow_provider_talecraft.exceptions import TaleCraftInvalidRequestError


def proxies(url: str) -> dict[str, str]:
    """Return the proxies for *url*; none for loopback, where a proxy would be a way off this machine."""
    if is_loopback(urlsplit(url).hostname or ""):
        return {}
    return dict(get_environ_proxies(url))


def ca_bundle() -> str:
    """Return the path of the CA bundle, a file or a directory."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH


@lru_cache(maxsize=4)
def ssl_context(bundle: str) -> ssl.SSLContext:
    """Return the context that all connections of this process share: loading a CA bundle takes 17 ms CPU each time.

    :raises TaleCraftInvalidRequestError: if the bundle cannot be read.
    """
    try:
        if Path(bundle).is_dir():
            return ssl.create_default_context(capath=bundle)
        return ssl.create_default_context(cafile=bundle)
    except OSError as error:
        raise TaleCraftInvalidRequestError(
            f"The CA bundle {bundle!r} (REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE) cannot be read: {error.strerror}. "
            "Nothing was sent."
        ) from None
