#!/bin/sh
# Compiles step.c into the given folder where a C compiler is; else says in one line what runs in its place.
set -eu
compiler=${CC:-cc}
if ! command -v "$compiler" >/dev/null || [ "$(uname -sm)" != "Linux x86_64" ]; then
  echo "The processor's passes over arenas run in plain Java: there is no C compiler for Linux on x86-64 here to build step.c"
  exit 0
fi
mkdir -p "$1"
exec "$compiler" -std=c11 -O3 -ffp-contract=off -fno-math-errno -Wall -Wextra -Werror -shared -fPIC -o "$1/libbasinstep.so" "$(dirname "$0")/step.c"
