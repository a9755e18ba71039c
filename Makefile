# The two commands are `make demo` and `make test`; both build the locked environment first, by themselves.
.PHONY: help setup demo test test-slow readers contract lint up faults faults-quick bench bench-landing bench-simulator bench-tiers bench-values bench-contributions bench-flows crash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BANK ?= reference_bank
DATA ?=

help: ## What there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

setup: $(VENV)/.locked ## Build the locked environment (uv when it is there, else pip)

$(VENV)/.locked: requirements.lock pyproject.toml
	@if command -v uv >/dev/null 2>&1; then \
		uv venv -q --allow-existing --python $(PYTHON) $(VENV) && \
		uv pip install -q --python $(BIN)/python --no-deps --require-hashes -r requirements.lock && \
		uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
		$(PYTHON) -m venv $(VENV) && \
		$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements.lock && \
		$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

demo: setup ## The whole path on the reference bank; BANK=eagle_bank DATA=folder for another
	@$(BIN)/crm-warehouse demo --bank $(BANK) $(if $(DATA),--data $(DATA))

test: setup ## The test suite
	@# A file's tests stay together, so that what they share is made once. In the order of the folders: the quick ones come last and fill up.
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-slow: setup ## Tests that start servers
	@$(BIN)/python -m pytest -m slow

readers: setup ## Eight readers that open and query all the while through 500 publishes (some minutes)
	@$(BIN)/python -m pytest tests/publish/test_readers.py -m slow -s

contract: setup ## Write dbt_project/contract.json anew; a break needs a line in CHANGELOG and a raised version
	@$(BIN)/python -m crm_warehouse.publish.contract

bench: setup ## One more business day end to end, beside a floor written by hand (BENCH="--customers 100000 --days 5 --airflow")
	@$(BIN)/python -m benchmarks.day $(BENCH)

bench-landing: setup ## What landing costs: 2.5 million rows, twice that, many small files
	@$(BIN)/python benchmarks/landing.py --results benchmarks/results/landing.json

bench-tiers: setup ## Tier history of a million customers, beside a query written by hand (needs a built warehouse: make demo)
	@$(BIN)/python -m benchmarks.tiers

bench-values: setup ## Customer values of a million customers for one month, beside a script written by hand (needs a built warehouse: make demo)
	@$(BIN)/python -m benchmarks.values

bench-contributions: setup ## Contributions of a million customers for one month, beside a script written by hand (needs a built warehouse: make demo)
	@$(BIN)/python -m benchmarks.contributions

bench-flows: setup ## Two million transactions of one day classified and bridged, in at most 30 s (needs a built warehouse: make demo)
	@$(BIN)/python -m benchmarks.flows

lint: setup ## ruff and sqlfluff
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/sqlfluff lint dbt_project/models dbt_project/banks

faults: setup ## Score of the landing gate: every kind of corruption, three kinds of day, clean days (about an hour; FAULTS="--minutes 30" for less)
	@$(BIN)/python -m benchmarks.faults $(FAULTS)

faults-quick: setup ## The same, small: one day, one magnitude (about ten minutes); FAULTS="--kinds a,b" for some
	@$(BIN)/python -m benchmarks.faults --quick $(FAULTS)

up: setup ## A standalone Airflow for people on http://localhost:8080 (development login)
	@$(BIN)/crm-warehouse airflow pools set warehouse_writer 1 "DuckDB has one writer"
	@$(BIN)/crm-warehouse airflow standalone

crash: setup ## Kill -9 at every step of a run, some 250 times, then every other fault (hours; CRASH="--steps publish --faults disk_full")
	@$(BIN)/python -m benchmarks.crash $(CRASH)

bench-simulator: setup ## A million simulated customers: time and memory, kept in benchmarks/results
	@$(BIN)/python benchmarks/simulator.py
