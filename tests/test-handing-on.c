/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An executor of somebody else's that hands each call on to one of the library, with a cancellable
 * of its own. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/generators.h"
#include "tests/hostile-children.h"
#include "tests/remotes.h"

#define TEST_TYPE_HAND (test_hand_get_type ())
G_DECLARE_FINAL_TYPE (TestHand, test_hand, TEST, HAND, ProcfunExecutor)

struct _TestHand
{
  ProcfunExecutor parent_instance;
  ProcfunExecutor *inner;
  GCancellable *cancellable;
};

G_DEFINE_FINAL_TYPE (TestHand, test_hand, PROCFUN_TYPE_EXECUTOR)

#define INNER(self) TEST_HAND (self)->inner
#define INNER_CLASS(self) PROCFUN_EXECUTOR_GET_CLASS (INNER (self))

static GVariant *
test_hand_run (ProcfunExecutor *self, ProcfunCall *call, GCancellable *cancellable, GError **error)
{
  return INNER_CLASS (self)->run (INNER (self), call, TEST_HAND (self)->cancellable, error);
}

static GVariant *
test_hand_next (ProcfunExecutor *self, ProcfunCall *call, GCancellable *cancellable, GError **error)
{
  return INNER_CLASS (self)->next (INNER (self), call, TEST_HAND (self)->cancellable, error);
}

/* The task has the function that ends it. */
static void
pass_on (GObject *inner, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GVariant *(*finish) (ProcfunExecutor *, GAsyncResult *, GError **) = g_task_get_task_data (task);
  GError *error = NULL;
  GVariant *value = finish (PROCFUN_EXECUTOR (inner), result, &error);

  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, value, (GDestroyNotify)g_variant_unref);
}

static void
test_hand_run_async (ProcfunExecutor *self, ProcfunCall *call, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_task_data (task, INNER_CLASS (self)->run_finish, NULL);
  INNER_CLASS (self)->run_async (INNER (self), call, TEST_HAND (self)->cancellable, pass_on, task);
}

static void
test_hand_next_async (ProcfunExecutor *self, ProcfunCall *call, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_task_data (task, INNER_CLASS (self)->next_finish, NULL);
  INNER_CLASS (self)->next_async (INNER (self), call, TEST_HAND (self)->cancellable, pass_on, task);
}

static GVariant *
test_hand_finish (ProcfunExecutor *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static gboolean
test_hand_close (ProcfunExecutor *self, GCancellable *cancellable, GError **error)
{
  return procfun_executor_close (INNER (self), NULL, error);
}

static void
test_hand_finalize (GObject *object)
{
  g_clear_object (&INNER (object));
  g_clear_object (&TEST_HAND (object)->cancellable);
  G_OBJECT_CLASS (test_hand_parent_class)->finalize (object);
}

static void
test_hand_class_init (TestHandClass *klass)
{
  ProcfunExecutorClass *executor_class = PROCFUN_EXECUTOR_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = test_hand_finalize;
  executor_class->run = test_hand_run;
  executor_class->run_async = test_hand_run_async;
  executor_class->run_finish = test_hand_finish;
  executor_class->next = test_hand_next;
  executor_class->next_async = test_hand_next_async;
  executor_class->next_finish = test_hand_finish;
  executor_class->close = test_hand_close;
}

static void
test_hand_init (TestHand *self)
{
  self->cancellable = g_cancellable_new ();
}

/* Inner ones */

static ProcfunExecutor *
make_spawner (void)
{
  return PROCFUN_EXECUTOR (procfun_spawner_new ());
}

static ProcfunExecutor *
make_fork_server (void)
{
  return PROCFUN_EXECUTOR (procfun_fork_server_new ());
}

static ProcfunExecutor *
make_pool (void)
{
  return PROCFUN_EXECUTOR (procfun_pool_new (1));
}

static ProcfunExecutor *
make_inline (void)
{
  return PROCFUN_EXECUTOR (procfun_inline_new ());
}

static ProcfunExecutor *
make_hosts (void)
{
  return PROCFUN_EXECUTOR (remotes_new ("local*2"));
}

static const struct
{
  const char *name;
  ProcfunExecutor *(*make) (void);
  gboolean has_processes;
  gboolean takes_descriptors;
} inners[] = { { "spawner", make_spawner, TRUE, TRUE },
               { "fork-server", make_fork_server, TRUE, TRUE },
               { "pool", make_pool, TRUE, TRUE },
               { "inline", make_inline, FALSE, FALSE },
               { "hosts", make_hosts, TRUE, FALSE } };

static TestHand *
new_hand (gconstpointer data)
{
  TestHand *self = g_object_new (TEST_TYPE_HAND, NULL);

  self->inner = inners[GPOINTER_TO_SIZE (data) / 2].make ();
  return self;
}

static gboolean
is_async (gconstpointer data)
{
  return GPOINTER_TO_SIZE (data) % 2 != 0;
}

static void
close_hand (TestHand *self)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (self), NULL, &error));
  g_assert_no_error (error);
  g_object_unref (self);
}

