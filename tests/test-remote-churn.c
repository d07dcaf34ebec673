/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Many calls while hosts are killed at random, and hosts that speak another protocol. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/map-functions.h"
#include "tests/maps.h"
#include "tests/remotes.h"

#include "procfun/remote/link.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define N_CALLS 600
#define IN_FLIGHT 16
#define CALLS_PER_KILL 70

PROCFUN_DEFINE_IDEMPOTENT_FUNCTION (twice, gint, (gint, n)) { return 2 * n; }

static void
kill_one (void)
{
  g_autoptr (GArray) pids = remotes_find_children ();

  if (pids->len > 0)
    kill (g_array_index (pids, pid_t, g_test_rand_int_range (0, (gint)pids->len)), SIGKILL);
}

typedef struct
{
  guint n_begun;
  guint n_ended;
  guint n_failed;
  guint answers[N_CALLS];
  gboolean failed[N_CALLS];
} Churn;

typedef struct
{
  Churn *churn;
  gint n;
  gint expected;
} Answer;

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Answer *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value = procfun_call_run_finish (PROCFUN_CALL (source), result, &error);

  self->churn->n_ended++;
  self->churn->answers[self->n]++;
  self->churn->failed[self->n] = value == NULL;
  if (value != NULL)
    g_assert_cmpint (g_variant_get_int32 (value), ==, self->expected);
  else
    {
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST);
      self->churn->n_failed++;
    }
}

/* @make: a call whose result is @factor times the number. */
static void
run_churn (Churn *self, ProcfunRemotePool *hosts, ProcfunCall *(*make) (gint n, const char *path),
           const char *path, gint factor)
{
  guint kill_at = CALLS_PER_KILL;

  while (self->n_ended < N_CALLS)
    {
      for (; self->n_begun < N_CALLS && self->n_begun - self->n_ended < IN_FLIGHT; self->n_begun++)
        {
          const gint n = (gint)self->n_begun;
          g_autoptr (ProcfunCall) call = make (n, path);
          Answer *answer = g_new (Answer, 1);

          *answer = (Answer){ self, n, factor * n };
          procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
          procfun_call_run_async (call, NULL, on_answer, answer);
        }
      g_main_context_iteration (NULL, TRUE);
      if (self->n_ended < kill_at)
        continue;
      kill_at += CALLS_PER_KILL;
      kill_one ();
    }
  for (guint i = 0; i < N_CALLS; i++)
    g_assert_cmpuint (self->answers[i], ==, 1);
}

static ProcfunCall *
make_once (gint n, const char *path)
{
  return ten_times_call (n, "", path);
}

static ProcfunCall *
make_again (gint n, const char *path)
{
  return twice_call (n);
}

static void
test_at_most_once (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*2, local*2");
  g_autofree char *path = maps_make_path ();
  g_autofree Churn *churn = g_new0 (Churn, 1);
  g_autofree guint *runs = NULL;

  procfun_remote_pool_set_retry_on (hosts, PROCFUN_RETRY_LOST);
  run_churn (churn, hosts, make_once, path, 10);
  remotes_close (hosts);
  runs = maps_count_calls (path, N_CALLS);
  for (guint i = 0; i < N_CALLS; i++)
    {
      g_assert_cmpuint (runs[i], <=, 1);
      g_assert_true (churn->failed[i] || runs[i] == 1);
    }
  g_test_message ("%u calls were lost", churn->n_failed);
}

static void
test_at_least_once (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*2, local*2");
  g_autofree Churn *churn = g_new0 (Churn, 1);

  procfun_remote_pool_set_retry_on (hosts, PROCFUN_RETRY_LOST);
  procfun_remote_pool_set_max_retries (hosts, 100);
  run_churn (churn, hosts, make_again, NULL, 2);
  g_assert_cmpuint (churn->n_failed, ==, 0);
  remotes_close (hosts);
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
  fixture_init (&argc, &argv);

  fixture_add_func ("/remote-churn/calls-are-answered-once-and-run-at-most-once",
                    test_at_most_once);
  fixture_add_func ("/remote-churn/idempotent-calls-succeed-all-the-same", test_at_least_once);
  fixture_add_func ("/remote-churn/other-byte-order-is-refused", test_other_byte_order);
  fixture_add_func ("/remote-churn/other-protocol-is-refused", test_other_protocol);

  return fixture_run ();
}
