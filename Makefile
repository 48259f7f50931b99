# Everything happens in .venv, made from requirements.lock. The bot runs from the checkout; it is not
# installed. Pass more arguments in ARGS: make test ARGS="-k daily -x"
#   make play       a simulated Discord in the browser, no token needed
#   make run        the bot on Discord (settings: environment or .env)
#   make test       the tests
#   make crash      kills the bot between every two effects, gives it a hostile network (8 minutes)
#   make everything what a release must pass: all Pythons, PostgreSQL, crash points, soak (an hour)
#   make flaky      the tests with ten seeds, five on a busy machine; ARGS="--first 1 --seeds 2"
#   make mutants    which of 150 random changes of the bot no test notices; ARGS="--only bot/rounds"
#   make bench      the bot against a bare client, after years, under attack (half an hour; ARGS=--quick)
#   make soak       ten minutes of everything under random faults; ARGS="--seed 1" repeats a run
#   make month      a month of 1,000 members in virtual time; ARGS="--seed 3 --days 30"
#   make learn      what the order of practice teaches, and whether a plan's numbers are true (8 minutes)
#   make size       Python tokens by folder, without comments and docstrings
#   make grade-eval how well the offline grader grades: the tables of docs/grading.md

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

# The many processes that tests start share their bytecode.
unexport PYTHONDONTWRITEBYTECODE

PY := $(VENV)/bin/python
STAMP := $(VENV)/.requirements.stamp
UV_VERSION := 0.13.9

python_ok = $(shell $(PYTHON) -c 'import sys; print(sys.version_info >= (3, 11))' 2>/dev/null)
require_python = $(if $(filter True,$(python_ok)),,$(error Quizformer needs Python 3.11 or newer, and '$(PYTHON)' is missing or older. Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)))

.PHONY: help play run test crash everything flaky mutants without-play soak month bench grade-eval learn size lint format types setup lock clean

help:
	@echo 'make play | run | test | crash | everything | flaky | mutants | soak | month | bench | grade-eval | learn | size | lint | types | format | setup | lock | clean'
	@sed -n '1,/^$$/s/^# *//p' Makefile

play: $(STAMP)
	$(PY) -m bot play $(ARGS)

run: $(STAMP)
	$(PY) -m bot $(ARGS)

test: $(STAMP)
	$(PY) -m pytest -n auto --ignore=tests/crash --ignore=tests/cluster $(ARGS)

# About twice as many workers as cores, because these tests wait most of the time.
crash: $(STAMP)
	$(PY) -m pytest -n 4 tests/crash tests/cluster $(ARGS)

everything: lint types
	bash .ci/everything

flaky: $(STAMP)
	$(PY) -m tools.flaky $(ARGS)

mutants: $(STAMP)
	$(PY) -m tools.mutants $(ARGS)

# The bot on Discord doesn't need simcord. Hide simcord and what it pins, and run the tests that need
# neither.
without-play: $(STAMP)
	$(PY) -m pytest -n auto -p no:simcord -p tests.without_play tests/chat tests/rounds tests/core/test_child_process.py tests/loopback tests/test_command_line.py $(ARGS)

soak: $(STAMP)
	$(PY) -m soak $(ARGS)

month: $(STAMP)
	$(PY) -m soak.month $(ARGS)

bench: $(STAMP)
	$(PY) -m benchmarks $(ARGS)

grade-eval: $(STAMP)
	$(PY) -m tools.grade_eval

learn: $(STAMP)
	$(PY) -m tools.learn $(ARGS)

size: $(STAMP)
	$(PY) -m tools.size $(ARGS)

lint: $(STAMP)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: $(STAMP)
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .

types: $(STAMP)
	$(PY) -m mypy

setup: $(STAMP)

# Runs again only when the lock is newer than the stamp.
$(STAMP): requirements.lock
	$(require_python)
	@$(PYTHON) -m venv $(VENV) || { echo 'Making $(VENV) failed. On Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	$(PY) -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements.lock
	@touch $@

# Keeps the locked versions as far as pyproject.toml allows; `make lock ARGS=--upgrade` takes the
# newest. requirements.lock has everything; requirements.txt has what a host runs, in the same
# versions, under the name that hosts look for. .ci/anki.txt is for one test of `make everything`.
LOCK = $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'
COMPILE = $(LOCK) pyproject.toml

lock:
	$(require_python)
	@$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --disable-pip-version-check --quiet 'uv==$(UV_VERSION)'
	$(COMPILE) --all-extras --output-file requirements.lock $(ARGS)
	$(COMPILE) --extra postgres --extra speed --constraint requirements.lock --output-file requirements.txt
	$(LOCK) --group anki --output-file .ci/anki.txt $(ARGS)

clean:
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis .mutants
