# Every verb of the project. `make` or `make help` lists them.

# The first Python that is new enough; override with `make PYTHON=/path/to/python …`.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	command -v "$$python"; break; fi; done)
MANAGE := .venv/bin/python manage.py
PACKAGES := observability ingest alerts demo bench tests manage.py extension/build.py ci/nightjar_fit.py
# Of requirements/dev.txt, called from extension/; never another one that it would download.
GO := GOTOOLCHAIN=local ../.venv/bin/go
# Settings of a pretend public installation, for the checks that only look at those.
PUBLIC := PUBLIC_URL=https://nightjar.example ALLOWED_HOSTS=nightjar.example DEMO=0 ENV_FILE=/dev/null VAR_DIR=/nonexistent \
	EMAIL_URL=smtp://mail.example:25 DATABASE_URL=postgres://nightjar:pretend@db.example/nightjar \
	REDIS_URL=redis://:pretend@redis.example/0 TRUST_PROXY=1 \
	SECRET_KEY=a-pretend-key-for-the-checks-0123456789-abcdefghijklmnopqrstuvwxyz \
	ENCRYPTION_KEYS=cHJldGVuZC1rZXktZm9yLXRoZS1jaGVja3MtMDEyMzQ=
T ?=
NAME ?=
ARGS ?=
.DEFAULT_GOAL := help
.PHONY: help setup up down reset test lint format types bench extension role insights lock audit

help: ## Explain every verb
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Create .venv, install the locked packages, build the front end; instant when nothing changed
	@python="$(PYTHON)"; \
	if [ -z "$$python" ]; then echo 'Nightjar needs Python 3.11 or newer, and there is none on PATH.'; exit 1; fi; \
	"$$python" observability/embedded/install.py

up: setup ## Start everything and show where to log in (DEMO=0: without the demo; PORT=8000)
	@$(MANAGE) up

down: ## Stop what `make up` started here, also when it was killed
	@if [ -x .venv/bin/python ]; then $(MANAGE) down; else echo 'Nothing was running.'; fi

reset: setup ## Delete all data in var/ (asks first; FORCE=1 does not)
	@$(MANAGE) down
	@if [ "$(FORCE)" != 1 ]; then printf 'Delete every fact, account and secret in var/? [y/N] '; \
	read -r answer; [ "$$answer" = y ] || { echo 'Nothing was deleted.'; exit 1; }; fi; \
	rm -rf var && echo 'var/ is gone.'

test: setup ## Run every test (T=tests/ingest: only some)
	@.venv/bin/pytest --numprocesses 3 --dist worksteal $(T)

lint: setup ## Style, types, import rules, migrations, deployment checks
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy $(PACKAGES)
	.venv/bin/lint-imports
	@cd extension && unformatted=$$($$($(GO) env GOROOT)/bin/gofmt -l .) && \
	if [ -n "$$unformatted" ]; then echo "make format would change: $$unformatted"; exit 1; fi
	cd extension && $(GO) vet ./...
	$(PUBLIC) .venv/bin/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(PUBLIC) $(MANAGE) check --deploy --fail-level WARNING

format: setup ## Format the code and sort its imports
	.venv/bin/ruff check --fix-only --exit-zero .
	.venv/bin/ruff format .
	cd extension && $$($(GO) env GOROOT)/bin/gofmt -w .

types: setup ## Check types only
	.venv/bin/mypy $(PACKAGES)

bench: setup ## Measure: make bench NAME=ingest ARGS=--json (no NAME: list them)
	@.venv/bin/python -m bench $(NAME) $(ARGS)

extension: setup ## Build the layers of the Lambda extension, their checksums and SBOM into extension/dist
	@.venv/bin/python extension/build.py

role: setup ## Write the role of connected accounts anew, from the permissions of the collectors
	@$(MANAGE) role

insights: setup ## Write the list of rules in docs/insights.md anew
	@.venv/bin/python -m tests.alerts.rules.document

lock: setup ## Compile requirements/*.in to hash-locked .txt (needs uv and the network)
	cd requirements && for name in base prod dev assets extension; do \
	uv pip compile --quiet --universal --generate-hashes --no-strip-extras --no-header --python-version 3.11 $$name.in -o $$name.txt; done

audit: setup ## Look the locked packages up among known vulnerabilities (needs the network)
	.venv/bin/pip-audit --require-hashes --disable-pip -r requirements/prod.txt
