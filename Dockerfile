# Airflow with this package, and the sandbox; docker-compose.yaml builds it.
FROM apache/airflow:3.3.2-python3.12
COPY --chown=airflow:0 . /tmp/package
# All of it is in the file, with hashes, and so is what builds the package. `make lock` writes it again.
RUN pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r /tmp/package/requirements/compose.txt \
 && pip install --no-cache-dir --no-deps --no-build-isolation /tmp/package
