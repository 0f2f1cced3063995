"""docs/openapi.yaml says what the service's reference says, and what this package goes by.

Whether the sandbox answers as it says is in ``tests/integration/test_openapi.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from airflow_provider_talecraft.api import client, messages, models, protocol
from airflow_provider_talecraft.api.address import DEFAULT_BASE_URL
from airflow_provider_talecraft.exceptions import TaleCraftError
from airflow_provider_talecraft.sandbox import Sandbox, checks

DOCUMENT = yaml.safe_load((Path(__file__).parents[3] / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
SCHEMAS = DOCUMENT["components"]["schemas"]
POST = DOCUMENT["paths"]["/api/v1/generate"]["post"]
ANSWERS = POST["responses"]["200"]["content"]["application/json"]

#: What the service's reference says, copied by hand: field, type, whether it is required, default, values.
FIELDS = (
    ("prompt", "string", True, None, None),
    ("style", "string", False, "children_book", ["children_book"]),
    ("aspect_ratio", "string", False, "1:1", ["1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9"]),
)
#: Its table of messages, the first one with the rest of its words.
MESSAGES = (
    "API key is required. Please provide X-API-Key header.",
    "Invalid API key",
    "prompt is required",
    "Unsupported style",
    "Unsupported aspect_ratio",
    "insufficient credits",
    "Generation failed",
)
#: Two more that the service is known to answer.
OTHERS = ("User not found", "Image generation service is not configured")
#: Its example of an answer.
DELIVERED = {
    "code": 0,
    "message": "ok",
    "data": {
        "id": "9da9465c-a56c-4614-81af-257aaccb2646",
        "status": "success",
        "image_url": "https://pub-56194e5487384280af43a03cc4ea8ee4.r2.dev/uploads/illustrations/"
        "6188896c-ee02-4e70-881b-483bcbb1739c.jpeg",
    },
}


def conforms(value, schema):
    return OAS31Validator({**schema, "components": DOCUMENT["components"]}).is_valid(value)


def said(answer):
    return answer["value"]["message"]


def test_the_document_is_valid():
    validate(DOCUMENT)


def test_there_is_one_endpoint_and_one_key():
    assert [f"{server['url']}{path}" for server in DOCUMENT["servers"] for path in DOCUMENT["paths"]] == [
        "https://talescaleai.com/api/v1/generate"
    ]
    assert list(DOCUMENT["paths"]["/api/v1/generate"]) == ["post"]
    (scheme,) = DOCUMENT["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "X-API-Key")
    assert (list(POST["requestBody"]["content"]), POST["requestBody"]["required"]) == (["application/json"], True)
    assert DEFAULT_BASE_URL + client.GENERATE_PATH == "https://talescaleai.com/api/v1/generate"


def test_the_fields_are_the_references():
    fields = SCHEMAS["Request"]["properties"]
    assert [
        (name, field["type"], name in SCHEMAS["Request"]["required"], field.get("default"), field.get("enum"))
        for name, field in fields.items()
    ] == list(FIELDS)


def test_the_values_are_those_that_this_package_and_its_sandbox_go_by():
    (_, _, _, style, styles), (_, _, _, ratio, ratios) = FIELDS[1:]
    assert (style, ratio, ratios) == (models.DEFAULT_STYLE, models.DEFAULT_ASPECT_RATIO, list(models.ASPECT_RATIOS))
    assert (styles, ratios) == (list(checks.STYLES), list(checks.ASPECT_RATIOS))


def test_the_examples_are_valid_requests():
    examples = POST["requestBody"]["content"]["application/json"]["examples"]
    assert all(conforms(example["value"], SCHEMAS["Request"]) for example in examples.values())
    assert models.IllustrationRequest("A fox").payload() == {"prompt": "A fox", "style": "children_book"} | {
        "aspect_ratio": "1:1"
    }
    assert conforms(models.IllustrationRequest("A fox").payload(), SCHEMAS["Request"])


@pytest.mark.parametrize(
    "value",
    [None, [], {}, {"prompt": ""}, {"prompt": " \n"}, {"prompt": 7}, {"prompt": "x", "style": "noir"},
     {"prompt": "x", "style": None}, {"prompt": "x", "aspect_ratio": "5:4"}],
)  # fmt: skip
def test_what_is_answered_with_an_error_is_no_valid_request(value):
    assert not conforms(value, SCHEMAS["Request"])


def test_the_answers_are_the_references_and_each_is_of_the_documents_form():
    delivered, *refused = ANSWERS["examples"].values()
    assert delivered["value"] == DELIVERED
    assert {said(answer) for answer in refused} == {*MESSAGES, *OTHERS}
    assert all(answer["value"] == {"code": -1, "message": said(answer)} for answer in refused)
    assert all(conforms(answer["value"], ANSWERS["schema"]) for answer in (delivered, *refused))


@pytest.mark.parametrize(
    "value",
    [{}, {"code": 0}, {"code": 0, "message": "ok"}, {"code": 0, "message": "ok", "data": {}}, {"code": -1},
     {"code": 1, "message": "x"}, {**DELIVERED, "code": -1, "message": ""}],
)  # fmt: skip
def test_nothing_else_is_an_answer(value):
    assert not conforms(value, ANSWERS["schema"])


def test_the_messages_are_those_that_the_package_knows_and_it_takes_each_for_its_own():
    documented = (*MESSAGES, *OTHERS)
    assert len(documented) == len(messages.MESSAGES)
    assert all(any(message.startswith(prefix) for message in documented) for prefix, _, _ in messages.MESSAGES)
    for prefix, error, _ in messages.MESSAGES:
        with pytest.raises(TaleCraftError) as caught:
            protocol.parse(200, f'{{"code": -1, "message": "{prefix}"}}'.encode(), retry_after=None, secret="key")
        assert type(caught.value) is error
    assert messages.PROMPT_IS_REQUIRED in MESSAGES


def test_the_sandbox_answers_a_breach_of_its_limits_as_the_document_says(call):
    with Sandbox(requests_per_minute=1) as sandbox:
        call(sandbox).paint()
        answer = call(sandbox).generate({"prompt": "A fox"})
    documented = POST["responses"]["429"]
    assert answer.status_code == 429
    assert conforms(answer.json(), documented["content"]["application/json"]["schema"])
    assert conforms(int(answer.headers["Retry-After"]), documented["headers"]["Retry-After"]["schema"])


def test_what_the_sandbox_can_be_told_to_answer_is_of_the_documents_form(box):
    for message in (*MESSAGES, *OTHERS, "some exception's own text"):
        box.sandbox.fault(message=message)
        answer = box.generate({"prompt": "A fox"})
        assert (answer.status_code, conforms(answer.json(), ANSWERS["schema"])) == (200, True)
