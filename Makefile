# The two commands of the README, and what CI does.
#   make demo [PROMPT="…"]   a picture book in demo-output/, by a sandbox: no account, no cost
#   make test                environment, ruff, mypy, spelling, unit and integration tests
#   make lint, make test-only   its two halves; AIRFLOW_VERSION=2.11.2 VENV=… for another Airflow
#   make check TESTS="…"     only these: a folder, a file, -m MARKER, -k NAME, whatever pytest takes; in seconds
#   make properties          what hypothesis tries, for minutes instead of seconds, and other examples in every run
#   make docs                the pages of docs/ and the reference as a site, in site/; in an environment of its own
#   make engine              docker-compose.yaml in a real engine: as root, after scripts/engine.sh; five minutes
#   make mutants [ROOM=spending] [SAMPLE=3]   is each line tested? breaks them one at a time, for an hour or more
#   make bench [QUICK=1]     ours beside its peers, an hour or half of it; writes docs/benchmarks.md
#   make matrix [LINES="3.0 3.1"] [PYTHONS="3.12"]   the wheel on every Airflow and Python; a table at the end
#   make lock                requirements/*.txt again: what the demo and the containers install, with hashes
#   make floors              what talks to servers, tested with the oldest releases that pyproject.toml allows
#   make dist                wheel and sdist, built twice, checked, and installed into an empty environment; an SBOM
#   make release-check TAG=v1.2.3   the same, and whether tag, version and changelog agree; publishes nothing

export VENV ?= $(CURDIR)/.venv
export AIRFLOW_VERSION ?= 3.3.2
# Taken as it was typed: a $ in a prompt is a dollar, not one of make's variables.
override PROMPT := $(value PROMPT)
export PROMPT TAG

PYTHON := $(VENV)/bin/python

.PHONY: demo test lint test-only engine check properties mutants bench matrix docs lock floors dist release-check clean

demo:
	@python3 scripts/environment.py sandbox
	@$(PYTHON) scripts/demo.py

test: lint test-only

lint:
	@python3 scripts/environment.py dev
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/codespell *.md docs benchmarks airflow_provider_talecraft example_dags
	$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*
	$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml

test-only:
	@python3 scripts/environment.py dev
	$(PYTHON) -m pytest -o cache_dir=$(VENV)/.pytest_cache -n 4 tests/unit
	$(PYTHON) -m pytest -o cache_dir=$(VENV)/.pytest_cache -n 4 --dist loadfile --no-loadscope-reorder tests/integration

engine:
	@python3 scripts/environment.py dev
	TALECRAFT_ENGINE=required $(PYTHON) -m pytest -m engine tests/engine

matrix:
	@python3 scripts/environment.py dev
	@PATH="$(VENV)/bin:$$PATH" $(PYTHON) tests/matrix/run.py --lines $(LINES) --pythons $(PYTHONS)

check:
	@python3 scripts/environment.py dev
	$(PYTHON) -m pytest $(TESTS)

mutants:
	@python3 scripts/environment.py dev
	$(PYTHON) scripts/mutants.py

properties:
	@python3 scripts/environment.py dev
	HYPOTHESIS_PROFILE=thorough $(PYTHON) -m pytest -n 2 tests/unit/*/test_*_properties.py

docs:
	@VENV=$(CURDIR)/.venv-docs python3 scripts/environment.py docs
	@.venv-docs/bin/python scripts/site/build.py

lock:
	@python3 scripts/environment.py dev
	$(PYTHON) scripts/lock.py

floors:
	@python3 scripts/environment.py dev
	$(VENV)/bin/uv venv --quiet --clear --python $(PYTHON) .venv-floors
	$(VENV)/bin/uv pip install --quiet --python .venv-floors/bin/python --resolution lowest-direct --editable ".[sandbox]" \
	  apache-airflow==$(AIRFLOW_VERSION) "hypothesis>=6.100" "pytest>=8" "pytest-xdist>=3.6" "trustme>=1.2"
	.venv-floors/bin/python -m pytest -n 2 tests/unit/api tests/unit/pictures

bench:
	@VENV=$(CURDIR)/.venv-bench python3 scripts/environment.py sandbox
	@.venv-bench/bin/uv pip install --quiet --python .venv-bench/bin/python --editable '.[sandbox,s3]' -r benchmarks/requirements.txt
	@.venv-bench/bin/python benchmarks $(if $(QUICK),--quick)

dist:
	@python3 scripts/environment.py dev
	$(PYTHON) scripts/check_dist.py

release-check:
	@python3 scripts/environment.py dev
	$(PYTHON) scripts/release.py "$$TAG"

clean:
	rm -rf $(VENV) .venv-oldest .venv-docs .venv-floors .venv-bench .nox site dist sbom demo-output
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .mutants
