# Two commands for newcomers: `make demo` and `make test`. Everything they need, they set up.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
export CONTROLROOM_HOME ?= $(CURDIR)/.controlroom

.PHONY: demo test check lint types lock down clean
.DELETE_ON_ERROR:

$(BIN)/uv: requirements/uv.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements/uv.txt
	touch $@

# One recipe for each dependency group: uv when it reaches the index, pip (which reads pip's own configuration) when not.
$(VENV)/.%: requirements/%.txt pyproject.toml $(BIN)/uv
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r $< \
	  || $(BIN)/pip install --quiet --require-hashes -r $<
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --no-index --editable .
	touch $@

demo: $(VENV)/.runtime
	$(BIN)/controlroom demo

down: $(VENV)/.runtime
	$(BIN)/controlroom down
