#!/bin/bash
# What the README shows: one description, up as plain processes on this machine, verified, failed over, taken down.
set -euo pipefail
cd "$(dirname "$0")/../.."
description=${1:?a description, such as inventory/sentinel.redis.yml}

step() { printf '\n$ redis-fleet %s\n' "$*"; redis-fleet "$@"; }

trap 'step sandbox down "$description"' EXIT
trap 'exit 130' INT TERM
step sandbox up "$description"
step verify --sandbox "$description"
step verify --sandbox --drill failover --yes "$description"
