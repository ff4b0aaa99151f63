#!/bin/bash
# Make .venv/ with a Python of at least 3.11. Says what to install when something is missing; as root on Debian, where
# the venv module comes in a package of its own, installs that one.
set -euo pipefail
cd "$(dirname "$0")/../.."

modern='import sys; sys.exit(sys.version_info < (3, 11))'
for name in python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$name" >/dev/null && "$name" -c "$modern"; then
        python=$(command -v "$name")
        break
    fi
done
if [ -z "${python:-}" ]; then
    echo "redis-fleet needs Python 3.11 or newer; there is $(python3 --version 2>/dev/null || echo none) here." >&2
    echo "On Debian 12 or Ubuntu 24.04 and later: apt-get install python3 python3-venv" >&2
    exit 1
fi

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        echo "installing python3-venv"
        tests/harness/quietly.sh apt-get update -qq
        DEBIAN_FRONTEND=noninteractive tests/harness/quietly.sh apt-get install -y -qq --no-install-recommends python3-venv
    else
        echo "$python cannot make a virtual environment; on Debian: sudo apt-get install python3-venv" >&2
        exit 1
    fi
fi

echo "making .venv with $("$python" --version)"
"$python" -m venv .venv
