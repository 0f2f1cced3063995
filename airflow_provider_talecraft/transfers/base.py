"""What storing one picture and storing many have in common: the options, the conditions, the lineage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook
from airflow_provider_talecraft.pictures.place import IfExists, checked_path
from airflow_provider_talecraft.policies.options import checked_count, checked_word
from airflow_provider_talecraft.policies.templates import TemplatesOfTheAuthor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_talecraft.pictures.delivery import Delivery


class ToObjectStorage(TemplatesOfTheAuthor):
    """Base of the operators that store pictures; what the options mean is said there."""

    def __init__(
        self,
        *,
        dst: str,
        dst_conn_id: str | None,
        if_exists: IfExists,
        max_bytes: int,
        write_sidecar: bool,
        image_hosts: Sequence[str] | str | None,
        talecraft_conn_id: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dst = dst
        self.dst_conn_id = dst_conn_id
        self.if_exists = checked_word("if_exists", if_exists, IfExists)
        self.max_bytes = checked_count("max_bytes", max_bytes)
        self.write_sidecar = write_sidecar
        self.image_hosts = image_hosts
        self.talecraft_conn_id = talecraft_conn_id

    def _delivery(self, context: Context) -> Delivery:
        """Return the conditions of this task, checked.

        :raises AirflowFailException: if ``dst`` is not a place; no retry would help.
        """
        from airflow_provider_talecraft.pictures.delivery import Delivery  # noqa: PLC0415  # loads requests

        checked_path(self.dst, self.dst_conn_id)
        hook = TaleCraftHook(self.talecraft_conn_id)
        ti: Any = context.get("ti")
        return Delivery(
            dst=self.dst,
            dst_conn_id=self.dst_conn_id,
            if_exists=self.if_exists,
            max_bytes=self.max_bytes,
            trusted=hook.picture_hosts(image_hosts=self.image_hosts),
            write_sidecar=self.write_sidecar,
            origin={name: getattr(ti, name, None) for name in ("dag_id", "task_id", "run_id", "map_index")},
        )