static void
test_calls (gconstpointer data)
{
  TestHand *hand = new_hand (data);

  calls_assert_result (PROCFUN_EXECUTOR (hand), add_call (1, 2), is_async (data), "3");
  calls_assert_error (PROCFUN_EXECUTOR (hand), fail_call ("test", 4, "no luck"), is_async (data),
                      g_quark_from_static_string ("test"), 4, "*no luck*");
  close_hand (hand);
}

static void
test_cancelled_before (gconstpointer data)
{
  TestHand *hand = new_hand (data);

  g_cancellable_cancel (hand->cancellable);
  calls_assert_error (PROCFUN_EXECUTOR (hand), add_call (1, 2), is_async (data), G_IO_ERROR,
                      G_IO_ERROR_CANCELLED, "*");
  close_hand (hand);
}

typedef struct
{
  Signal signal;
  GCancellable *cancellable;
} Canceller;

static gpointer
cancel_when_running (gpointer data)
{
  Canceller *self = data;

  signal_wait (&self->signal);
  g_cancellable_cancel (self->cancellable);
  return NULL;
}

static void
test_cancelled (gconstpointer data)
{
  TestHand *hand = new_hand (data);
  Canceller canceller = { .cancellable = hand->cancellable };
  GThread *thread;

  signal_open (&canceller.signal);
  thread = g_thread_new ("canceller", cancel_when_running, &canceller);
  calls_assert_error (PROCFUN_EXECUTOR (hand), do_spin_call (canceller.signal.ends[1]),
                      is_async (data), G_IO_ERROR, G_IO_ERROR_CANCELLED, "*");
  g_thread_join (thread);
  signal_close (&canceller.signal);
  close_hand (hand);
}

/* Generators */

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static GVariant *
next (ProcfunCall *call, gboolean async, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  if (!async)
    return procfun_call_next (call, NULL, error);
  procfun_call_next_async (call, NULL, keep_result, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return procfun_call_next_finish (call, result, error);
}

static gint
sum_of (ProcfunCall *call, TestHand *hand, gboolean async, GError **error)
{
  GVariant *item;
  gint sum = 0;

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hand));
  while ((item = next (call, async, error)) != NULL)
    {
      sum += g_variant_get_int32 (item);
      g_variant_unref (item);
    }
  return sum;
}

static void
test_items (gconstpointer data)
{
  TestHand *hand = new_hand (data);
  g_autoptr (ProcfunCall) all = numbers_call (5);
  g_autoptr (ProcfunCall) few = misfortunes_call ("error", 3);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (sum_of (all, hand, is_async (data), &error), ==, 10);
  g_assert_no_error (error);
  g_assert_cmpint (sum_of (few, hand, is_async (data), &error), ==, 3);
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
  close_hand (hand);
}

/* As its own class says it. */
static void
test_no_items (gconstpointer data)
{
  TestHand *hand = new_hand (data);
  g_autoptr (ProcfunCall) call = numbers_call (5);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (sum_of (call, hand, is_async (data), &error), ==, 0);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID);
  close_hand (hand);
}

static void
add_both (gsize i, const char *name, GTestDataFunc func)
{
  static const char *const ways[] = { "blocking", "async" };

  for (gsize async = 0; async < G_N_ELEMENTS (ways); async++)
    {
      g_autofree char *path
          = g_strdup_printf ("/handing-on/%s/%s/%s", inners[i].name, ways[async], name);

      fixture_add_data_func (path, GSIZE_TO_POINTER (2 * i + async), func);
    }
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  for (gsize i = 0; i < G_N_ELEMENTS (inners); i++)
    {
      add_both (i, "answers-come-back", test_calls);
      if (inners[i].takes_descriptors)
        add_both (i, "cancelled-while-it-runs", test_cancelled);
      if (inners[i].has_processes)
        {
          add_both (i, "cancelled-before-it-begins", test_cancelled_before);
          add_both (i, "items-come-one-by-one", test_items);
        }
      else
        add_both (i, "it-has-no-items", test_no_items);
    }
  return fixture_run ();
}
