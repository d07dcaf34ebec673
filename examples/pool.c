/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A search in an index that takes long to load: each worker of a pool loads it once. A crash costs
 * one call, and the next one a new worker. */

#include <procfun.h>
#include <stdio.h>
#include <stdlib.h>

static GHashTable *words; /* (element-type utf8 int): of a worker */

PROCFUN_DEFINE_FUNCTION (load_index, void, (GStrv, text))
{
  words = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (; *text != NULL; text++)
    {
      gpointer n = g_hash_table_lookup (words, *text);

      g_hash_table_insert (words, g_strdup (*text), GINT_TO_POINTER (GPOINTER_TO_INT (n) + 1));
    }
}

PROCFUN_DEFINE_FUNCTION (get_index_size, int) { return (int)g_hash_table_size (words); }

PROCFUN_DEFINE_IDEMPOTENT_FUNCTION (count_word, int, (const char *, word))
{
  if (*word == '\0')
    abort ();
  return GPOINTER_TO_INT (g_hash_table_lookup (words, word));
}

/* In a session, where several calls are for the same worker. */
static void
print_size (ProcfunPool *pool)
{
  g_autoptr (ProcfunSession) session
      = procfun_pool_acquire (pool, get_index_size_function (), NULL, NULL);
  g_autoptr (ProcfunCall) call = get_index_size_call ();

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (session));
  printf ("the index has %d words\n", get_index_size_run (call, NULL, NULL));
}

static void
print_count (ProcfunPool *pool, const char *word)
{
  g_autoptr (ProcfunCall) call = count_word_call (word);
  g_autoptr (GError) error = NULL;
  int n;

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
  n = count_word_run (call, NULL, &error);
  if (error == NULL)
    printf ("found: %d\n", n);
  else if (g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED))
    printf ("the worker crashed\n");
}

int
main (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);

  procfun_pool_set_initializer (pool, load_index_function (),
                                g_variant_new_parsed ("(['to', 'be', 'or', 'to'],)"));
  procfun_pool_set_max_retries (pool, 2);
  print_size (pool);
  print_count (pool, "to");
  print_count (pool, "question");
  print_count (pool, "");
  print_size (pool);
  print_count (pool, "be");
  procfun_pool_set_close_timeout (pool, G_TIME_SPAN_SECOND);
  return procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL) ? 0 : 1;
}
