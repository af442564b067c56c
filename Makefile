# Every target makes what it needs; second runs skip what is done. `make help` lists the targets.
SHELL   := /bin/sh
PROFILE ?= quick
SPEC    ?= $(PROFILE)
OUT     ?=
SEED    ?=
RUN     ?=
ARGS    ?=
BENCH   := .venv/bin/bench
READY   := .venv/.installed
DRIVERS := .venv/.drivers
BROWSER := .venv/.browser

common = $(if $(OUT),--out $(OUT)) $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help setup drivers browser database test-database bench tune test lint report compare gate doctor selftest up lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  variables: PROFILE=smoke|quick|standard|full SPEC=file.toml OUT=folder SEED=n RUN=folder ARGS='…'"

setup: $(READY) ## make the virtual environment and install what is locked

$(READY): requirements.lock pyproject.toml scripts/setup-python.sh
	@sh scripts/setup-python.sh

drivers: $(DRIVERS) ## install the optional database drivers: mysqldb and asyncmy

$(DRIVERS): $(READY) requirements-drivers.lock
	@sh scripts/setup-python.sh drivers

browser: $(BROWSER)

$(BROWSER): $(READY) requirements-browser.lock scripts/setup-browser.sh
	@sh scripts/setup-browser.sh

database: $(READY) ## make sure that some MySQL or MariaDB can be started
	@sh scripts/setup-database.sh $(SPEC) $(ARGS)

test-database: $(READY)
	@sh scripts/setup-database.sh --set run.database=local

bench: $(READY) database ## measure the twins: verdicts, charts and a report
	@$(BENCH) run $(if $(findstring --resume,$(ARGS)),,$(SPEC)) $(if $(SEED),--seed $(SEED)) $(common)

tune: $(READY) database ## find and confirm the best pool, thread and worker setting of the twins
	@$(BENCH) tune $(if $(findstring --resume,$(ARGS)),,$(SPEC)) $(if $(SEED),--seed $(SEED)) $(common)

report: $(READY) ## rebuild every report file of RUN=results/… from its samples
	@$(BENCH) report $(RUN) $(ARGS)

compare: $(READY) ## runs side by side, with what differs between them: RUN="results/… results/…"
	@$(BENCH) compare $(RUN) $(common)

gate: $(READY) ## pass or fail for CI: every later arm of RUN=results/… against its first
	@$(BENCH) gate $(RUN) $(ARGS)

doctor: $(READY) ## is this machine fit to measure, and how small a change can it resolve
	@$(BENCH) doctor $(SPEC) $(ARGS)

selftest: $(READY) ## does the instrument tell the truth here: servers whose answers are known
	@$(BENCH) selftest $(common)

up: $(READY) database ## keep the database and one instance of every arm up until Ctrl-C
	@$(BENCH) up $(SPEC) $(ARGS)

test: $(READY) drivers browser test-database ## run every test, against a real database and browser (ARGS=… goes to pytest)
	@sh scripts/run-tests.sh $(ARGS)

lint: $(READY) ## ruff and strict typing
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy

lock: ## compile requirements.lock anew from pyproject.toml (needs uv)
	@uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --quiet \
		--generate-hashes --no-emit-index-url --no-header -o requirements.lock

clean: ## remove the virtual environment and caches (results stay)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .coverage
