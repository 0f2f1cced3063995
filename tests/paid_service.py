"""The paid service as the properties see it: a book of charges, and every way in which an answer can end."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import AirflowTaskTimeout
from workers import edge

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.api.models import Illustration

REFUSALS = {
    "no credits": errors.TaleCraftInsufficientCreditsError,
    "model failed": errors.TaleCraftGenerationFailedError,
    "slow down": errors.TaleCraftRateLimitError,
    "down": errors.TaleCraftUnavailableError,
}
#: Whether the request was charged, where its answer was lost.
LOST = {"lost, charged": True, "lost, free": False}
TIMEOUT = "timeout"
ANSWERS = ("delivered", *REFUSALS, *LOST, TIMEOUT)


class PaidService:
    """Answers as it is told to, and "delivered" once it has not been told.

    :param watch: told of every request (``posted``), charge (``charged``), answer that arrives (``heard``) and
        answer that is not waited for any more (``lost``).
    """

    def __init__(self, watch):
        self._watch = watch
        #: Ids of what was charged.
        self.charged = []
        self.posts = 0

    def sending(self, answers):
        """Return a function that sends a request, for a try that is given *answers* in this order."""
        waiting = list(answers)

        def send(request):
            edge("post")
            self.posts += 1
            picture = f"picture-{self.posts}"
            self._watch.posted(request)
            answer = waiting.pop(0) if waiting else "delivered"
            if LOST.get(answer, answer in {"delivered", TIMEOUT}):
                self.charged.append(picture)
                self._watch.charged()
            edge("answer")
            if answer == TIMEOUT:
                raise AirflowTaskTimeout("the task took too long")
            if answer in LOST:
                self._watch.lost()
                raise errors.TaleCraftOutcomeUnknownError("No answer came.")
            picture = picture if answer == "delivered" else None
            self._watch.heard(picture)
            if answer in REFUSALS:
                raise REFUSALS[answer](answer)
            return Illustration(picture, "success", f"https://pictures.example/{picture}.jpeg")

        return send
