# The manual of this project: `make help`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SPLINK := .venv-splink
SETS ?= seven
BENCHES := reading normalising opaque sample county recall rules
HOME_DIR ?= data
PERSONS ?= 20000
NIGHTS ?= 3
SEED ?= 1
EXAMPLES ?= 60
LAWS_SEED := $(or $(LAWS_SEED),$(shell $(PYTHON) -c 'import random; print(random.randrange(10**6))'))
FIRST_NIGHT ?= 2025-11-17
LAST_NIGHT ?= $(shell $(PYTHON) -c 'from datetime import date, timedelta as t; print(date.fromisoformat("$(FIRST_NIGHT)") + t(days=$(NIGHTS) - 1))')

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run nights sample sample-small ui test laws check format docs bench bench-rules bench-night bench-matching clean

help:  ## Show this help
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 2; }
	@echo "Setting up $(VENV) from requirements.lock (about a minute) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.installed  ## Make the environment (.venv) from requirements.lock

setup-dev: $(VENV)/.installed-dev  ## The same, with what tests and checks need

run: setup  ## Set up, invent a county of 20,000 people, run three nights, say where the lists are
	@$(MAKE) --no-print-directory sample nights

sample: setup  ## Write the sample county's deliveries (PERSONS, NIGHTS, SEED, FIRST_NIGHT)
	@$(BIN)/hardship-watch --home $(HOME_DIR) sample --persons $(PERSONS) --nights $(NIGHTS) --seed $(SEED) --start $(FIRST_NIGHT)

sample-small: setup  ## Write sample_data/small anew, the county of 500 people that tests read (always seed 7)
	@rm -rf sample_data/small
	@$(BIN)/hardship-watch --home sample_data/small sample --persons 500 --nights 2 --seed 7 --start 2025-11-17

# Status 1 means: the nights ran, and the end of the table says what somebody should look at.
nights: setup
	@$(BIN)/hardship-watch --home $(HOME_DIR) run --date $(FIRST_NIGHT) --to $(LAST_NIGHT) || test $$? -eq 1

ui: setup  ## Open the Dagster UI on this machine, port 3000
	@HARDSHIP_WATCH_HOME=$(abspath $(HOME_DIR)) DAGSTER_HOME=$(abspath $(HOME_DIR))/dagster $(BIN)/dagster dev -w workspace.yaml

test: setup-dev  ## Run all tests
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder tests

laws: setup-dev  ## Laws of nights on random histories, new ones each time (EXAMPLES, LAWS_SEED); some ten minutes
	@echo "LAWS_SEED=$(LAWS_SEED)"
	@MATCHING_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -n auto --hypothesis-seed=$(LAWS_SEED) tests/matching/test_spine_laws.py tests/matching/test_provisional.py

check: setup-dev  ## Format, lint, types, import rules, Dagster definitions
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest tests/test_house.py
	@DAGSTER_DISABLE_TELEMETRY=1 $(BIN)/dagster definitions validate -w workspace.yaml

format: setup-dev  ## Format the code and sort imports
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: setup  ## Write the generated pages: contracts, facts, rules, JSON Schemas
	@$(BIN)/python -m data_contracts.pages
	@$(BIN)/python -m policy.pages

bench: setup-dev  ## Run the benchmarks and print their tables; status 1 where one misses its bar
	@status=0; for name in $(BENCHES); do echo "== $$name"; $(BIN)/python benchmarks/$$name.py || status=1; done; exit $$status

bench-rules: setup-dev  ## Table of the rules: planted situations raised, on time, false alarms, with real and perfect links (PERSONS, NIGHTS, SEED)
	@$(BIN)/python benchmarks/recall.py --persons $(PERSONS) --nights $(NIGHTS) --seed $(SEED)

# Needs the lake of a county: `make run` first.
bench-night: setup-dev  ## CPU of a night with 2 % changed identities beside deciding all, on the sample county
	@$(BIN)/python -m benchmarks.night_matching --lake $(HOME_DIR)/lake --day $(LAST_NIGHT)

$(SPLINK)/.installed: requirements-splink.lock
	@test -x $(SPLINK)/bin/python || $(PYTHON) -m venv $(SPLINK)
	@$(SPLINK)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-splink.lock
	@touch $@

bench-matching: setup-dev $(SPLINK)/.installed  ## The matcher beside Splink 5 (own environment) on invented sets (SETS, SEED)
	@$(BIN)/python benchmarks/matching.py --set $(SETS) --seed $(SEED) --splink $(SPLINK)/bin/python --plain --out matching-results

clean:  ## Remove the sample county and everything the nights wrote (not the environment)
	@rm -rf $(HOME_DIR)
