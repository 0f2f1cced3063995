"""What this package adds to Airflow's pages."""
