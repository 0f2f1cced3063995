"""``airflow talecraft …``."""
