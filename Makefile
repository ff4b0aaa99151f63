# make help lists what there is. Everything runs from a fresh clone: the first target that needs it makes .venv/.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help demo test test-all bench drill-powercut lint docs

help: ## show these lines
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.ready ## a master, two replicas and three Sentinels on this machine: verify, fail over, take down
	@tests/harness/demo.sh inventory/sentinel.redis.yml

test: .venv/.ready-test ## lint, every test and all molecule scenarios on Debian 12
	@$(PYTHON) -m tests.harness.run --images 12

test-all: .venv/.ready-test ## the same on every release of tests/harness/releases.py, and deployments over networks that are cut
	@$(PYTHON) -m tests.harness.run --images all --every-part

bench: .venv/.ready-test ## measure what the README claims
	@$(PYTHON) -m tests.bench

drill-powercut: .venv/.ready-test ## cut an emulated machine's power: what each appendfsync keeps (ROUNDS=5)
	@$(PYTHON) -m tests.powercut --rounds $(or $(ROUNDS),5)

lint: .venv/.ready-test ## style, types, YAML and playbooks
	@$(PYTHON) -m tests.harness.run --only lint

docs: .venv/.ready ## docs/directives.md and docs/rules.md, from the table and the rules
	@$(PYTHON) -m redis_fleet.explain.document docs

.venv/bin/python:
	@tests/harness/bootstrap.sh

.venv/.ready: pyproject.toml | .venv/bin/python
	@echo "installing redis-fleet into .venv"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --editable '.[sandbox,drill]'
	@touch $@

.venv/.ready-test: pyproject.toml | .venv/bin/python
	@echo "installing redis-fleet and what its tests need into .venv"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --editable '.[sandbox,drill,test]'
	@touch $@ .venv/.ready
