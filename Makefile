# make help lists what there is. Everything runs from a fresh clone: the first target that needs it makes .venv/.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# Every package at the version and with the hashes of a lock file, then the project itself, built with what is there.
QUIETLY := tests/harness/quietly.sh
LOCKED := -m pip install --disable-pip-version-check --require-hashes --requirement
OURS := -m pip install --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable
NEWEST := .cache/newest

.PHONY: help demo test test-all test-newest lock bench lives drill-powercut lint docs

help: ## show these lines
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.ready ## a master, two replicas and three Sentinels on this machine: verify, fail over, take down
	@tests/harness/demo.sh inventory/sentinel.redis.yml

test: .venv/.ready-test ## lint, every test that takes no long time, and deployments to Debian 12
	@$(PYTHON) -m tests.harness.run --images 12

test-all: .venv/.ready-test ## every test: on every release of tests/harness/releases.py, changes and takeovers of deployments, cut networks, the wheel
	@$(PYTHON) -m tests.harness.run --images all --every-part

test-newest: | .venv/bin/python ## the same as test, with the newest versions that pyproject.toml allows
	@echo "installing redis-fleet and the newest of all that its tests need into $(NEWEST)"
	@$(PYTHON) -m venv --clear $(NEWEST)
	@$(QUIETLY) $(NEWEST)/bin/python -m pip install --disable-pip-version-check --editable '.[sandbox,drill,test]'
	@$(NEWEST)/bin/python -m tests.harness.drift
	@$(NEWEST)/bin/python -m tests.harness.run --images 12

lock: .venv/.ready-test ## write the lock files anew with the newest versions that pyproject.toml allows, and test
	@$(QUIETLY) $(PYTHON) $(LOCKED) requirements/lock.txt
	@requirements/lock.sh
	@$(MAKE) --no-print-directory test

bench: .venv/.ready-test ## measure what the README claims
	@$(PYTHON) -m tests.bench

lives: .venv/.ready-test ## random lives of a deployment, with kills in the middle of everything, and no lost write (SECONDS=600 SEED=1; HOSTS=12: on hosts, with dropped packets)
	@$(PYTHON) -m tests.lives --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1) $(if $(HOSTS),--hosts $(HOSTS))

drill-powercut: .venv/.ready-test ## cut an emulated machine's power: what each appendfsync keeps (ROUNDS=5)
	@$(PYTHON) -m tests.powercut --rounds $(or $(ROUNDS),5)

lint: .venv/.ready-test ## style, types, YAML and playbooks
	@$(PYTHON) -m tests.harness.run --only lint

docs: .venv/.ready ## docs/directives.md and docs/rules.md, and the tables of docs/ansible.md, from what they tell of
	@$(PYTHON) -m redis_fleet.explain.document docs
	@$(PYTHON) -m redis_fleet.ansible.reference docs

.venv/bin/python:
	@tests/harness/bootstrap.sh

.venv/.ready: pyproject.toml requirements/run.txt | .venv/bin/python
	@echo "installing redis-fleet into .venv"
	@$(QUIETLY) $(PYTHON) $(LOCKED) requirements/run.txt
	@$(QUIETLY) $(PYTHON) $(OURS) .
	@touch $@

.venv/.ready-test: pyproject.toml requirements/test.txt | .venv/bin/python
	@echo "installing redis-fleet and what its tests need into .venv"
	@$(QUIETLY) $(PYTHON) $(LOCKED) requirements/test.txt
	@$(QUIETLY) $(PYTHON) $(OURS) .
	@touch $@ .venv/.ready
