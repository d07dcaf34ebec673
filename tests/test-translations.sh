# SPDX-License-Identifier: LGPL-2.1-or-later
# Every message can be translated, is translated, and is shown to those who want it.

. "$TOP_SRCDIR/tests/tap.sh"
cd "$TOP_SRCDIR" || exit 1
LC_ALL=C
export LC_ALL
domain=$(sed -n 's/^DOMAIN = //p' po/Makevars)

find engines procfun tools examples -name '*.c' -o -name '*.h' | sort >"$tmp/sources"
# shellcheck disable=SC2046
grep -lE '(^|[^A-Za-z0-9_])N?_ \(' $(cat "$tmp/sources") | sort >"$tmp/files-with-messages"
grep -v '^#' po/POTFILES.in >"$tmp/in-order"
sort "$tmp/in-order" >"$tmp/POTFILES.in"

sorted () { sort -c "$tmp/in-order"; }

# The messages as "make -C po procfun.pot-update" finds them.
extracts ()
{
  options=$(sed -n '/^XGETTEXT_OPTIONS/,/[^\\]$/p' po/Makevars | tr -d '\\\n' | sed 's/^XGETTEXT_OPTIONS *=//')
  # shellcheck disable=SC2086
  xgettext $options --files-from=po/POTFILES.in -o "$tmp/procfun.pot"
}

# xgettext ends a message at a macro that it does not know, such as G_GSIZE_FORMAT.
none_is_cut () { ! grep -E '^(msgid )?".*%"$' "$tmp/procfun.pot"; }

# It prints the messages for which that is not so.
complete ()
{
  msgmerge --quiet --no-fuzzy-matching --no-location "po/$1.po" "$tmp/procfun.pot" -o "$tmp/$1.po" &&
    msgattrib --untranslated "$tmp/$1.po" >"$tmp/not-complete" &&
    msgattrib --only-fuzzy "po/$1.po" >>"$tmp/not-complete" &&
    cat "$tmp/not-complete" &&
    msgfmt --check --output-file=/dev/null "po/$1.po" &&
    test ! -s "$tmp/not-complete"
}

# make_locale LOCALE: LANGUAGE counts only in a locale other than C, which few machines for building have.
make_locale ()
{
  mkdir -p "$tmp/locales" &&
    localedef --inputfile="$1" --charmap=UTF-8 "$tmp/locales/$1.UTF-8" >"$tmp/localedef" 2>&1
}

cat >"$tmp/program.c" <<END
#include <libintl.h>
#include <locale.h>
#include <procfun.h>
#include <stdio.h>

static char *
fail (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE_INT32);
  g_autoptr (GBytes) text = g_bytes_new_static ("[]", 2);

  procfun_codec_decode (procfun_codec_get_json (), schema, text, &error);
  return g_strdup (error->message);
}

/* The library says where its translations are installed, and does so once. */
static void
set_translations (const char *folder)
{
  g_free (fail ());
  bindtextdomain ("$domain", folder);
}

/* What is wrong with this result is worded in the child, where nobody calls setlocale(). */
PROCFUN_DEFINE_STATIC_FUNCTION (get_null, char *, (const char *, translations))
{
  set_translations (translations);
  return NULL;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *message = NULL;

  setlocale (LC_ALL, "");
  set_translations (argv[1]);
  message = fail ();
  g_assert_null (get_null_process (argv[1], &error));
  printf ("%s\n%s\n", message, error->message);
  return 0;
}
END

# The tool looks for translations where they are installed.
cat >"$tmp/preload.c" <<END
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

char *
bindtextdomain (const char *domain, const char *folder)
{
  char *(*next) (const char *, const char *) = (char *(*) (const char *, const char *))dlsym (RTLD_NEXT, "bindtextdomain");

  return next (domain, getenv ("TRANSLATIONS"));
}
END

install_translation ()
{
  mkdir -p "$tmp/translations/$1/LC_MESSAGES" &&
    msgfmt -o "$tmp/translations/$1/LC_MESSAGES/$domain.mo" "po/$1.po"
}

# speaks LANGUAGE LOCALE TEXT…: the library, also in the process of a call
speaks ()
{
  install_translation "$1" &&
    $CC $CFLAGS $LDFLAGS "$tmp/program.c" -o "$tmp/program" $PROCFUN_CFLAGS $PROCFUN_LIBS &&
    LOCPATH="$tmp/locales" LC_ALL=$2.UTF-8 LANGUAGE=$1 "$tmp/program" "$tmp/translations" >"$tmp/messages" &&
    cat "$tmp/messages" || return 1
  shift 2
  for text in "$@"
  do
    grep -F -e "$text" "$tmp/messages" || return 1
  done
}

# tool_speaks LANGUAGE LOCALE USAGE ERROR: the tool, in its help and in an error
tool_speaks ()
{
  install_translation "$1" && $CC -shared -fPIC "$tmp/preload.c" -o "$tmp/preload.so" || return 1
  for command in --help "list $tmp/program.c"
  do
    # shellcheck disable=SC2086
    LD_PRELOAD="$tmp/preload.so" TRANSLATIONS="$tmp/translations" LOCPATH="$tmp/locales" LC_ALL=$2.UTF-8 LANGUAGE=$1 \
      "$TOP_BUILDDIR/tools/procfun" $command
  done >"$tmp/messages" 2>&1
  cat "$tmp/messages"
  grep -F -e "$3" "$tmp/messages" && grep -F -e "$4" "$tmp/messages"
}

check "po/POTFILES.in is sorted" sorted
check "po/POTFILES.in has every file with messages" same "$tmp/files-with-messages" "$tmp/POTFILES.in"
if xgettext --version >"$tmp/version" 2>&1
then
  check "the messages can be extracted" extracts
  check "no message is cut" none_is_cut
  for language in $(grep -v '^#' po/LINGUAS)
  do
    check "$language is complete" complete "$language"
  done
else
  skip "translations are complete" "no gettext"
fi
check "the translations are those of this ABI" test "$domain" = "procfun-$PROCFUN_ABI"
# messages_appear LANGUAGE LOCALE NAME USAGE ERROR TEXT…
messages_appear ()
{
  language=$1 locale=$2 name=$3 usage=$4 error=$5
  shift 5
  if ! make_locale "$locale"
  then
    skip "messages appear in $name" "no localedef with $locale"
    skip "the tool speaks $name" "no localedef with $locale"
    return
  fi
  check "messages appear in $name" speaks "$language" "$locale" "$@"
  if test "$SANITIZERS" = no
  then
    check "the tool speaks $name" tool_speaks "$language" "$locale" "$usage" "$error"
  else
    skip "the tool speaks $name" "a sanitizer must be the first library"
  fi
}

messages_appear de de_DE German "Aufruf: procfun" "das ist weder ein Programm noch eine Bibliothek" \
  "erwartet: ein int32, gefunden: ein Array" "das Ergebnis von get_null() kann nicht gesendet werden: ist NULL"
messages_appear zh_CN zh_CN Chinese "用法：procfun 命令" "这不是程序或共享库" \
  "应为int32，却是数组" "无法发送 get_null() 的结果：是 NULL"
done_testing
