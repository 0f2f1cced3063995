# Airflow with this package, and the sandbox; docker-compose.yaml builds it.
FROM apache/airflow:3.3.2-python3.12
COPY --chown=airflow:0 . /tmp/package
# With hashes, and with what builds the package: nothing is downloaded that has none. `make lock` writes the file again.
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r /tmp/package/requirements/compose.txt \
 && pip install --no-cache-dir --no-deps --no-build-isolation /tmp/package
