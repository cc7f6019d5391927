#!/bin/sh
# Writes what the cluster loads from what people edit. Run it after a change; CI runs it and fails when it changes a file.
set -eu
cd "$(dirname "$0")"
mkdir -p rendered
oomtriage rules render --format prometheusrule --values values.yaml > rendered/oomtriage.yaml
oomtriage rules render --format prometheusrule --values own-values.yaml own > rendered/own.yaml
