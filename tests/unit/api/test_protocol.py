"""What an answer means, over every documented message and every way an answer can be broken."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.api.border import QUOTE_LIMIT, READ_LIMIT
from airflow_provider_talecraft.api.models import Illustration
from airflow_provider_talecraft.api.protocol import is_refusal, is_whole, parse, proves_key

URL = "https://pub-56194e5487384280af43a03cc4ea8ee4.r2.dev/uploads/illustrations/6188896c.jpeg"
KEY = "tc-key-that-must-not-come-back"


def answer(**fields):
    return json.dumps(fields).encode()


def delivered(**data):
    return answer(code=0, message="ok", data={"id": "9da9465c", "status": "success", "image_url": URL, **data})


def error_of(status, body, **kwargs):
    with pytest.raises(errors.TaleCraftError) as caught:
        parse(status, body, **kwargs)
    return caught.value


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("API key is required. Please provide X-API-Key header.", errors.TaleCraftAuthenticationError),
        ("Invalid API key", errors.TaleCraftAuthenticationError),
        ("User not found", errors.TaleCraftAuthenticationError),
        ("prompt is required", errors.TaleCraftInvalidRequestError),
        ("Unsupported style", errors.TaleCraftInvalidRequestError),
        ("Unsupported aspect_ratio", errors.TaleCraftInvalidRequestError),
        ("insufficient credits", errors.TaleCraftInsufficientCreditsError),
        ("Image generation service is not configured", errors.TaleCraftUnavailableError),
        ("Generation failed", errors.TaleCraftGenerationFailedError),
        ("rate limit exceeded", errors.TaleCraftRateLimitError),
        ("You have hit the Rate Limit of your plan", errors.TaleCraftRateLimitError),
        ("Too many requests", errors.TaleCraftRateLimitError),
        ("Cannot read properties of undefined (reading 'url')", errors.TaleCraftGenerationFailedError),
        ("", errors.TaleCraftGenerationFailedError),
    ],
)
@pytest.mark.parametrize("spelling", [str, str.upper, lambda text: f"  {text}: upstream's details"])
def test_every_message_becomes_its_error_and_is_refused_at_http_200(message, error, spelling):
    caught = error_of(200, answer(code=-1, message=spelling(message)))
    assert type(caught) is error
    assert caught.outcome == "refused"
    assert "nothing was charged" in str(caught)
    assert caught.status_code == 200


def test_the_message_decides_before_the_status():
    assert type(error_of(503, answer(code=-1, message="Generation failed"))) is errors.TaleCraftGenerationFailedError
    assert type(error_of(500, answer(code=-1, message="Invalid API key"))) is errors.TaleCraftAuthenticationError
    assert type(error_of(429, answer(code=-1, message="insufficient credits"))) is (
        errors.TaleCraftInsufficientCreditsError
    )


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (429, errors.TaleCraftRateLimitError, "refused"),
        *((status, errors.TaleCraftUnavailableError, "refused") for status in (511, 521, 522, 523, 525, 526, 530)),
        *(
            (status, errors.TaleCraftInvalidRequestError, "refused")
            for status in (400, 401, 403, 404, 405, 407, 413, 415, 421, 422, 451)
        ),
        *((status, errors.TaleCraftOutcomeUnknownError, "unknown") for status in (200, 201, 204, 301, 302, 307, 308)),
        *((status, errors.TaleCraftOutcomeUnknownError, "unknown") for status in (408, 499, 500, 501, 502, 503)),
        *((status, errors.TaleCraftOutcomeUnknownError, "unknown") for status in (504, 507, 520, 524, 527, 529, 599)),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"<html><h1>Bad gateway</h1></html>",
        b'{"message": "Limit Exceeded"}',
        b'{"code": -1, "mess',
        b"[]",
        b"null",
        b'"ok"',
        b"\xff\xfe",
    ],
)
def test_without_a_readable_message_the_status_decides(status, error, outcome, body):
    caught = error_of(status, body)
    assert type(caught) is error
    assert caught.outcome == outcome
    assert ("may have been charged" in str(caught)) == (outcome == "unknown")
    assert caught.status_code == status


@pytest.mark.parametrize("body", [b"", b"<html>maintenance</html>", b'{"error": "maintenance"}'])
@pytest.mark.parametrize(("header", "seconds"), [("3600", 3600.0), ("0", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)])
def test_http_503_with_a_retry_after_is_unavailable_and_without_a_readable_one_unknown(body, header, seconds):
    caught = error_of(503, body, retry_after=header)
    assert (type(caught), caught.retry_after) == (errors.TaleCraftUnavailableError, seconds)
    assert type(error_of(503, body, retry_after="soon")) is errors.TaleCraftOutcomeUnknownError


@pytest.mark.parametrize("fields", [{"message": "Maintenance"}, {"message": ""}, {}])
def test_a_refusal_with_503_or_an_edges_status_is_unavailable_so_that_no_fallback_is_drawn(fields):
    for status in (503, 521, 530):
        caught = error_of(status, answer(code=-1, **fields), retry_after="3600")
        assert (type(caught), caught.retry_after) == (errors.TaleCraftUnavailableError, 3600.0)
        assert caught.status_code == status
        assert "nothing was charged. Retry later; if it stays, check the host" in str(caught)


def test_a_refusal_without_a_message_is_what_its_status_says():
    turned_away = error_of(401, answer(code=-1))
    assert (type(turned_away), turned_away.status_code) == (errors.TaleCraftInvalidRequestError, 401)
    assert "TaleCraft answered '': nothing was charged. That is the answer of a web server" in str(turned_away)
    assert type(error_of(429, answer(code=-1))) is errors.TaleCraftRateLimitError
    assert type(error_of(500, answer(code=-1))) is errors.TaleCraftGenerationFailedError


def test_a_status_that_says_it_all_does_so_whatever_became_of_its_body():
    assert [is_refusal(status, None) for status in (403, 429, 521, 200, 408, 502, 503)] == [True] * 3 + [False] * 4
    assert is_refusal(503, "60")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, errors.TaleCraftRateLimitError), (200, errors.TaleCraftGenerationFailedError),
        (522, errors.TaleCraftUnavailableError), (403, errors.TaleCraftGenerationFailedError),
    ],
)  # fmt: skip
def test_a_retry_after_is_carried_by_every_refusal(status, kind):
    documented = error_of(status, answer(code=-1, message="insufficient credits"), retry_after="7")
    assert documented.retry_after == 7.0
    caught = error_of(status, answer(code=-1, message="No."), retry_after="7")
    assert (type(caught), caught.retry_after) == (kind, 7.0)


@pytest.mark.parametrize(
    "message",
    [
        "Too many concurrent requests", "rate_limit_exceeded", "Rate limit", "RATE-LIMITED", "RateLimitExceeded",
        "ratelimit", "throttled", "Throttling", "ThrottlingException: Rate exceeded", "too many requests",
        "TooManyRequests", "TOO_MANY_REQUESTS", "too many concurrent generations", "concurrency limit",
        "ConcurrencyLimitExceeded", "Maximum concurrent generations reached", "quota per minute",
        "10 requests per minute",
        "Daily limit reached", "Quota exceeded", "RESOURCE_EXHAUSTED", "You exceeded your current quota",
        "Request failed with status code 429", "SlowDown", "请求过于频繁", "超过并发上限",
    ],
)  # fmt: skip
def test_slow_down_is_understood_in_whatever_spelling(message):
    assert type(error_of(200, answer(code=-1, message=message))) is errors.TaleCraftRateLimitError


@pytest.mark.parametrize(
    "message",
    [
        "Generation failed: 'an owl with too many requests'", "Prompt rejected: a race at full throttle",
        "Too many people in the picture", "Prompt too long: the limit is 4000", "the model rated it low",
        "Request failed with status code 500", "prompt has 429 words",
    ],
)  # fmt: skip
def test_what_only_sounds_like_slow_down_is_a_failed_generation(message):
    assert type(error_of(200, answer(code=-1, message=message))) is errors.TaleCraftGenerationFailedError


def test_http_429_is_a_rate_limit_whatever_its_message_says():
    assert type(error_of(429, answer(code=-1, message="slow down"))) is errors.TaleCraftRateLimitError


def test_a_code_minus_one_without_a_message_is_refused():
    for body in (answer(code=-1), answer(code=-1, message=None), answer(code=-1, message={"text": "no"})):
        assert type(error_of(200, body)) is errors.TaleCraftGenerationFailedError


@pytest.mark.parametrize("code", [-1, "-1", -1.0, " -1 "])
def test_a_code_of_another_json_type_is_understood(code):
    assert type(error_of(200, answer(code=code, message="Generation failed"))) is errors.TaleCraftGenerationFailedError


@pytest.mark.parametrize("code", [1, 500, None, True, False, "ok", [], {}, 0.5, "1e999"])
def test_another_code_with_an_unknown_message_is_unknown(code):
    assert type(error_of(200, answer(code=code, message="who knows"))) is errors.TaleCraftOutcomeUnknownError


def test_another_code_with_a_known_message_is_that_error():
    assert type(error_of(200, answer(code=401, message="Invalid API key"))) is errors.TaleCraftAuthenticationError


@pytest.mark.parametrize("code", [0, "0", 0.0])
@pytest.mark.parametrize("status", [200, 201, 500])
def test_a_success_is_delivered_whatever_its_status(code, status):
    body = answer(code=code, data={"id": "9da9465c", "status": "success", "image_url": URL})
    assert parse(status, body) == Illustration("9da9465c", "success", URL)


def test_extra_fields_are_ignored():
    body = json.dumps({**json.loads(delivered(width=1024)), "trace": {"ms": 12}}).encode()
    assert parse(200, body).image_url == URL


@pytest.mark.parametrize("missing", ["id", "status"])
def test_a_paid_picture_is_not_lost_over_a_missing_label(missing):
    assert getattr(parse(200, delivered(**{missing: None})), missing) == ""


@pytest.mark.parametrize(
    ("label", "kept"),
    [
        ("9da9465c-A.b_c:d", "9da9465c-A.b_c:d"), ("a\x00b\ud800c", "abc"),
        ("{{ conn.x.password }}", "conn.x.password"),
        ("../../etc/passwd", "etcpasswd"), ("<b onload='x'>", "bonloadx"), ("-rf", "rf"), ("狐", ""), ("..", ""),
        ("x" * 1000, "x" * QUOTE_LIMIT),
    ],
)  # fmt: skip
@pytest.mark.parametrize("field", ["id", "status"])
def test_a_label_keeps_letters_digits_and_few_signs(field, label, kept):
    assert getattr(parse(200, delivered(**{field: label})), field) == kept


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        (f" {URL}\r\n", URL),
        ("HTTPS://Host/x", "https://Host/x"),
        ("https://host/a fox.jpeg", "https://host/a%20fox.jpeg"),
        ("https://host/a\tfox\n.jpeg", "https://host/a%09fox%0A.jpeg"),
        ("https://host/a%20fox.jpeg", "https://host/a%20fox.jpeg"),
        ("https://host/100%.jpeg?a=%zz", "https://host/100%25.jpeg?a=%25zz"),
        ("https://host/{{ conn.x.password }}", "https://host/%7B%7B%20conn.x.password%20%7D%7D"),
        ("https://host/{% raw %}{# x #}", "https://host/%7B%25%20raw%20%25%7D%7B#%20x%20#%7D"),
        ("https://host/\"><script>'`(x)[y]", "https://host/%22%3E%3Cscript%3E%27%60%28x%29%5By%5D"),
        ("https://host/狐狸.jpeg", "https://host/%E7%8B%90%E7%8B%B8.jpeg"),
        ("https://host/\u202egpj.exe", "https://host/%E2%80%AEgpj.exe"),
        ("https://host/\x00\x1b[31m", "https://host/%00%1B%5B31m"),
        ("https://host/\ud800", "https://host/%ED%A0%80"),
        ("https://b\u00fccher.example/x", "https://xn--bcher-kva.example/x"),
        ("https://[2606:4700::1]:8443/x", "https://[2606:4700::1]:8443/x"),
        ("https://host/x?X-Amz-Signature=a%2Fb+c==&y=~", "https://host/x?X-Amz-Signature=a%2Fb+c==&y=~"),
        ("http://http/http", "http://http/http"),
        ("https://host//key//x.jpeg", "https://host//key//x.jpeg"),
        ("https://host/" + "x" * 7900, "https://host/" + "x" * 7900),
    ],
)  # fmt: skip
def test_a_paid_picture_is_not_lost_over_the_spelling_of_its_url(url, taken):
    assert parse(200, delivered(image_url=url)).image_url == taken


@pytest.mark.parametrize(
    "url",
    [
        None, "", " ", 7, [URL], {"href": URL}, "ok", "/uploads/x.jpeg", "//host/x.jpeg", "ftp://host/x.jpeg",
        "file:///etc/passwd", "javascript:alert(1)", "data:image/png;base64,AAAA", "https://", "https:///x.jpeg",
        "https://host:0/x.jpeg", "https://host:99999/x.jpeg", "https://[::1/x.jpeg", "https://ho st/x.jpeg",
        "https://{{conn.x.password}}/x.jpeg", "https://host\n/x.jpeg", "https://ho\u202est/x.jpeg", "https://%68ost/x.jpeg",
        "https://host/" + "x" * 8000, "https://host/" + "\U0001f98a" * 700,
    ],
)  # fmt: skip
def test_a_success_without_a_usable_url_is_unknown(url):
    caught = error_of(200, delivered(image_url=url))
    assert type(caught) is errors.TaleCraftOutcomeUnknownError
    assert caught.status_code == 200
    assert "9da9465c" in str(caught), "the id is what a person can ask TaleCraft's support about"


@pytest.mark.parametrize("data", [None, [], "ok", 0])
def test_a_success_without_data_is_unknown(data):
    assert type(error_of(200, answer(code=0, message="ok", data=data))) is errors.TaleCraftOutcomeUnknownError


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0), (" 7 ", 7.0), ("0", 0.0), ("99999999999999999999", 999999999.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("7.", 7.0), (None, None), ("", None), ("-5", None), ("1.5", 1.5),
        ("1e3", None), ("5 s", None),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0.0),
        ("Wed, 21 Oct 2026 07:28:00 +9999999", None), ("Wed, 21 Oct 2026 07:28:00 +9999999999999999999", None),
        ("soon", None),
        ("٣", None),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date_or_nothing(header, seconds):
    assert error_of(429, b"", retry_after=header).retry_after == seconds


def test_a_retry_after_date_is_seconds_from_now():
    assert error_of(429, b"", retry_after="Wed, 21 Oct 2099 07:28:00 GMT").retry_after > 60 * 60 * 24 * 365


@pytest.mark.parametrize(
    ("body", "proves"),
    [
        ({"code": -1, "message": " Prompt is required. Give one."}, True),
        ({"code": "-1", "message": "PROMPT IS REQUIRED"}, True),
        ({"code": 400, "message": "prompt is required"}, True), ({"code": 0, "message": "prompt is required"}, False),
        ({"message": "prompt is required"}, False), ({"code": -1, "message": "A prompt is required"}, False),
        ({"code": -1, "message": ["prompt is required"]}, False), ({"code": -1}, False), ([], False),
    ],
)  # fmt: skip
def test_only_the_documented_message_in_a_refusal_proves_the_key(body, proves):
    assert proves_key(json.dumps(body).encode()) is proves


@pytest.mark.parametrize(("status", "redirect"), [(299, False), (300, True), (399, True), (400, False)])
def test_a_redirect_is_told_as_one(status, redirect):
    assert ("a redirect, which is not followed" in str(error_of(status, b""))) is redirect
    assert ("with an empty body" in str(error_of(status, b" "))) is not redirect


@pytest.mark.parametrize(
    ("body", "whole"), [(b'{"code": 0}', True), (b'{"code": 0', False), (b"[1]", False), (b"{}", False)]
)
def test_an_object_to_its_end_is_whole(body, whole):
    assert is_whole(bytearray(body)) is whole


def test_a_megabyte_of_nonsense_makes_a_short_message():
    for body in (b"\x00" * 2**20, b"[" * 2**20, b'{"code": -1, "message": "' + b"x" * 2**20 + b'"}', b"9" * 2**20):
        assert len(str(error_of(200, body))) < 1000


def test_the_key_does_not_come_back():
    for body in (
        answer(code=-1, message=f"Invalid API key: {KEY}"),
        answer(code=-1, message="x" * (QUOTE_LIMIT - 5) + KEY),
        f"<html>{KEY}</html>".encode(),
        b" " * (READ_LIMIT - 10) + KEY.encode(),
        delivered(image_url=f"https://host/{KEY}.jpeg"),
        delivered(id=KEY, image_url=None),
        delivered(id=KEY, status=KEY),
    ):
        try:
            shown = repr(parse(200, body, secret=KEY))
        except errors.TaleCraftError as error:
            shown = repr(error) + str(error) + repr(error.__dict__)
        assert KEY[:8] not in shown


def test_errors_survive_pickling():
    error = error_of(429, b"", retry_after="7")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.status_code, again.retry_after) == (type(error), str(error), 429, 7.0)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
envelopes = st.fixed_dictionaries(
    {},
    optional={
        "code": st.sampled_from([0, -1, "0", "-1"]) | json_values,
        "message": st.text() | json_values,
        "data": st.fixed_dictionaries({}, optional={"id": json_values, "image_url": st.just(URL) | json_values})
        | json_values,
    },
)


@given(st.integers(100, 599), st.binary() | envelopes.map(lambda value: json.dumps(value).encode()), st.text())
def test_any_answer_is_an_illustration_or_a_typed_error(status, body, retry_after):
    try:
        assert parse(status, body, retry_after=retry_after, secret=KEY).image_url.startswith("http")
    except errors.TaleCraftError as error:
        assert error.outcome in {"refused", "unknown"}
