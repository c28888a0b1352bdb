#!/bin/sh
# Packs the hardware check: pack.sh TARGET JAVA_HOME DATA makes TARGET/basin-check.tar.xz of TARGET/basin.jar, TARGET/test-classes,
# TARGET/check/junit-console.jar and the first images of Fashion-MNIST in the folder DATA. Nothing in it is compressed but by xz,
# which does it better.
set -eu
target=$1 java=$2 data=$3
limit=52000000
bench=$(cd "$(dirname "$0")" && pwd)
for tool in xz unzip zip ldd; do
  command -v "$tool" >/dev/null || { echo "the hardware check cannot be packed: $tool is not here" >&2; exit 1; }
done
[ -f "$data/train-images-idx3-ubyte.gz" ] || {
  echo "the hardware check cannot be packed: no Fashion-MNIST in $data; install dataset-fashion-mnist, or name a folder by -Dcheck.data" >&2
  exit 1
}
work=$target/check/work
out=$target/check/basin-check
rm -rf "$work" "$out"
mkdir -p "$work/basin" "$work/junit" "$out/lib" "$out/data/fashion-mnist"

# stored FOLDER JAR: a jar without compression
stored() { (cd "$1" && zip -q -0 -X -r - .) >"$2"; }
unzip -q "$target/basin.jar" -d "$work/basin"
(
  cd "$work/basin"
  find com/sun/jna -mindepth 1 -maxdepth 1 -type d -name '*-*' ! -name linux-x86-64 -exec rm -r {} +
  find org/jline/nativ -mindepth 1 -maxdepth 1 ! -name Linux -exec rm -r {} +
  find org/jline/nativ/Linux -mindepth 1 -maxdepth 1 ! -name x86_64 -exec rm -r {} +
  rm -rf org/bytedeco/*/linux-x86_64/include
)
stored "$work/basin" "$out/lib/basin.jar"
unzip -q "$target/check/junit-console.jar" -d "$work/junit"
stored "$work/junit" "$out/lib/junit-console.jar"
stored "$target/test-classes" "$out/lib/tests.jar"

"$java/bin/jlink" --strip-debug --no-header-files --no-man-pages --output "$out/jre" --add-modules \
  java.base,java.desktop,java.management,java.net.http,java.sql,java.logging,java.xml,java.naming,java.compiler,jdk.management,jdk.unsupported,jdk.zipfs
# Java's own need that a bare machine may lack.
libz=$(ldd "$out/jre/lib/libzip.so" | awk '$1 == "libz.so.1" { print $3 }')
[ -z "$libz" ] || cp -L "$libz" "$out/jre/lib/libz.so.1"

# part SET IMAGES_OR_LABELS NUMBER DIMENSIONS SAMPLE_BYTES: the first NUMBER samples; the header has 4 bytes a dimension
part() {
  name=$1-$2-idx$4-ubyte.gz
  number=$(printf '\\%03o\\%03o\\%03o\\%03o' 0 0 $(($3 / 256)) $(($3 % 256)))
  { printf "\\000\\000\\010\\00$4$number"
    gzip -dc "$data/$name" | tail -c +9 | head -c $((4 * ($4 - 1) + $3 * $5)) || true; } | gzip -1 -n >"$out/data/fashion-mnist/$name"
}
part train images 10000 3 784
part train labels 10000 1 1
part t10k images 5000 3 784
part t10k labels 5000 1 1
cp "$bench/check.sh" "$bench/pytorch.py" "$bench/../../LICENSE" "$out"
chmod +x "$out/check.sh"
find "$out" -exec touch -h -d @1767225600 {} +
tar -C "$target/check" --sort=name --owner=0 --group=0 --numeric-owner -cf - basin-check | xz -9 >"$target/basin-check.tar.xz"
rm -rf "$work"
size=$(wc -c <"$target/basin-check.tar.xz")
echo "$target/basin-check.tar.xz: $size bytes"
[ "$size" -le "$limit" ] || { echo "that is more than $limit" >&2; exit 1; }
