# Everything starts here: `make run` serves, `make test` checks, `make help` lists the rest.
PYTHON ?= python3
ADDR ?= 127.0.0.1:8080
CONFIG ?= $(if $(wildcard config.yaml),config.yaml,config.example.yaml)
WORKERS ?= 1
BIN := .venv/bin
PY := $(BIN)/python

.PHONY: help setup run demo test test-full lint bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

# The stamps carry the lock's name so that a changed lock reinstalls and nothing else does.
$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3."; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "The venv module is missing (Debian: apt install python3-venv)."; exit 1; }

.venv/.installed: requirements.lock | $(PY)
	@echo "Installing dependencies (once)..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

.venv/.installed-dev: requirements-dev.lock .venv/.installed
	@echo "Installing test and lint tools (once)..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

setup: .venv/.installed ## create .venv from the lock

run: setup ## migrate, import CONFIG when the database is empty, serve on ADDR
	@exec $(PY) manage.py serve --config $(CONFIG) --addr $(ADDR) --workers $(WORKERS)

demo: setup ## the same with simulated providers and a little traffic; no API key needed
	@LLM_ROUTER_DATA_DIR=$${LLM_ROUTER_DATA_DIR:-var/demo} exec $(PY) manage.py demo --addr $(ADDR)

lint: .venv/.installed-dev ## ruff, mypy, migrations in step with the models
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy routing gateway config workflows_app
	$(PY) manage.py makemigrations --check --dry-run

# Three at a time keep two cores busy: tests of whole instances wait a lot.
test: lint ## every check and test a bare machine can run
	$(BIN)/pytest -q -n 3 -m "not slow and not service and not browser"

test-full: .venv/.installed-dev ## the long sweeps, the services and the browser
	$(BIN)/pytest -q -n 2 -m "slow or service or browser"

bench: .venv/.installed-dev ## measure; prints a table and writes benchmarks/results.json
	$(PY) -m benchmarks

clean: ## remove the environment, never ./var
	rm -rf .venv
