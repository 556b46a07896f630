# `make run`, `make demo` and `make test` each set up all they need: Python 3.11, make and a network are enough.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check

# A stamp is named after what the requirements say, so that neither a checkout nor a touch installs anything again.
stamp = $(VENV)/.$(1)-$(shell cat $(2) scripts/install | sha256sum | cut -c1-16)
RUN := $(call stamp,run,requirements.txt)
DEV := $(call stamp,dev,requirements.txt requirements-dev.txt)

# `make run DEMO=0`: without the demo's project and account.
DEMO ?= 1
# `FETCH_WEIGHTS=0`: neither asks for the networks' weights that no package carries.
FETCH_WEIGHTS ?= 1

.PHONY: help setup run demo test lint bench bench-quality check-gpu bench-jobs bench-studio bench-provenance \
        soak-uploads synthetic-faces base-model pins diagrams clean

help:
	@echo "make run     set up, then start the studio on http://127.0.0.1:8000/ (Ctrl-C stops it)"
	@echo "make demo    set up, then two clips -> faces -> a model -> a swapped video with a score (about 15 minutes)"
	@echo "make test    set up, then check style and types and run the tests"
	@echo "make lint    only the checks of style, types and imports"
	@echo "make bench   measure speed against plain yardsticks; writes docs/performance.md"
	@echo "make bench-jobs  kill and load jobs on every database and queue that is installed (long)"
	@echo "make bench-provenance  measure what labels and signatures cost, and what a copy leaves of them"
	@echo "make bench-studio  measure pages, uploads and the curation room beside their targets"
	@echo "make soak-uploads  send a video of 2 GiB over a line that breaks ten times"
	@echo "make bench-quality  train for 15 minutes and judge the swap in both directions"
	@echo "make check-gpu  check and measure the GPU path in at most eight minutes"
	@echo "make synthetic-faces  render synthetic people for pretraining (hours; FACES=folder, OPTIONS=…)"
	@echo "make base-model  pretrain the base model on them (hours; FACES=folder, BASE=folder, OPTIONS=…)"
	@echo "make setup   only the set-up, in $(VENV)"
	@echo "make pins    resolve requirements*.in again into requirements*.txt"
	@echo "make diagrams  render docs/diagrams/*.dot to SVG (needs graphviz)"
	@echo "make clean   remove $(VENV), var and caches"

setup: $(RUN)

run: $(RUN)
	@$(PY) manage.py migrate --verbosity 0
	@$(PY) manage.py first_account
	@DEMO=$(DEMO) FETCH_WEIGHTS=$(FETCH_WEIGHTS) exec $(PY) manage.py up $(UP)

demo: $(RUN)
	@FETCH_WEIGHTS=$(FETCH_WEIGHTS) $(PY) demo/run.py

test: lint
	@$(PY) -m pytest -n 2 --dist loadfile

lint: $(DEV)
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --quiet --check .
	@$(VENV)/bin/mypy --no-error-summary
	@$(VENV)/bin/lint-imports --no-cache > /dev/null || $(VENV)/bin/lint-imports --no-cache

bench: $(RUN)
	@$(PY) -m bench --write docs/performance.md

bench-quality: $(RUN)
	@$(PY) -m bench quality

check-gpu: $(RUN)
	@$(PY) -m bench.gpu --write docs/performance.md

bench-jobs: $(DEV)
	@$(PY) -m bench.jobs --write docs/performance.md

bench-provenance: $(DEV)
	@$(PY) -m bench.provenance --write docs/performance.md

bench-studio: $(DEV)
	@$(PY) -m bench.pages --write docs/performance.md
	@$(PY) -m bench.uploads --write docs/performance.md
	@folder=$$(mktemp -d) && DATA_DIR=$$folder DJANGO_SETTINGS_MODULE=webapp.settings.development \
	    $(PY) -m bench.curation; rm -rf $$folder

soak-uploads: $(DEV)
	@$(PY) -m bench.soak_uploads --write docs/performance.md

FACES ?= var/synthetic-faces
BASE ?= var/base-model
synthetic-faces: $(RUN)
	@$(PIP) install --quiet --no-deps -r tools/synthetic_faces/requirements.txt
	@$(PY) -m tools.synthetic_faces --out "$(FACES)" $(OPTIONS)

base-model: $(RUN)
	@$(PY) -m tools.base_model train --faces "$(FACES)" --out "$(BASE)" $(OPTIONS)

pins: $(DEV)
	@$(PIP) install --quiet pip-tools
	@for name in requirements requirements-dev; do \
	    CUSTOM_COMPILE_COMMAND="make pins" $(PY) -m piptools compile --quiet --strip-extras --allow-unsafe \
	        --no-emit-index-url --no-emit-find-links --annotation-style=line -o $$name.txt $$name.in || exit 1; \
	done

diagrams: $(patsubst %.dot,%.svg,$(wildcard docs/diagrams/*.dot))

docs/diagrams/%.svg: docs/diagrams/%.dot
	@command -v dot > /dev/null || { echo "make diagrams needs graphviz (Debian: apt install graphviz)"; exit 1; }
	dot -Tsvg $< -o $@

clean:
	rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(PY):
	@scripts/install venv "$(PYTHON)" $(VENV)

$(RUN): | $(PY)
	@scripts/install run $(VENV)
	@touch $@

$(DEV): $(RUN)
	@scripts/install dev $(VENV)
	@touch $@
