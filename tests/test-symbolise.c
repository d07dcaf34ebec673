/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Budget of the search for symbols. Places of crashes are in test-crash.c. */

#include "procfun/platform/stack.h"
#include "procfun/process/symbolise.h"
#include "tests/fixture.h"

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
  g_autofree char *path = g_file_read_link ("/proc/self/exe", NULL);
  CrashModule record = { .is_executable = TRUE };
  StackModule module;

  g_assert_true (stack_find_module ((guintptr)compute, &module));
  record.bias = module.bias;
  record.start = module.start;
  record.end = module.end;
  symboliser_add_module (self, &record, path);
  return self;
}

/* Compilers may have put other functions into it. */
static const Place *
find (Symboliser *self, guint offset)
{
  GPtrArray *places = symboliser_find (self, (guint64)(guintptr)compute + offset);

  g_assert_cmpuint (places->len, >, 0);
  return places->pdata[places->len - 1];
}

static void
test_unlimited (void)
{
  g_autoptr (Symboliser) self = new_symboliser (UNLIMITED);

  for (guint i = 0; i < MANY; i++)
    g_assert_cmpstr (find (self, i)->function, ==, "compute");
}

/* As where all time has gone by before anything was looked up. */
static void
test_none (void)
{
  g_autoptr (Symboliser) self = new_symboliser (0);

  for (guint i = 0; i < MANY; i++)
    {
      const Place *place = find (self, i);

      g_assert_cmpstr (place->function, ==, i < FEW ? "compute" : NULL);
      if (i < FEW)
        g_assert_cmpstr (place->text, ==, "compute");
      else
        g_assert_true (g_str_has_prefix (place->text, "test-symbolise+0x")
                       || g_str_has_prefix (place->text, "lt-test-symbolise+0x"));
    }
  g_assert_cmpstr (find (self, 0)->function, ==, "compute"); /* what is known stays known */
}

static void
test_elsewhere (void)
{
  g_autoptr (Symboliser) self = new_symboliser (UNLIMITED);
  const GPtrArray *places = symboliser_find (self, 0x10);
  const Place *place = places->pdata[0];

  g_assert_cmpuint (places->len, ==, 1);
  g_assert_null (place->function);
  g_assert_cmpstr (place->text, ==, "0x10");
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  g_test_message ("%u", compute (1));

  fixture_add_func ("/symbolise/unlimited", test_unlimited);
  fixture_add_func ("/symbolise/none", test_none);
  fixture_add_func ("/symbolise/elsewhere", test_elsewhere);
  return fixture_run ();
}
