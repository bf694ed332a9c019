#!/bin/sh
# Needs kcat and jq: Debian's packages of these names.
for program in kcat jq; do
    command -v $program >/dev/null || { echo "missing: run  sudo apt-get install -y $program" >&2; exit 1; }
done
