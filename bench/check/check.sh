#!/bin/sh
# Proves Basin on this machine's GPU in at most 12 minutes; needs NVIDIA's driver and the libraries of CUDA 12 or 13, such as those
# that PyTorch brings, and nothing else. Report: check.md and check.json in $OUT, or in ./basin-check-results.
#   ./check.sh [--minutes N] [--parts doctor,tests,...] [--out FOLDER] [--rehearsal]
# --rehearsal cuts all sizes, for the software GPU. Exit codes: 0 all parts passed, 1 one failed, 2 wrong usage, 3 one did not run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# What is unpacked and compiled stays here, unless CUDA's libraries were put into Basin's usual cache.
[ -n "${BASIN_CACHE:-}" ] || [ -d "${HOME:-/nowhere}/.cache/basin/cuda" ] || export BASIN_CACHE="$here/cache"
exec "$here/jre/bin/java" -Xmx256m -cp "$here/lib/tests.jar:$here/lib/basin.jar:$here/lib/junit-console.jar" \
  io.basin.check.HardwareCheck --home "$here" --out "${OUT:-basin-check-results}" "$@"
