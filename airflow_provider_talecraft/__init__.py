"""Apache Airflow provider for TaleCraft AI picture-book illustrations."""

__version__ = "0.1.0"
