# The two commands of the README, and what CI does.
#   make demo [PROMPT="…"]   a picture book in demo-output/, by a sandbox: no account, no cost
#   make test                environment, ruff, mypy, spelling, unit and integration tests
#   make lint, make test-only   its two halves; AIRFLOW_VERSION=2.11.2 VENV=… for another Airflow
#   make check TESTS="…"     only these: a folder, a file, -m MARKER, -k NAME, whatever pytest takes; in seconds
#   make docs                the pages of docs/ and the reference as a site, in site/; in an environment of its own
#   make engine              docker-compose.yaml in a real engine: as root, after scripts/engine.sh; five minutes
#   make bench [QUICK=1]    imports and requests beside their peers; writes docs/benchmarks.md; an environment of its own
#   make dist                wheel and sdist, checked, and installed into an empty environment

export VENV ?= $(CURDIR)/.venv
export AIRFLOW_VERSION ?= 3.3.2
# Taken as it was typed: a $ in a prompt is a dollar, not one of make's variables.
override PROMPT := $(value PROMPT)
export PROMPT

PYTHON := $(VENV)/bin/python

.PHONY: demo test lint test-only engine check docs bench dist clean

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
	$(PYTHON) -m pytest -n 2 -m "not integration and not engine"
	$(PYTHON) -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m integration

engine:
	@python3 scripts/environment.py dev
	TALECRAFT_ENGINE=required $(PYTHON) -m pytest -m engine tests/engine

check:
	@python3 scripts/environment.py dev
	$(PYTHON) -m pytest $(TESTS)

docs:
	@VENV=$(CURDIR)/.venv-docs python3 scripts/environment.py docs
	@.venv-docs/bin/python scripts/site/build.py

bench:
	@VENV=$(CURDIR)/.venv-bench python3 scripts/environment.py sandbox
	@.venv-bench/bin/uv pip install --quiet --python .venv-bench/bin/python --editable '.[sandbox,s3]' -r benchmarks/requirements.txt
	@.venv-bench/bin/python benchmarks $(if $(QUICK),--quick)

dist:
	@python3 scripts/environment.py dev
	$(PYTHON) scripts/check_dist.py

clean:
	rm -rf $(VENV) .venv-oldest .venv-docs .venv-bench site dist demo-output .mypy_cache .pytest_cache .ruff_cache .hypothesis
