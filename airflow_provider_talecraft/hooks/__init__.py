"""From an Airflow Connection to TaleCraft."""
