"""What storing one picture and storing many have in common: the options, the conditions, the lineage."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook
from airflow_provider_talecraft.pictures.place import IfExists
from airflow_provider_talecraft.policies.options import checked_count, checked_word
from airflow_provider_talecraft.policies.templates import TemplatesOfTheAuthor
from airflow_provider_talecraft.version_compat import mask_secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_talecraft.pictures.delivery import Delivery

#: How many URLs' queries are hidden; the page shows some 4,000 characters.
MASKED = 100
#: Characters of a query that may be a signature. What is shorter, such as "v=2", would be hidden in other text, too.
SIGNATURE_LENGTH = 16

DEFAULT_MAX_BYTES = 50 * 1024 * 1024

#: Which extra of this package brings the filesystem of a URI's scheme.
EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "abfs": "azure", "abfss": "azure"}


#: ``abfss://container@account.dfs.core.windows.net/``, as Azure writes it.
ACCOUNT_IN_URI = re.compile(r"(abfss?|az|adl)://[^/]*@[^/]*\.core\.[^/]+", re.IGNORECASE)


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
        from airflow.providers.common.compat.sdk import ObjectStoragePath  # noqa: PLC0415  # loads its file systems

        from airflow_provider_talecraft.pictures.delivery import Delivery  # noqa: PLC0415  # loads requests

        if not isinstance(self.dst, str) or "://" not in self.dst:
            raise AirflowFailException(
                f"dst must be a URI such as s3://bucket/folder/ or file:///folder/, not {self.dst!r}."
            )
        self.dst = self.dst.strip()  # a newline behind the slash would make a file of the folder
        if ACCOUNT_IN_URI.match(self.dst):
            raise AirflowFailException(
                "dst names a storage account, where Airflow expects a connection's id. Write abfs://container/folder/, "
                "and name the account in the connection (dst_conn_id)."
            )
        try:
            # Some filesystems are missed here, others when they are first used.
            _ = ObjectStoragePath(self.dst, conn_id=self.dst_conn_id).fs
        except (ImportError, ValueError) as error:
            extra = EXTRAS.get(self.dst.partition("://")[0], "")
            hint = f" pip install 'airflow-provider-talecraft[{extra}]' brings it." if extra else ""
            raise AirflowFailException(f"There is no filesystem for {self.dst}: {error}.{hint}") from error
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
