# Weighbridge. `make up` serves it; `make test` tests it. Both can be run again at any time.

VENV ?= .venv
KB := $(VENV)/bin/kb
IN_VENV := $(VENV)/bin/python -m

# The first Python that runs and is new enough; a name that answers with an error is passed over.
ifndef PYTHON
PYTHON := $(shell for name in python3.13 python3.12 python3.11 python3; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& command -v $$name && break; done)
endif

# What is quick and needs no weights, as a selection for pytest.
FAST := not model and not browser and not slow and not exhaustive

.PHONY: up test exhaustive check eval bench load screenshots clean lock python \
	offline mutation audit sbom licences
.NOTPARALLEL:

up: python
	@$(PYTHON) make/install.py $(VENV) encoder
	@$(KB) serve --probe; status=$$?; test $$status -eq 3 || exit $$status; \
		echo "==> weights" && $(KB) models pull && \
		echo "==> documents" && { $(KB) ingest "$${KB_CORPUS:-corpus}" || test $$? -eq 1; } && \
		echo "==> server" && exec $(KB) serve

test: python
	@$(PYTHON) make/install.py $(VENV) encoder,eval,dev,postgres,telemetry,ray
	@echo "==> weights that the tests need"
	@$(KB) models pull smollm2-135m
	@$(KB) models pull
	@echo "==> tests"
	@$(IN_VENV) pytest -m "not exhaustive"

# A kill at every single step of an ingest, and more damaged files: a quarter of an hour.
exhaustive: python
	@$(PYTHON) make/install.py $(VENV) encoder,eval,dev,postgres,telemetry,ray
	@$(IN_VENV) pytest -m exhaustive

check: python
	@$(PYTHON) make/install.py $(VENV) encoder,eval,dev,postgres,telemetry,ray
	@$(IN_VENV) ruff check
	@$(IN_VENV) ruff format --check
	@$(IN_VENV) mypy
	@$(IN_VENV) pytest -q -m "$(FAST)"

eval: python
	@$(PYTHON) make/install.py $(VENV) encoder,eval,dev,postgres,telemetry,ray
	@$(KB) models pull
	@$(IN_VENV) bench.report

bench: python
	@$(PYTHON) make/install.py $(VENV) encoder,eval,dev,postgres,telemetry,ray
	@$(KB) models pull
	@$(IN_VENV) bench.serving
	@printf '\n## Search at scale\n\n' >> bench/RESULTS.md
	@$(IN_VENV) bench.scale --passages 1000 10000 100000 | tee -a bench/RESULTS.md
	@$(IN_VENV) bench.updates | tee -a bench/RESULTS.md
	@$(IN_VENV) bench.widget | tee -a bench/RESULTS.md

# Twelve minutes of askers and thirty of watching the memory: into bench/RESULTS.md, after `bench`.
load: python
	@$(PYTHON) make/install.py $(VENV) encoder,load
	@$(KB) models pull
	@$(IN_VENV) bench.load --askers 1 4 16 64 --seconds 180 --memory-minutes 30

# The widget's pictures in docs/, made anew with the system's Chromium.
screenshots: python
	@$(PYTHON) make/install.py $(VENV) encoder,eval,dev,postgres,telemetry,ray
	@PYTHONPATH=.:tests $(IN_VENV) make.screenshots

# Pins what the environment of `make test` holds, after a change of pyproject.toml.
lock:
	@$(VENV)/bin/python make/lock.py > requirements.lock.new
	@mv requirements.lock.new requirements.lock

# What `make test` runs, where there is no network but loopback; and it tells what tried to leave.
offline: python
	@$(PYTHON) make/install.py $(VENV) encoder,eval,dev,postgres,telemetry,ray
	@$(VENV)/bin/python make/offline.py $(VENV)/bin/python -m pytest -m "not exhaustive"

# Small changes to what must not err, which no test notices: docs/mutation.md. An hour.
mutation: python
	@$(PYTHON) make/install.py $(VENV) encoder,dev,hygiene
	@$(VENV)/bin/python make/mutation.py

# Known holes in the locked packages. Needs the advisory service; a package that it can't tell about
# fails it.
audit: python
	@$(PYTHON) make/install.py $(VENV) encoder,hygiene
	@$(IN_VENV) pip_audit --strict --requirement requirements.lock --no-deps --disable-pip

# What the environment of `make test` is made of, as CycloneDX.
sbom: python
	@$(PYTHON) make/install.py $(VENV) encoder,eval,dev,postgres,telemetry,ray,hygiene
	@mkdir -p build
	@$(IN_VENV) cyclonedx_py environment --pyproject pyproject.toml --output-reproducible \
		--output-file build/sbom.json $(VENV)/bin/python

# After `lock`.
licences:
	@$(VENV)/bin/python make/licences.py > docs/licences.md.new
	@mv docs/licences.md.new docs/licences.md

# Weights and index stay: they are under KB_HOME.
clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

python:
	@test -n "$(PYTHON)" || { \
		echo "==> Python 3.11 or later is needed and none was found: install one, or name it:" \
		"make PYTHON=/path/to/python3" >&2; exit 1; }
