#!/bin/bash
# Write the lock files anew: the newest versions that pyproject.toml allows, for every Python and system that it
# supports, each with the hashes of all its files on PyPI. `make lock` runs it, with the locked uv.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${1:-.venv/bin/uv}

compile() { # FILE ARGUMENTS...
    # Nothing of this machine's own settings may get into the files: no other index, no constraint, no local package.
    env -u UV_FIND_LINKS -u UV_EXTRA_INDEX_URL -u UV_INDEX -u UV_CONSTRAINT -u UV_OVERRIDE -u UV_EXCLUDE_NEWER \
        UV_CUSTOM_COMPILE_COMMAND="make lock" "$uv" pip compile --quiet --no-config --upgrade --universal \
        --python-version 3.11 --generate-hashes --default-index https://pypi.org/simple \
        --output-file "requirements/$1" "${@:2}"
}

compile test.txt pyproject.toml --extra sandbox --extra drill --extra test --group build
# The same versions for those who do not test.
compile run.txt pyproject.toml --extra sandbox --extra drill --group build --constraint requirements/test.txt
compile lock.txt --group lock
compile engines.txt --group engines --no-deps --constraint requirements/test.txt
