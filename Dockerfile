# Airflow with this package, and the sandbox; docker-compose.yaml builds it.
FROM apache/airflow:3.3.2-python3.12
COPY --chown=airflow:0 . /tmp/package
# Airflow is named again, so that nothing moves it.
RUN pip install --no-cache-dir "apache-airflow==3.3.2" "/tmp/package[sandbox,s3]"
