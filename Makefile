.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install

.PHONY: help setup dev generate demo up test test-postgres chaos soak bench bench-growth bench-prompts golden check fmt pins

help: ## show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: .venv/.runtime gen/api.binpb ## virtual environment, dependencies, generated code

dev: setup .venv/.dev ## what tests and checks it, and grpcurl

.venv/.runtime: requirements/runtime.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing what it runs on (about half a minute)"
	@$(PIP) --require-hashes -r requirements/runtime.txt
	@$(PIP) --no-deps --no-build-isolation --no-index -e .
	@touch $@

.venv/.dev: .venv/.runtime requirements/dev.txt
	@echo "installing what tests and checks it"
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

gen/api.binpb: .venv/.runtime protos/generate.py $(shell find protos gateway -name "*.proto" -o -path "gateway/openapi.py" -o -path "gateway/reference/*")
	@$(BIN)/python protos/generate.py

generate: .venv/.runtime ## make gen/ from the protos again
	@$(BIN)/python protos/generate.py

demo: setup ## start everything, make one picture of each type into out/, stop
	@$(BIN)/studio demo

up: setup ## the whole system in the foreground; Ctrl-C stops it
	@$(BIN)/studio up

test: dev ## the whole test suite, on real parts
	@$(BIN)/pytest -n 2 --dist worksteal

test-postgres: dev ## every test of services and of the whole system once more, on PostgreSQL
	@TEST_DATABASE=postgresql $(BIN)/pytest -n 2 --dist worksteal tests/contract tests/e2e tests/chaos tests/migration

SECONDS ?= 300
SEED ?= 7

chaos: dev ## kill, pause and cut off real processes for SECONDS by SEED (CLUSTER=1: replicas), and judge the jobs
	@$(BIN)/python -m tests.chaos --seconds $(SECONDS) --seed $(SEED) $(if $(CLUSTER),--cluster)

JOBS ?= 20000

soak: dev ## the memory of each part while JOBS sketched jobs go by
	@$(BIN)/python -m benchmarks.soak --jobs $(JOBS)

.venv/.bench: .venv/.dev requirements/bench.txt
	@echo "installing what the conventional build runs on"
	@$(PIP) --require-hashes -r requirements/bench.txt
	@touch $@

bench: setup .venv/.bench ## ours, the conventional build and the limit, side by side (QUICK=1: less than two minutes)
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

bench-growth: setup .venv/.bench ## how figures change with replicas, and with what is in database and queue
	@$(BIN)/python -m benchmarks --growth $(if $(QUICK),--quick)

bench-prompts: dev ## how well the sanitiser tells streamers from attackers, beside its peers, and what it costs
	@$(BIN)/python -m benchmarks.prompts

golden: dev ## write tests/golden/ again after a prompt was meant to change
	@$(BIN)/python -m tests.golden

check: dev ## formatting, lint, types, layers, protos
	@$(BIN)/ruff format --check --quiet . || (echo "run: make fmt" && exit 1)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports
	@$(BIN)/buf format --diff --exit-code protos
	@$(BIN)/buf lint gen/api.binpb --path streamerstudio
	@$(BIN)/python protos/breaking.py

fmt: dev ## format code and protos
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format --quiet .
	@$(BIN)/buf format -w protos

pins: ## compile requirements/*.in into pinned, hashed requirements/*.txt (needs uv)
	cd requirements && for name in runtime dev bench; do uv pip compile --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate $$name.in -o $$name.txt; done
