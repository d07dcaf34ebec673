#!/bin/bash -eu
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds the fuzzers as OSS-Fuzz wants them: CC, CXX, CFLAGS, CXXFLAGS and LIB_FUZZING_ENGINE say how, and OUT says
# where each program goes, with the libraries that it needs and its seeds. WORK is where it is built.

top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
test -x configure || autoreconf -fi
mkdir -p "$WORK/procfun" "$OUT/lib"
cd "$WORK/procfun"
"$top/configure" --disable-introspection --disable-vala --disable-sysprof
make -j"$(nproc)" tests/fuzzer CCLD="$CXX" LIB_FUZZING_ENGINE="$LIB_FUZZING_ENGINE"

# The image in which the fuzzers run has the C library and no others.
ldd tests/fuzzer | sed -n 's|.* => \(/[^ ]*\) .*|\1|p' |
  grep -Ev '/(libc|libm|libdl|libpthread|librt|libresolv|ld-linux[^/]*)\.so' |
  xargs -r cp -L -t "$OUT/lib"
patchelf --set-rpath '$ORIGIN/lib' tests/fuzzer
for folder in "$top"/tests/fuzz/*/
do
  target=$(basename "$folder")
  cp tests/fuzzer "$OUT/fuzz-$target"
  rm -f "$OUT/fuzz-${target}_seed_corpus.zip"
  zip -q -j "$OUT/fuzz-${target}_seed_corpus.zip" "$folder"*
done
