"""What OpenLineage is told. Imported only where its provider asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.openlineage.facet import Dataset, DocumentationDatasetFacet
from airflow.providers.openlineage.extractors import OperatorLineage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_talecraft.transfers.delivery import Stored


def lineage(service_url: str, stored: Iterable[Stored]) -> OperatorLineage[Any, Any]:
    """Return what was made from what: the service's endpoint in, the objects out, named as OpenLineage names them.

    :param service_url: scheme, host and port of the service.
    :param stored: what the task stored, or found standing.
    """
    return OperatorLineage(
        inputs=[Dataset(namespace=service_url, name="/api/v1/generate")],
        outputs=[_dataset(picture) for picture in stored],
    )


def _dataset(picture: Stored) -> Dataset:
    scheme, _, rest = picture.uri.partition("://")
    bucket, _, key = rest.partition("/")
    what = f"{picture.content_type}, {picture.width} x {picture.height}, sha256 {picture.sha256}"
    return Dataset(
        namespace=f"{scheme}://{bucket}" if bucket else scheme,
        name=key if bucket else f"/{key}",
        facets={"documentation": DocumentationDatasetFacet(description=what)},
    )
