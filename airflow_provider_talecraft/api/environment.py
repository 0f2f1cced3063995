"""How this machine reaches others: its proxies and its CA bundle, as requests would read them from the environment.

Sessions here do not trust the environment as a whole, since that would bring in ``.netrc`` passwords too.
"""

from __future__ import annotations

import os
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
    """Return the path of the CA bundle, a file or a directory.

    :raises TaleCraftInvalidRequestError: if there is none.
    """
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH
    if not os.path.exists(bundle):  # noqa: PTH110  # a path of the environment, as requests reads it
        raise TaleCraftInvalidRequestError(
            f"The CA bundle {bundle!r} (REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE) cannot be read: there is no such file. "
            "Nothing was sent."
        )
    return bundle
