#!/bin/bash
# Run a command; what it says is shown only when it fails. Package tools warn of this machine's settings, which is
# nothing that whoever makes a target could act on.
said=$(mktemp) || exit
trap 'rm -f "$said"' EXIT
"$@" </dev/null >"$said" 2>&1 && exit
code=$?
cat "$said" >&2
exit "$code"
