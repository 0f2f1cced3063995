"""What Airflow's own pages show of pictures."""
