# Each target works alone on a machine that has Python 3.11 with venv and pip.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo test lint types layers check nightly bench bench-quick clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(BIN)/python -m compileall -q wsi_area  # pip does so only for a copy; else each process might, 0.3 s
	touch $(STAMP)

demo: setup  ## build a slide whose tissue area is known, measure it, compare
	$(BIN)/wsi-area demo --out demo-out --force

test: setup  ## file by file on up to four processes
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

layers: setup
	$(BIN)/lint-imports

check: lint types layers test

nightly: setup  ## an hour or more: killed runs, damaged slides, thousands of slides
	$(BIN)/python tests/nightly/kill_runs.py --forked --kills 200
	$(BIN)/python tests/nightly/fuzz_slides.py --each 300
	$(BIN)/python tests/nightly/many_slides.py --slides 1000
	WSI_AREA_BAD_BATCH=1000 $(BIN)/python -m pytest -q tests/run/test_bad_batch.py
	$(BIN)/python -m pytest -q --numprocesses auto -m hypothesis --hypothesis-profile search

bench: setup  ## slow: side by side with the peers, each in its own environment
	$(BIN)/python -m benchmarks.run

bench-quick: setup  ## five minutes: ratios of what surrounds the fast path, on one slide of 10 240² and twenty small ones
	$(BIN)/python -m benchmarks.environments pyvips_numpy rasterio_outlines
	$(BIN)/python -m benchmarks.rows

clean:
	rm -rf $(VENV) demo-out .pytest_cache .mypy_cache .ruff_cache .hypothesis
