"""What Airflow does after an error."""
