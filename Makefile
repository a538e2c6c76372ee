# make demo   set everything up, build checked shards from nothing, train the tiny model on them for a few steps
# make test   set everything up, lint, type-check and test
# Both work on a fresh Debian-like machine that has only Python (3.11 or newer) with pip, and again after that.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
OUT    ?= out/demo

# Shared libraries that open3d loads and slim machines lack: soname:Debian package.
OPEN3D_LIBRARIES := libusb-1.0.so.0:libusb-1.0-0 libGL.so.1:libgl1 libEGL.so.1:libegl1 libX11.so.6:libx11-6 \
	libgomp.so.1:libgomp1 libudev.so.1:libudev1 libidn2.so.0:libidn2-0

.PHONY: setup system-libraries demo test lint clean

setup: system-libraries $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "gapdata needs Python 3.11 or newer: run 'make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)'" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,dev]'
	@touch $@

system-libraries:
	@missing=""; for entry in $(OPEN3D_LIBRARIES); do \
		$(PYTHON) -c "import ctypes, sys; ctypes.CDLL(sys.argv[1])" "$${entry%%:*}" 2>/dev/null \
			|| missing="$$missing $${entry##*:}"; \
	done; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "installing the system libraries of open3d:$$missing" >&2; \
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; } >/dev/null; \
		else \
			echo "open3d needs system libraries that are missing here: run 'sudo apt-get install -y$$missing', then run make again" >&2; exit 2; \
		fi; \
	fi

demo: setup
	$(BIN)/gapdata build --source synthetic --num-scenes 4 --workers 2 --overwrite --out $(OUT)
	$(BIN)/gapdata check $(OUT)
	$(BIN)/gapdata preview $(OUT) --out $(OUT)/preview.png
	$(BIN)/gapdata info $(OUT)
	$(BIN)/gapmodel train --data $(OUT) --preset tiny --steps 8 --fresh --out $(OUT)-tiny

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/pytest -n 2

clean:
	rm -rf $(VENV) out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
