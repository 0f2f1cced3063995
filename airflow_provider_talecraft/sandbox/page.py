"""The page at ``/``: what the sandbox is, how to connect to it, what it painted. Loads nothing but pictures.

Prompts come from anybody who may generate. They are escaped here, and the Content-Security-Policy forbids scripts.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timezone
from html import escape
from string import Template
from typing import TYPE_CHECKING

from airflow_provider_talecraft.sandbox.addresses import connection_line
from airflow_provider_talecraft.sandbox.styles import CSS

if TYPE_CHECKING:
    from airflow_provider_talecraft.sandbox.ledger import Arrival, Charge
    from airflow_provider_talecraft.sandbox.state import State

PICTURES = 12
_REQUESTS = 8
_CAPTION_CHARS = 140

_STYLE_HASH = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; img-src 'self' data:; style-src 'sha256-{_STYLE_HASH}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_FAITHFUL = """
<li>One synchronous endpoint, <code>POST /api/v1/generate</code>, with the reference's fields, values and defaults.</li>
<li>The checks in the service's order, with its messages word for word, each with HTTP status 200.</li>
<li>A picture costs 2 credits, taken when the work is done. A refusal is free; a lost answer was paid for.</li>
<li>A client that goes away does not stop the work.</li>
<li>No status, list or balance endpoint and no idempotency key: what was lost cannot be looked up.</li>
"""
_NOT_FAITHFUL = """
<li><b>Rate limits are a guess.</b> The reference states limits, not how a breach is answered: here with HTTP 429 and
Retry-After. There are no plans and no daily limit, and all keys share one account.</li>
<li><b>Pictures are painted by a procedure</b>, not by a model: the ratio is right, the content is not what a model
would draw. They are JPEG throughout and served by this host; upstream they are on a CDN, and not always JPEG.</li>
<li><b>No style but children_book</b>, although the reference's list is an open one.</li>
<li><b>Choices where nothing is known:</b> a prompt of blanks counts as empty, a body over 1 MiB is answered with 413.
No time limit, and no gateway in front: script a fault to meet one.</li>
<li><b>Time.</b> A generation takes as long as it was told to; upstream 10 to 30 seconds as a rule.</li>
"""

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>TaleCraft sandbox</title>
<link rel="icon" href="data:,">
<style>$css</style>
<body>
<header>
<h1>TaleCraft sandbox</h1>
<p>A local stand-in for the TaleCraft picture API. It keeps a ledger, paints a picture for every prompt,
fails on request, and never costs money.</p>
</header>
<main>
<dl class="figures">$figures</dl>
<section class="connect">
<h2>Connect</h2>
<p>API key <code>$key</code>. In the shell that runs Airflow:</p>
<pre>$line</pre>
<p>Or in Airflow's form, Admin &gt; Connections: connection id <code>talecraft_default</code>, type
<code>TaleCraft</code>, host <code>http://$host</code>, port <code>$port</code>, API key as above. The Test button is in
the list, after saving.</p>
<p>Or without Airflow:</p>
<pre>$curl</pre>
</section>
<section>
<h2>Latest pictures</h2>
$gallery
</section>
<section>
<h2>Latest requests</h2>
$requests
</section>
<section class="twins">
<div><h2>Faithful about</h2><ul>$faithful</ul></div>
<div><h2>Not faithful about</h2><ul>$not_faithful</ul></div>
</section>
</main>
<footer>
<a href="/sandbox/ledger">Ledger</a> <a href="/sandbox/faults">Waiting faults</a>
<span>Faults are scripted with POST /sandbox/faults; docs/sandbox.md has recipes. Reload for news.</span>
</footer>
</body>
</html>
""")


def render(state: State, host: str, port: int) -> str:
    """The page as HTML.

    :param host: the host that the reader reached the sandbox under.
    :param port: and the port.
    """
    ledger, settings = state.ledger, state.settings
    key = settings.api_keys[0]
    return _PAGE.substitute(
        css=CSS,
        figures="".join(
            f"<div><dt>{name}</dt><dd>{value:,}</dd></div>"
            for name, value in (
                ("credits left", ledger.credits),
                ("credits spent", ledger.spent),
                ("requests", ledger.arrivals),
                ("faults waiting", len(state.faults.as_list())),
            )
        ),
        key=escape(key),
        line=escape(connection_line(host, port, key)),
        host=escape(host),
        port=port,
        curl=escape(
            f"curl http://{host}:{port}/api/v1/generate -H 'X-API-Key: {key}' -H 'Content-Type: application/json' \\\n"
            """     -d '{"prompt": "A fox reads to the moon", "aspect_ratio": "16:9"}'"""
        ),
        gallery=_gallery(ledger.latest(PICTURES)),
        requests=_requests(ledger.latest_arrivals(_REQUESTS)),
        faithful=_FAITHFUL,
        not_faithful=_NOT_FAITHFUL,
    )


def _gallery(charges: list[Charge]) -> str:
    if not charges:
        return '<p class="empty">None yet. The first one appears here once it is paid for.</p>'
    figures = "".join(
        f'<figure class="r{charge.order.aspect_ratio.replace(":", "-")}">'
        f'<a href="/uploads/illustrations/{charge.picture}.jpeg">'
        f'<img src="/uploads/illustrations/{charge.picture}.jpeg" alt="" loading="lazy"></a>'
        f"<figcaption>{_caption(charge.order.prompt)}</figcaption></figure>"
        for charge in charges
    )
    return f'<div class="gallery">{figures}</div>'


def _requests(arrivals: list[Arrival]) -> str:
    if not arrivals:
        return '<p class="empty">None yet.</p>'
    rows = "".join(
        f"<tr><td>{datetime.fromtimestamp(arrival.time, tz=timezone.utc):%H:%M:%S}</td>"
        f"<td>{_caption(arrival.prompt or '') or '&ndash;'}</td>"
        f'<td><span class="{arrival.outcome.replace(" ", "-")}">{arrival.outcome}</span></td>'
        f"<td>{_caption(arrival.message or '')}</td></tr>"
        for arrival in arrivals
    )
    heads = "".join(f"<th>{name}</th>" for name in ("Time (UTC)", "Prompt", "Outcome", "Message"))
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _caption(text: str) -> str:
    short = text if len(text) <= _CAPTION_CHARS else text[:_CAPTION_CHARS] + "…"
    return escape(short)
