# The project's commands; `make help` lists them.
#
# They need python3 (3.11 or newer) and make. Everything else is installed inside this folder: uv into .tools, unless there
# is one on the PATH, and the packages that uv.lock pins into .venv.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
SHELL := /bin/bash

# The cache lies beside what is installed from it, so that files are linked and not copied, and nothing is left behind
# elsewhere when the folder is deleted.
export UV_CACHE_DIR ?= $(CURDIR)/.tools/cache
export UV_PYTHON_DOWNLOADS := never
# A virtual environment somebody has activated is none of ours.
unexport VIRTUAL_ENV
# What Python has compiled it keeps: the archive, and its tests, are many processes that import the same thousands of files.
unexport PYTHONDONTWRITEBYTECODE

UV := $(or $(shell command -v uv),.tools/bin/uv)
PYTHON := .venv/bin/python
EMBEDDED := $(PYTHON) -m embedded --kept
# Checks that read the settings need what the settings need.
BESIDE_SERVICES := $(EMBEDDED) exec --throwaway --
PRODUCTION := DJANGO_SETTINGS_MODULE=dandiapi.settings.production ARCHIVE_URL=https://archive.example.org \
	ALLOWED_HOSTS=archive.example.org EMAIL_URL=smtp+tls://user:password@mail.example.org:587
PACKAGES := .venv/.installed
CLIENTS := tests/clients/.venv/.installed
NODE_CLIENTS := tests/clients/node_modules/.installed

.PHONY: help run test check audit bench token

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

run: $(PACKAGES) ## run the archive on this machine, at http://127.0.0.1:8000 or $PORT, until Ctrl-C
	@exec $(EMBEDDED) run

test: $(PACKAGES) $(CLIENTS) $(NODE_CLIENTS) ## run the tests, beside services of their own; TESTS='tests/archive -k path' runs some
	@unset PORT ARCHIVE_URL; export DJANGO_SETTINGS_MODULE=dandiapi.settings.testing; exec $(BESIDE_SERVICES) python -m pytest -n 3 --dist loadscope --no-loadscope-reorder $(TESTS)

check: $(PACKAGES) ## check style, types, imports, dead code and migrations
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/lint-imports
	$(PYTHON) -m tests.house.dead_code
	$(BESIDE_SERVICES) mypy archive dandiapi embedded
	$(BESIDE_SERVICES) python manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BESIDE_SERVICES) python manage.py check --deploy --fail-level WARNING
	@$(MAKE) audit

audit: | $(UV) ## hold the packages against the advisories that are known; it says so if these cannot be had
	@status=0; UV_HTTP_RETRIES=0 $(UV) audit --frozen --preview-features audit-command || status=$$?; \
	if [ $$status -gt 1 ]; then echo "Packages not audited: there are no advisories to be had here."; else exit $$status; fi

bench: $(PACKAGES) ## measure how fast the archive is; BENCH='--only reading --seconds 2' measures some of it
	@$(PYTHON) -m tests.bench $(BENCH)

token: $(PACKAGES) ## print a token of the running archive: make -s token EMAIL=someone@example.org [ADMIN=1]
	@: $${EMAIL:?"usage: make -s token EMAIL=someone@example.org [ADMIN=1]"}
	@$(EMBEDDED) exec -- python manage.py create_token "$$EMAIL" $(if $(ADMIN),--admin)

$(PACKAGES): uv.lock pyproject.toml | $(UV)
	@$(UV) sync --frozen --quiet >&2
	@touch $@

$(CLIENTS): tests/clients/uv.lock tests/clients/pyproject.toml | $(UV)
	@$(UV) sync --frozen --quiet --project tests/clients >&2
	@touch $@

$(NODE_CLIENTS): tests/clients/npm.lock tests/clients/install_npm.py
	@python3 tests/clients/install_npm.py

.tools/bin/uv:
	@python3 -c 'import sys; sys.version_info >= (3, 11) or sys.exit("python3 is older than 3.11.")'
	@python3 embedded/install_uv.py .tools/bin
