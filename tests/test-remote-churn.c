/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Many calls while hosts, their links and another caller are killed and frozen at random, and hosts
 * that speak another protocol. */

#include "tests/calls.h"
#include "tests/churn.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/remotes.h"

#include "procfun/remote/link.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define N_CALLS 600

/* Two hosts, each behind a link of two processes, as ssh and its server are. */
#define LINKED "exec:sh -c 'cat | \"$@\" | cat' sh {}*2"
#define HOSTS LINKED ", " LINKED

typedef struct
{
  ChurnCaller other;
  ChurnFrozen frozen;
  guint n;
} Strikes;

/* Adds the children of all that are there, but not those of hosts, whose own affair they are. */
static void
add_children (GArray *pids)
{
  const guint n = pids->len;

  for (guint i = 0; i < n; i++)
    {
      const pid_t pid = g_array_index (pids, pid_t, i);
      g_autofree char *path = g_strdup_printf ("/proc/%d/task/%d/children", pid, pid);
      g_autofree char *children = NULL;

      if (!g_file_get_contents (path, &children, NULL, NULL))
        continue;
      for (char *at = children; *at != '\0'; at += strspn (at, " \n"))
        {
          const pid_t child = (pid_t)strtol (at, &at, 10);

          g_array_append_val (pids, child);
        }
    }
}

/* Strikes a shell that has started a host, the host, or a half of its link. Each third time the
 * other caller is killed. */
static void
strike (gpointer user_data)
{
  Strikes *self = user_data;
  g_autoptr (GArray) pids = remotes_find_children ();
  guint i;

  if (++self->n % 3 == 0)
    {
      churn_caller_renew (&self->other);
      return;
    }
  for (i = 0; i < pids->len && g_array_index (pids, pid_t, i) != self->other.pid; i++)
    ;
  if (i < pids->len)
    g_array_remove_index (pids, i);
  add_children (pids);
  if (pids->len == 0)
    return;
  i = (guint)g_test_rand_int_range (0, (gint)pids->len);
  if (g_test_rand_bit ())
    kill (g_array_index (pids, pid_t, i), SIGKILL);
  else
    churn_freeze (&self->frozen, g_array_index (pids, pid_t, i));
}

static void
end (gpointer user_data)
{
  Strikes *self = user_data;

  churn_thaw (&self->frozen);
  churn_caller_end (&self->other);
}

static void
run (void (*churn) (ProcfunRemotePool *hosts, guint n, const ChurnEvents *events))
{
  Strikes strikes = { 0 };
  const ChurnEvents events = { strike, end, &strikes };

  churn_caller_init (&strikes.other, HOSTS);
  churn_caller_renew (&strikes.other);
  churn (remotes_new (HOSTS), N_CALLS, &events);
}

static void
test_at_most_once (void)
{
  run (churn_run_once);
}

static void
test_at_least_once (void)
{
  run (churn_run_again);
}

/* Hosts of another kind, which this program plays */

#define PLAY "--play="

static void
ignore_message (Link *link, const LinkMessage *message, gpointer user_data)
{
}

static void
ignore_end (Link *link, const GError *error, gpointer user_data)
{
}

/* “1:big”: protocol and byte order. */
static int
play (const char *words)
{
  const char *order = strchr (words, ':') + 1;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (Link) link = link_new (0, 1, 1024, context, ignore_message, ignore_end, NULL);
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GVariant) hello = NULL;

  g_variant_dict_insert (&dict, "protocol", "u", (guint)atoi (words));
  g_variant_dict_insert (&dict, "byte-order", "s", order);
  hello = g_variant_ref_sink (g_variant_dict_end (&dict));
  link_send (link, LINK_HELLO, 0, g_variant_get_data (hello), g_variant_get_size (hello), NULL);
  link_flush (link, 10000);
  for (;;)
    g_usleep (G_USEC_PER_SEC);
  return 0;
}

static void
assert_refused (const char *words, const char *pattern)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *list = g_strdup_printf ("exec:sh -c \"exec %s " PLAY "%s\" {}", self, words);
  ProcfunRemotePool *hosts = remotes_new (list);

  calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_MISMATCH, pattern);
  remotes_close (hosts);
}

static void
test_other_byte_order (void)
{
  assert_refused (G_BYTE_ORDER == G_BIG_ENDIAN ? "1:little" : "1:big", "add()*another byte order*");
}

static void
test_other_protocol (void)
{
  const char *order = G_BYTE_ORDER == G_BIG_ENDIAN ? "big" : "little";
  g_autofree char *words = g_strdup_printf ("77:%s", order);

  assert_refused (words, "add()*version 77 of the protocol*");
}

int
main (int argc, char **argv)
{
  if (argc > 1 && g_str_has_prefix (argv[1], PLAY))
    return play (argv[1] + strlen (PLAY));
  churn_be_caller (argc, argv);
  fixture_init (&argc, &argv);

  fixture_add_func ("/remote-churn/calls-are-answered-once-and-run-at-most-once",
                    test_at_most_once);
  fixture_add_func ("/remote-churn/idempotent-calls-succeed-all-the-same", test_at_least_once);
  fixture_add_func ("/remote-churn/other-byte-order-is-refused", test_other_byte_order);
  fixture_add_func ("/remote-churn/other-protocol-is-refused", test_other_protocol);

  return fixture_run ();
}
