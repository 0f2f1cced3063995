"""Apache Airflow provider for TaleCraft AI picture-book illustrations."""

from __future__ import annotations

__version__ = "0.1.0"
