# Every target does its own set-up; a second call finds it done. `make` alone lists the targets.
PY := .venv/bin/python
# 3.11 first: requirements.lock is made for it.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
SETUP = $(or $(PYTHON),$(error wbme needs Python 3.11 or newer: apt-get install python3)) -P wbme/cli/setup.py
STRIP_KEYS := metadata.papermill cell.metadata.papermill cell.metadata.lines_to_next_cell metadata.language_info

.NOTPARALLEL:
.PHONY: help setup setup-tests run lab test check lint
help:
	@echo "make run     set up, then execute all notebooks (preset demo)"
	@echo "make lab     set up, then open JupyterLab"
	@echo "make test    set up, then run every check and test, notebooks included"
	@echo "make check   all checks and the quick tests (under 2 minutes)"
	@echo "make setup   set up only"

setup:
	@$(SETUP)

setup-tests:
	@$(SETUP) --tests

run: setup
	@$(PY) -m wbme run --all --preset demo

lab: setup
	@$(PY) -m jupyterlab --ip=127.0.0.1 $(if $(filter 0,$(shell id -u)),--allow-root) --ServerApp.root_dir="$(CURDIR)"

lint:
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	.venv/bin/lint-imports
	$(PY) -m mypy
	$(PY) -m nbstripout --verify --keep-id --extra-keys "$(STRIP_KEYS)" notebooks/*.ipynb

# Two files of tests at a time, one thread each: most run on one core.
test: setup-tests lint
	OMP_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: setup lint
	$(PY) -m pytest -m "not slow and not browser and not notebooks"
