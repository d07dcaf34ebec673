/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Budget of the search for symbols. Places of crashes are in test-crash.c. */

#include "procfun/child/symbolise.h"
#include "procfun/platform/lines.h"
#include "procfun/platform/stack.h"
#include "procfun/platform/symbols.h"
#include "tests/fixture.h"
#include <fcntl.h>
#include <string.h>

#define UNLIMITED G_MAXINT64

/* The first ones are always named. */
#define FEW 32
#define MANY 60

/* Long enough for that many addresses to lie in it. */
static __attribute__ ((noinline)) guint
compute (guint number)
{
  static const char *const words[] = { "one", "two", "three", NULL };
  guint sum = number;

  for (gsize i = 0; words[i] != NULL; i++)
    {
      g_autofree char *text = g_strdup_printf ("%s and %u", words[i], number);

      sum += g_str_hash (text);
    }
  return sum;
}

static Symboliser *
new_symboliser (gint64 budget)
{
  Symboliser *self = symboliser_new (budget);
  CrashModule record = { .is_executable = TRUE, .path = "/proc/self/exe" };
  StackModule module;

  g_assert_true (stack_find_module ((guintptr)compute, &module));
  record.bias = module.bias;
  record.start = module.start;
  record.end = module.end;
  symboliser_add_module (self, &record);
  return self;
}

static void
on_place (const char *function, const char *text, gboolean is_runtime, gpointer user_data)
{
  g_ptr_array_add (user_data, g_strdup (function));
}

/* Compilers may have put other functions into it. (nullable) */
static char *
find (Symboliser *self, guint offset)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  symboliser_find (self, (guint64)(guintptr)compute + offset, on_place, names);
  return names->len > 0 ? g_strdup (names->pdata[names->len - 1]) : NULL;
}

static void
test_unlimited (void)
{
  g_autoptr (Symboliser) self = new_symboliser (UNLIMITED);

  for (guint i = 0; i < MANY; i++)
    {
      g_autofree char *name = find (self, i);

      g_assert_cmpstr (name, ==, "compute");
    }
}

/* As where all time has gone by before anything was looked up. */
static void
test_none (void)
{
  g_autoptr (Symboliser) self = new_symboliser (0);

  for (guint i = 0; i < MANY; i++)
    {
      g_autofree char *name = find (self, i);

      g_assert_cmpstr (name, ==, i < FEW ? "compute" : NULL);
    }
}

static void
test_elsewhere (void)
{
  g_autoptr (Symboliser) self = new_symboliser (UNLIMITED);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  symboliser_find (self, 0x10, on_place, names);
  g_assert_cmpuint (names->len, ==, 0);
}

static Symbols *
open_own (guint64 *budget)
{
  return symbols_new (open ("/proc/self/exe", O_RDONLY | O_CLOEXEC), NULL, budget);
}

/* A crash report may name any number of sparse files. */
static void
test_budget_of_bytes (void)
{
  const guint64 large = G_MAXINT64;
  guint64 budget = large;
  g_autoptr (Symbols) all = open_own (&budget);
  guint64 used = large - budget;
  StackModule module;
  g_autofree char *name = NULL;

  g_assert_true (stack_find_module ((guintptr)compute, &module));
  g_assert_nonnull (all);
  name = symbols_find (all, (guintptr)compute - module.bias);
  g_assert_cmpstr (name, ==, "compute");
  g_assert_cmpuint (used, >, 0);
  budget = 2 * used - 1;
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (Symbols) symbols = open_own (&budget);
      g_autofree char *found
          = symbols != NULL ? symbols_find (symbols, (guintptr)compute - module.bias) : NULL;

      g_assert_cmpstr (found, ==, i == 0 ? "compute" : NULL);
      g_assert_cmpuint (budget, <, used);
    }
}

/* Each part repeats the one before it twice: 2 to the 30th power of them. */
static void
test_endless_name (void)
{
  static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  g_autoptr (GString) name = g_string_new ("_Z1f1AIiiE");
  g_autofree char *text = NULL;

  for (guint i = 0; i < 17; i++)
    g_string_append_printf (name, "1BIS%c_S%c_E", digits[2 * i], digits[2 * i]);
  text = symbols_demangle (name->str);
  g_assert_true (g_str_has_prefix (text, "_Z1f1AIiiE1BI"));
  g_assert_cmpuint (strlen (text), <=, 300);
}

static void
test_readable_names (void)
{
  g_autofree char *plain = symbols_demangle ("compute");
  g_autofree char *strange = symbols_demangle ("a\033[2Jb\nc\377");
  g_autofree char *cxx = symbols_demangle ("_ZN3foo3barEv");

  g_assert_cmpstr (plain, ==, "compute");
  g_assert_cmpstr (strange, ==, "a [2Jb c\357\277\275");
  g_assert_true (g_str_equal (cxx, "foo::bar()") || g_str_equal (cxx, "_ZN3foo3barEv"));
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  symbols_prepare (TRUE);
  lines_prepare ();
  g_test_message ("%u", compute (1));

  fixture_add_func ("/symbolise/everything-is-found-without-a-budget", test_unlimited);
  fixture_add_func ("/symbolise/the-innermost-frames-have-names-without-a-budget", test_none);
  fixture_add_func ("/symbolise/other-files-are-looked-up", test_elsewhere);
  fixture_add_func ("/symbolise/reads-no-more-bytes-than-its-budget", test_budget_of_bytes);
  fixture_add_func ("/symbolise/leaves-a-name-that-expands-without-end", test_endless_name);
  fixture_add_func ("/symbolise/makes-names-readable", test_readable_names);
  return fixture_run ();
}
