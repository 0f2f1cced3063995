"""What schemathesis checks of every answer beyond its form: is it a picture or a refusal, as the request deserves?

Loaded by schemathesis itself (SCHEMATHESIS_HOOKS).
"""

from __future__ import annotations

import schemathesis
from schemathesis import GenerationMode

KEY = "sandbox-key"
#: What a refused request is told: the reference's words, and the sandbox's own for what is no request at all.
WORDS = ("prompt is required", "prompt must be a string", "Unsupported ", "Unexpected ", "Cannot destructure property")


@schemathesis.check
def code_tells_valid_from_invalid(_, response, case):
    if case.method != "POST" or response.status_code != 200:
        return
    answer, key = response.json(), response.request.headers.get("X-API-Key")
    if key is None or not key.strip():
        assert answer["message"] == "API key is required. Please provide X-API-Key header."
    elif key != KEY:
        assert answer["message"] == "Invalid API key"
    elif response.request.headers.get("Content-Type") != "application/json":
        pass  # how the service answers that is not documented, and the sandbox does not look
    elif case.meta.generation.mode == GenerationMode.POSITIVE:
        assert answer["code"] == 0, f"a valid request was refused: {answer}"
    else:
        assert answer["code"] == -1, f"an invalid request was not refused: {answer}"
        assert answer["message"].startswith(WORDS), answer
