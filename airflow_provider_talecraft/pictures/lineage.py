"""What OpenLineage is told. Imported only where its provider asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.openlineage.facet import Dataset, DocumentationDatasetFacet
from airflow.providers.openlineage.extractors import OperatorLineage

if TYPE_CHECKING:
    from collections.abc import Mapping


def lineage(service_url: str, made: Mapping[str, str]) -> OperatorLineage[Any, Any]:
    """Return what was made from what: the service's endpoint in, the objects out, named as OpenLineage names them.

    :param service_url: scheme, host and port of the service.
    :param made: what is told about each object, by its URI.
    """
    return OperatorLineage(
        inputs=[Dataset(namespace=service_url, name="/api/v1/generate")],
        outputs=[_dataset(uri, description) for uri, description in made.items()],
    )


def _dataset(uri: str, description: str) -> Dataset:
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    return Dataset(
        namespace=f"{scheme}://{bucket}" if bucket else scheme,
        name=key if bucket else f"/{key}",
        facets={"documentation": DocumentationDatasetFacet(description=description)},
    )
