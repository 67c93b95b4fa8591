#!/usr/bin/env bash
# Re-pins the dependency groups, and Superset's. Writes pins and hashes only: no index address may enter the files.
# What is pinned keeps its version where it can; with --upgrade everything becomes the newest that fits.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" != --upgrade ]; then
  sed -n 's/^\([a-z0-9._-]*==.*\) \\$/\1/p' requirements/{runtime,dev,bench,docs}.txt | sort -u >requirements/all.txt
fi
compile() { uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header "$@"; }
compile pyproject.toml --group dev --group bench --group docs -o requirements/all.txt
compile pyproject.toml -c requirements/all.txt -o requirements/runtime.txt
compile pyproject.toml --group dev -c requirements/all.txt -o requirements/dev.txt
compile pyproject.toml --group bench -c requirements/all.txt -o requirements/bench.txt
# Apache Superset's own environment, for the one Python that it is run with.
uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header superset/server/requirements.in \
  -o superset/server/requirements.txt
compile --group store -c requirements/all.txt -o requirements/store.txt
compile --group docs -c requirements/all.txt -o requirements/docs.txt
# Only read by tests: alone, and without dependencies.
compile --group shapes --no-deps -o requirements/shapes.txt
rm requirements/all.txt
