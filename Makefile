# make demo, make test, make check, make clean. The first run builds .venv; later runs need no network.
PYTHON ?=
export PYTHON
RUN := .venv/bin/python
PROCESSES := -n auto --maxprocesses 4 --dist worksteal

.PHONY: demo pictures test check constraints clean

# The real drive as a project in out/demo/drive, what its streams have at 4.0 s, a picture of that moment, and the
# window on it; where there is no display, the window is drawn into out/demo/drive-label.png and drive-sync.png.
demo:
	@sh .ci/prepare demo
	@$(RUN) -m workstation demo out/demo/drive --at 4.0 --sheet out/demo/drive.png
	@$(RUN) -m workstation selftest
	@$(RUN) -m workstation demo out/demo/drive --at 4.0 --show

# The pictures of README and manual: the demo's window, drawn without a display.
pictures:
	@sh .ci/prepare demo
	@$(RUN) -m workstation demo out/demo/drive
	@$(RUN) -m workstation screenshot out/demo/drive --at 4.0 --select "car 68" --size 1600x1000 -o resources/manual/pictures/label.png
	@$(RUN) -m workstation screenshot out/demo/drive --at 4.0 --size 1600x1000 --workspace sync --theme light \
	    -o resources/manual/pictures/sync.png

# In as many processes as there are cores, each with a screen of its own; plain pytest runs the same in one.
test:
	@sh .ci/prepare test
	@$(RUN) -m pytest $(PROCESSES)

# Everything that has to hold before a change lands: format, lint, types, import rules, sizes, tests.
check:
	@bash .ci/run

# Renew the exact versions (needs uv and a package index).
constraints:
	uv pip compile --quiet --universal --python-version 3.11 --all-extras --only-binary :all: --upgrade \
	    --no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml -o resources/constraints.txt

clean:
	rm -rf .venv build dist out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
