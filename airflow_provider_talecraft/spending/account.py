"""What the pictures of a folder have cost, by their receipts: added up, nothing else is asked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.pictures.format import EXTENSIONS
from airflow_provider_talecraft.pictures.place import ObjectLocation, checked_path
from airflow_provider_talecraft.spending.claims import LIMIT
from airflow_provider_talecraft.spending.form import read

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


@dataclass
class Account:
    """The sums.

    :param pictures: how many stand, as their receipts say.
    :param credits: what they cost, with those that are paid for and not stored yet.
    :param not_stored: receipts whose picture is paid for and not stored yet.
    :param unanswered: a receipt and a time for each request without an answer, which may have been charged on top.
    :param unreadable: files that are no receipts any more, or of a version that is not known.
    """

    pictures: int = 0
    credits: int = 0
    not_stored: list[str] = field(default_factory=list)
    unanswered: list[dict[str, str]] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, prefix: str, *, conn_id: str | None = None) -> Account:
        """Add up a folder and all folders in it.

        :param prefix: any ObjectStoragePath URI.
        :param conn_id: id of the store's connection.
        :raises FileNotFoundError: if nothing is there.
        """
        account = cls()
        # A bucket is a place only with a slash behind it.
        folder = checked_path(f"{prefix.rstrip('/')}/", conn_id)
        folder.fs.invalidate_cache()
        if not folder.fs.exists(folder.path):
            raise FileNotFoundError("nothing is there.")
        for name in sorted(folder.fs.find(folder.path)):
            if name.endswith(".json"):
                account.add(folder, name)
        return account

    def add(self, folder: ObjectStoragePath, name: str) -> None:
        """Add a file; what is no receipt, such as another operator's sidecar, is passed over.

        :param name: its path, as the file system lists it.
        """
        path = folder / _below(name, folder.path)
        location = ObjectLocation(path)
        content = location.read(LIMIT)
        if content is None:
            return
        try:
            given = json.loads(content)
            if not isinstance(given, dict) or "talecraft_receipt" not in given:
                return
            stem = path.name.removesuffix(".json")
            facts = read(content, location, [stem, *(stem + extension for extension in EXTENSIONS)])
        except (ValueError, RecursionError, AirflowFailException):
            self.unreadable.append(str(path))
            return
        standing = facts if facts["state"] == "stored" else facts.get("replaces")
        self.pictures += bool(standing)
        for paid in (facts, facts.get("replaces") or {}):
            self.credits += paid["credits"] if isinstance(paid.get("credits"), int) else 0
        if facts["state"] in {"answered", "fetched"}:
            self.not_stored.append(str(path))
        self.unanswered += [{"receipt": str(path), "time": time} for time in facts["unanswered"]]

    def facts(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "pictures": self.pictures,
            "credits": self.credits,
            "paid_and_not_stored": self.not_stored,
            "unanswered": self.unanswered,
            "unreadable": self.unreadable,
        }

    def table(self) -> str:
        """Return it for people."""
        sums = {
            "pictures": self.pictures,
            "credits": self.credits,
            "paid, not stored yet": len(self.not_stored),
            "requests without an answer": len(self.unanswered),
            "unreadable receipts": len(self.unreadable),
        }
        lines = [f"{name:<28}{count:>8}" for name, count in sums.items()]
        lines += [f"paid, not stored yet: {path}" for path in self.not_stored]
        lines += [f"without an answer since {lost['time']}: {lost['receipt']}" for lost in self.unanswered]
        lines += [f"unreadable: {path}" for path in self.unreadable]
        return "\n".join("".join(char if char.isprintable() else "?" for char in line) for line in lines)


def _below(name: str, folder: str) -> str:
    """Return a listed path relative to *folder*; some stores list it with a slash in front, others without."""
    return name.lstrip("/")[len(folder.strip("/")) :].lstrip("/")
