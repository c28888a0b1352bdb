#!/bin/sh
# Proves Basin on this machine's GPU in at most 12 minutes; needs NVIDIA's driver and the libraries of CUDA 12 or 13, such as those
# that PyTorch brings, and nothing else. Report: check.md and check.json in $OUT, or in ./basin-check-results.
#   ./check.sh [--minutes N] [--parts doctor,tests,...] [--out FOLDER] [--rehearsal]
# --rehearsal cuts all sizes, for the software GPU. Exit codes: 0 all parts passed, 1 one failed, 2 wrong usage, 3 one did not run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# What is unpacked, compiled and trained stays here, or in a new temporary folder where this one takes no files.
work=$here
if ! { mkdir -p "$here/cache" && [ -w "$here" ] && [ -w "$here/cache" ]; } 2>/dev/null; then
  work=$(mktemp -d "${TMPDIR:-/tmp}/basin-check-XXXXXX") || {
    echo "check.sh: neither $here nor ${TMPDIR:-/tmp} takes files; set TMPDIR to a folder that does" >&2; exit 2; }
  echo "check.sh: $here takes no files; what the check leaves beside its report is in $work" >&2
fi
# CUDA's libraries may have been put into Basin's usual cache.
[ -n "${BASIN_CACHE:-}" ] || [ -d "${HOME:-/nowhere}/.cache/basin/cuda" ] || export BASIN_CACHE="$work/cache"
exec "$here/jre/bin/java" -Xmx256m -cp "$here/lib/tests.jar:$here/lib/basin.jar:$here/lib/junit-console.jar" \
  io.basin.check.HardwareCheck --home "$here" --work "$work" --out "${OUT:-basin-check-results}" "$@"
