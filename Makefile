# Two commands for newcomers: `make demo` and `make test`. Everything they need, they set up.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
SCALE ?= 1
WORKERS ?= 2
export CONTROLROOM_HOME ?= $(CURDIR)/.controlroom

SUPERSET_VENV := .superset-venv
CODE := compute controlroom dashboard migrations ops pipelines superset

.PHONY: superset demo down test check lint types pytest browser superset-for-tests format docs schema lock clean
.DELETE_ON_ERROR:

demo: $(VENV)/.runtime
	$(BIN)/controlroom demo --scale $(SCALE)

# Superset on what the demo published: its server, then datasets, rules and dashboards.
superset: $(VENV)/.runtime $(SUPERSET_VENV)/.ready
	$(BIN)/controlroom superset up
	$(BIN)/controlroom superset publish

down: $(VENV)/.runtime
	$(BIN)/controlroom down

test: check pytest

check: lint types

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev $(VENV)/.bench
	$(BIN)/mypy

# Tests bring their own homes; one that is set for people must not leak into them.
pytest: $(VENV)/.dev $(VENV)/.bench $(VENV)/.shapes browser superset-for-tests
	env -u CONTROLROOM_HOME $(BIN)/pytest -n $(WORKERS)

# Apache Superset has an environment of its own: it needs what ours must not have.
$(SUPERSET_VENV)/.ready: superset/server/requirements.txt $(BIN)/uv
	rm -rf $(SUPERSET_VENV)
	$(PYTHON) -m venv $(SUPERSET_VENV)
	VIRTUAL_ENV=$(CURDIR)/$(SUPERSET_VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r $< \
	  || $(SUPERSET_VENV)/bin/pip install --quiet --require-hashes -r $<
	touch $@

# Tests that need a Superset skip and say so where it cannot be installed.
superset-for-tests: $(BIN)/uv
	@$(MAKE) --no-print-directory $(SUPERSET_VENV)/.ready \
	  || echo "Apache Superset could not be installed: tests that need it will skip"

# The tests of the dashboard drive a real browser; without one, and without root to install it, they skip and say so.
browser:
	@command -v chromium >/dev/null \
	  || if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; \
	     then apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	     else false; fi \
	  || echo "chromium is missing and could not be installed: tests that need a browser will skip"

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Writes the pages that are made from code; a test says when they are stale.
docs: $(VENV)/.dev
	$(BIN)/python -m tests.gate.reference

# What is made from the schema: its snapshot, the contract's OpenAPI document, Supabase's migrations; tests say when they are stale.
schema: $(VENV)/.dev
	$(BIN)/python -m tests.gate.schema

# Re-pins requirements/*.txt; needs an index.
lock: $(BIN)/uv
	PATH="$(CURDIR)/$(BIN):$$PATH" requirements/compile.sh

clean:
	@if [ -x $(BIN)/controlroom ]; then $(BIN)/controlroom down; fi
	rm -rf $(VENV) $(SUPERSET_VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(BIN)/uv: requirements/uv.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements/uv.txt
	touch $@

# Definitions of other catalogs: packages that tests read in a folder of their own, and nobody runs.
$(VENV)/.shapes: requirements/shapes.txt $(BIN)/uv
	rm -rf $(VENV)/shapes
	$(BIN)/uv pip install --quiet --no-deps --require-hashes --target $(VENV)/shapes -r $< \
	  || $(BIN)/pip install --quiet --no-deps --require-hashes --target $(VENV)/shapes -r $<
	touch $@

# One recipe for each dependency group: uv when it reaches the index, pip (which reads pip's own configuration) when not.
# Compiled once and for all: where PYTHONDONTWRITEBYTECODE is set, every process would compile everything anew.
$(VENV)/.%: requirements/%.txt pyproject.toml $(BIN)/uv
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r $< \
	  || $(BIN)/pip install --quiet --require-hashes -r $<
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --no-index --editable .
	$(BIN)/python -m compileall -q $(CODE)
	touch $@
