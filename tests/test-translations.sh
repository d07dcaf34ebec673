# SPDX-License-Identifier: LGPL-2.1-or-later
# Every message can be translated, and is.

. "$TOP_SRCDIR/tests/tap.sh"
cd "$TOP_SRCDIR" || exit 1
LC_ALL=C
export LC_ALL

find procfun tools examples -name '*.c' -o -name '*.h' | sort >"$tmp/sources"
# shellcheck disable=SC2046
grep -lE '(^|[^A-Za-z0-9_])N?_ \(' $(cat "$tmp/sources") | sort >"$tmp/files-with-messages"
grep -v '^#' po/POTFILES.in >"$tmp/in-order"
sort "$tmp/in-order" >"$tmp/POTFILES.in"

sorted () { sort -c "$tmp/in-order"; }

check "po/POTFILES.in is sorted" sorted
check "po/POTFILES.in has every file with messages" same "$tmp/files-with-messages" "$tmp/POTFILES.in"
done_testing
