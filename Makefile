# Two commands for a newcomer: `make demo` and `make test`. Everything lives in .venv; nothing else is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DATABASE_TESTS := $(wildcard $(addprefix tests/store/test_store_,schema.py orders.py reference.py plans.py crash.py \
	compaction.py backup.py races.py)) $(wildcard $(addprefix tests/api/test_api_,records.py jobs.py orders.py \
	plan_life.py faults.py worker_rounds.py))
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install demo test test-postgres lint types layers unit postgres serve bench clean
help:
	@echo "make demo   plan tomorrow for a simulated town, as of 18:00 and at the cutoff, into out/"
	@echo "make test   ruff, mypy, import-linter, pytest; what touches the database again on PostgreSQL where it can be had"
	@echo "make test-postgres  every test of the store and the service on a PostgreSQL server of its own"
	@echo "make serve  the API on http://127.0.0.1:8000 (docs at /docs)"
	@echo "make bench  the benchmarks of docs/benchmarks.md"
	@echo "make clean  remove .venv, out/ and caches"

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -e '.[dev]' -c constraints.txt
	@touch $(STAMP)

install: $(STAMP)

demo: install
	$(BIN)/tuancai demo --out out

# What needs one core each runs two at a time.
test: install
	$(MAKE) --no-print-directory -j2 --output-sync=target lint types layers
	$(MAKE) --no-print-directory unit
	$(MAKE) --no-print-directory postgres

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

layers: install
	$(BIN)/lint-imports

unit: install
	$(BIN)/pytest -n 2 --dist worksteal --doctest-modules tests src

# What touches the database once more, on PostgreSQL; skipped with a sentence where the server cannot be had.
postgres: install
	.ci/postgres $(BIN)/pytest -n 2 --dist worksteal -m "not slow or postgres" $(DATABASE_TESTS)

test-postgres: install
	TUANCAI_NEEDS_POSTGRES=1 .ci/postgres $(BIN)/pytest -n 2 tests/store tests/api

serve: install
	$(BIN)/tuancai serve

bench: install
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
