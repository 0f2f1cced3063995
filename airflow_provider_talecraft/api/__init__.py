"""TaleCraft as Python calls. Knows nothing of Airflow."""
