# SPDX-License-Identifier: LGPL-2.1-or-later
# The exports of the shared library are those written down, in debian/ and in the reference, and carries the version
# of the ABI.

. "$TOP_SRCDIR/tests/tap.sh"
LC_ALL=C
export LC_ALL

library=$TOP_BUILDDIR/procfun/.libs/libprocfun.so
soname=$(basename "$(readlink -f "$library")" | sed -E 's/(\.so\.[0-9]+).*/\1/')
package=$(echo "$soname" | sed 's/\.so\.//')
version=PROCFUN_$PROCFUN_ABI

# Coverage and sanitizers export things of their own.
"$NM" -D --defined-only "$library" | awk '{ print $3 }' | sed 's/@.*//' |
  grep -vE '^(__|_init$|_fini$|_edata$|_end$|mangle_path$|'"$version"'$)' | sort >"$tmp/exported"

sed -nE 's/^ ([a-z0-9_]+)@'"$version"' .*/\1/p' "$TOP_SRCDIR/debian/$package.symbols" | sort >"$tmp/symbols-file"

# In the reference, macros and inline functions are in small letters, too.
cat "$TOP_SRCDIR"/procfun/*.h "$TOP_BUILDDIR"/procfun/*.h |
  sed -nE 's/^#define (procfun_[a-z0-9_]+).*/\1/p; /^static inline/,/\(/s/.*(procfun_[a-z0-9_]+) \(.*/\1/p' |
  sort -u >"$tmp/not-functions"
grep -xE 'procfun_[a-z0-9_]+' "$TOP_SRCDIR/docs/procfun-sections.txt" | sort |
  comm -23 - "$tmp/not-functions" >"$tmp/documented"

all_prefixed () { ! grep -vE '^procfun_' "$tmp/exported"; }
not_empty () { test -s "$tmp/exported"; }
named_by_soname () { head -n 1 "$TOP_SRCDIR/debian/$package.symbols" | grep "^$soname $package "; }
one_version () { ! "$NM" -D --defined-only "$library" | grep ' procfun_' | grep -v "@@$version\$"; }
all_alike () { ! grep '^ ' "$TOP_SRCDIR/debian/$package.symbols" | grep -v "@$version "; }
sorted () { sort -c "$tmp/in-order"; }

sed -nE 's/^ ([a-z0-9_]+)@'"$version"' .*/\1/p' "$TOP_SRCDIR/debian/$package.symbols" >"$tmp/in-order"

check "the library exports something" not_empty
check "each symbol begins with procfun_" all_prefixed
check "the ABI is the soname's" test "$soname" = "libprocfun.so.$PROCFUN_ABI"
check "each symbol has the version $version" one_version
check "the symbols file has no other version" all_alike
check "the symbols file is named by the soname" named_by_soname
check "the symbols file is sorted" sorted
check "exported = debian/$package.symbols" same "$tmp/exported" "$tmp/symbols-file"
check "exported = docs/procfun-sections.txt" same "$tmp/exported" "$tmp/documented"
done_testing
