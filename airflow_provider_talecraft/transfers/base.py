"""What storing one picture and storing many have in common: the options, the conditions, the lineage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.links.illustration import IllustrationLink
from airflow_provider_talecraft.policies.options import IfExists, checked_count, checked_word
from airflow_provider_talecraft.policies.templates import TemplatesOfTheAuthor
from airflow_provider_talecraft.version_compat import mask_secret

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from airflow.providers.common.compat.sdk import BaseOperatorLink, Context

    from airflow_provider_talecraft.pictures.delivery import Delivery

#: How many URLs' queries are hidden; the page shows some 4,000 characters.
MASKED = 100
#: Characters of a query that may be a signature. What is shorter, such as "v=2", would be hidden in other text, too.
SIGNATURE_LENGTH = 16


class ToObjectStorage(TemplatesOfTheAuthor):
    """Base of the operators that store pictures; what the options mean is said there."""

    operator_extra_links: Collection[BaseOperatorLink] = (IllustrationLink(),)

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
        retries: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(retries=retries, **kwargs)
        self.dst = dst
        self.dst_conn_id = dst_conn_id
        self.if_exists = checked_word("if_exists", if_exists, IfExists)
        self.max_bytes = checked_count("max_bytes", max_bytes)
        self.write_sidecar = write_sidecar
        self.image_hosts = image_hosts
        self.talecraft_conn_id = talecraft_conn_id

    def _do_render_template_fields(self, parent: Any, *args: Any, **kwargs: Any) -> None:
        """Render, and have Airflow hide on its page of rendered fields what signs the URLs."""
        super()._do_render_template_fields(parent, *args, **kwargs)
        given = [getattr(parent, name, None) for name in ("image_url", "illustration", "illustrations")]
        if isinstance(given[-1], (list, tuple)):
            given += given[-1][:MASKED]
        for item in given:
            url = item.get("image_url") if isinstance(item, Mapping) else item
            if isinstance(url, str) and len(query := url.partition("?")[2]) >= SIGNATURE_LENGTH:
                mask_secret(query)

    def _delivery(self, context: Context) -> Delivery:
        """Return the conditions of this task, checked.

        :raises AirflowFailException: if ``dst`` is not a place; no retry would help.
        """
        from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook  # noqa: PLC0415  # not for a Dag's parsing
        from airflow_provider_talecraft.pictures.delivery import Delivery  # noqa: PLC0415  # loads requests
        from airflow_provider_talecraft.pictures.place import checked_path  # noqa: PLC0415  # not for a Dag's parsing

        if isinstance(self.dst, str):
            self.dst = self.dst.strip()  # a newline behind the slash would make a file of the folder
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
