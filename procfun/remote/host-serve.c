/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/host-serve.h"

#include "procfun/base/intl.h"
#include "procfun/core/context.h"
#include "procfun/core/definition.h"
#include "procfun/core/function.h"
#include "procfun/platform/cpus.h"
#include "procfun/platform/leave.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-pool.h"
#include "procfun/procfun-remote-pool.h"
#include "procfun/remote/contract.h"
#include "procfun/remote/host-call.h"
#include "procfun/wire/setup.h"
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* How long a host waits for the first word of its caller. */
#define HELLO_WAIT_US (60 * G_USEC_PER_SEC)

#define HEARTBEAT_MIN 1000

/* So many functions a host names to its caller. */
#define CONTRACTS_MAX 4096

/* How long the last answers may take to leave a host that ends. */
#define FLUSH_MS 1000

typedef struct
{
  const char *path; /* (nullable) */
  guint slots;
  Link *link;
  ProcfunExecutor *pool; /* of this machine, or of hosts of its own */
  GHashTable *functions; /* (element-type guint64 ProcfunFunction): by contract */
  GHashTable *calls;     /* (element-type guint32 HostCall) */
  gboolean has_hello;
  gboolean is_draining;
  gint64 heartbeat; /* in µs; 0: none */
  GSource *timer;
} HostServer;

/* Ends this process, and with it all that it has started. */
static void G_GNUC_NORETURN
leave (int status)
{
  leave_process (status);
}

static void G_GNUC_NORETURN
leave_with_error (const GError *error)
{
  fprintf (stderr, "procfun: %s\n", error->message);
  leave (1);
}

static void
leave_if_drained (HostServer *self)
{
  if (!self->is_draining || g_hash_table_size (self->calls) > 0)
    return;
  link_flush (self->link, FLUSH_MS);
  leave (0);
}

/* Functions */

static void
add_function (HostServer *self, ProcfunFunction *function)
{
  guint64 contract;

  if (g_strcmp0 (procfun_function_get_module (function), self->path) != 0)
    return;
  contract = contract_get (function);
  g_hash_table_replace (self->functions, g_memdup2 (&contract, sizeof contract),
                        g_object_ref (function));
}

static void
list_functions (HostServer *self, ProcfunRegistry *registry)
{
  g_autoptr (GPtrArray) all = procfun_definitions_list_functions ();
  const guint n = registry != NULL ? g_list_model_get_n_items (G_LIST_MODEL (registry)) : 0;

  self->functions = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_object_unref);
  for (guint i = 0; i < all->len; i++)
    add_function (self, all->pdata[i]);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (ProcfunFunction) function = g_list_model_get_item (G_LIST_MODEL (registry), i);

      add_function (self, function);
    }
}

/* Only to say what is wrong. */
static gboolean
has_name (HostServer *self, const char *name)
{
  GHashTableIter iter;
  gpointer function;

  g_hash_table_iter_init (&iter, self->functions);
  while (g_hash_table_iter_next (&iter, NULL, &function))
    if (g_strcmp0 (procfun_function_get_name (function), name) == 0)
      return TRUE;
  return FALSE;
}

static ProcfunFunction *
find_function (HostServer *self, guint64 contract, GVariant *options, GError **error)
{
  ProcfunFunction *function = g_hash_table_lookup (self->functions, &contract);
  const char *name = "";

  if (function != NULL)
    return function;
  g_variant_lookup (options, "name", "&s", &name);
  if (has_name (self, name))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_MISMATCH,
                 _ ("the program of the host has another function %s()"), name);
  else
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND,
                 _ ("the program of the host has no function %s()"), name);
  return NULL;
}

/* Calls */

static void
on_call_ended (HostCall *call, gpointer user_data)
{
  HostServer *self = user_data;

  g_hash_table_remove (self->calls, GUINT_TO_POINTER (host_call_get_id (call)));
  host_call_free (call);
  leave_if_drained (self);
}

/* FALSE: no caller sends that. */
static gboolean
read_call (const LinkMessage *message, RemoteCallHead *head, GVariant **options)
{
  const gsize size = g_bytes_get_size (message->head);
  g_autoptr (GBytes) rest = NULL;

  if (size < sizeof *head)
    return FALSE;
  *head = *(const RemoteCallHead *)g_bytes_get_data (message->head, NULL);
  rest = g_bytes_new_from_bytes (message->head, sizeof *head, size - sizeof *head);
  *options = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, rest, FALSE));
  return g_variant_is_normal_form (*options);
}

static gboolean
take_call (HostServer *self, const LinkMessage *message)
{
  g_autoptr (GVariant) options = NULL;
  g_autoptr (GError) error = NULL;
  RemoteEndStatus status = REMOTE_END_REFUSED;
  RemoteCallHead head;
  ProcfunFunction *function;
  HostCall *call = NULL;

  if (!read_call (message, &head, &options)
      || g_hash_table_contains (self->calls, GUINT_TO_POINTER (message->id)))
    return FALSE;
  if (self->is_draining)
    g_set_error_literal (&error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED, _ ("the host ends"));
  else if ((function = find_function (self, head.contract, options, &error)) != NULL)
    {
      status = REMOTE_END_ERROR;
      call = host_call_new (message, &head, options, function, self->pool, self->link,
                            on_call_ended, self, &error);
    }
  if (call != NULL)
    g_hash_table_insert (self->calls, GUINT_TO_POINTER (message->id), call);
  else
    host_call_refuse (self->link, message->id, status, error);
  return TRUE;
}

static gboolean
take_word (HostServer *self, const LinkMessage *message)
{
  HostCall *call = g_hash_table_lookup (self->calls, GUINT_TO_POINTER (message->id));
  RemoteCancelHead cancel;
  RemoteTakeHead take;

  if (message->type == LINK_CANCEL)
    {
      if (!remote_head_read (message, &cancel, sizeof cancel))
        return FALSE;
      if (call != NULL)
        host_call_cancel (call, cancel.is_urgent != 0);
      return TRUE;
    }
  if (!remote_head_read (message, &take, sizeof take))
    return FALSE;
  if (call != NULL)
    host_call_take (call, take.bytes);
  return TRUE;
}

/* The caller */

static void
drain (HostServer *self)
{
  if (!self->is_draining)
    link_send (self->link, LINK_DRAIN, 0, NULL, 0, NULL);
  self->is_draining = TRUE;
  leave_if_drained (self);
}

/* The second time is an order. */
static gboolean
on_terminate (gpointer user_data)
{
  HostServer *self = user_data;

  if (self->is_draining)
    leave (1);
  drain (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_timer (gpointer user_data)
{
  HostServer *self = user_data;
  const gint64 silence = g_get_monotonic_time () - link_get_heard_at (self->link);

  if (!self->has_hello ? silence > HELLO_WAIT_US
                       : self->heartbeat > 0 && silence > 2 * self->heartbeat)
    leave (1);
  if (self->has_hello && self->heartbeat > 0)
    link_send (self->link, LINK_PING, 0, NULL, 0, NULL);
  return G_SOURCE_CONTINUE;
}

static void
set_timer (HostServer *self, gint64 us)
{
  if (self->timer != NULL)
    g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
  self->timer = g_timeout_source_new ((guint)CLAMP (us / 1000, 1, G_MAXINT));
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, g_main_context_get_thread_default ());
}

static void
take_hello (HostServer *self, const LinkMessage *message)
{
  g_auto (RemoteHello) hello = { 0 };
  g_autoptr (GError) error = NULL;

  if (!remote_hello_read (&hello, message, &error))
    leave_with_error (error);
  self->has_hello = TRUE;
  self->heartbeat = hello.heartbeat > 0 ? MAX (hello.heartbeat, HEARTBEAT_MIN) : 0;
  procfun_context_set_depth (CLAMP (hello.depth, 1, SETUP_MAX_DEPTH));
  if (hello.locale != NULL)
    intl_set_locale (hello.locale);
  if (hello.max_payload > 0)
    g_object_set (self->pool, "max-payload", hello.max_payload, NULL);
  if (self->heartbeat > 0)
    set_timer (self, self->heartbeat / 2);
}

static gboolean
take (HostServer *self, const LinkMessage *message)
{
  switch ((int)message->type)
    {
    case LINK_CALL:
      return take_call (self, message);
    case LINK_CANCEL:
    case LINK_TAKE:
      return take_word (self, message);
    case LINK_PING:
      return TRUE;
    case LINK_DRAIN:
      drain (self);
      return TRUE;
    default:
      return FALSE;
    }
}

static void
on_message (Link *link, const LinkMessage *message, gpointer user_data)
{
  HostServer *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!self->has_hello)
    take_hello (self, message);
  else if (!take (self, message))
    {
      g_set_error_literal (&error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                           _ ("the other side sent what is no message"));
      leave_with_error (error);
    }
}

static void
on_end (Link *link, const GError *error, gpointer user_data)
{
  if (g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST))
    leave (0);
  leave_with_error (error);
}

/* Beginning */

/* (transfer full): executors of the list of hosts in the environment, for which this one stands, or
 * workers here. It is not for those hosts. */
static ProcfunExecutor *
make_pool (const char *path, guint slots)
{
  g_autofree char *hosts = g_strdup (g_getenv ("PROCFUN_HOST_EXECUTOR"));
  g_autoptr (GError) error = NULL;
  ProcfunRemotePool *pool;

  g_unsetenv ("PROCFUN_HOST_EXECUTOR");
  if (hosts == NULL || *hosts == '\0')
    return PROCFUN_EXECUTOR (procfun_pool_new (slots));
  pool = procfun_remote_pool_new (hosts, &error);
  if (pool == NULL)
    {
      g_prefix_error (&error, "PROCFUN_HOST_EXECUTOR: ");
      leave_with_error (error);
    }
  procfun_remote_pool_set_library (pool, path);
  return PROCFUN_EXECUTOR (pool);
}

/* Calls of the functions are this machine's own, and end with the caller. */
static void
set_up (void)
{
  sigset_t broken;

  g_unsetenv ("PROCFUN_EXECUTOR");
  sigemptyset (&broken);
  sigaddset (&broken, SIGPIPE);
  pthread_sigmask (SIG_BLOCK, &broken, NULL);
}

/* (nullable): there are too many to be told */
static GVariant *
list_contracts (HostServer *self)
{
  g_autofree gpointer *contracts = NULL;
  g_autofree guint64 *numbers = NULL;
  guint n;

  contracts = g_hash_table_get_keys_as_array (self->functions, &n);
  if (n > CONTRACTS_MAX)
    return NULL;
  numbers = g_new (guint64, n);
  for (guint i = 0; i < n; i++)
    numbers[i] = *(const guint64 *)contracts[i];
  return g_variant_ref_sink (
      g_variant_new_fixed_array (G_VARIANT_TYPE_UINT64, numbers, n, sizeof *numbers));
}

static void
greet (HostServer *self)
{
  g_autoptr (GVariant) contracts = list_contracts (self);
  RemoteHello hello
      = { .slots = self->slots, .name = (char *)g_get_host_name (), .contracts = contracts };

  remote_hello_send (&hello, self->link);
}

void
host_serve (int in_fd, int out_fd, const char *path, ProcfunRegistry *registry, guint slots)
{
  GMainContext *context = g_main_context_new ();
  HostServer self = { .path = path, .slots = slots > 0 ? slots : (guint)MAX (cpus_count (), 1) };
  g_autoptr (GSource) terminate = g_unix_signal_source_new (SIGTERM);

  set_up ();
  g_main_context_push_thread_default (context);
  self.pool = make_pool (path, self.slots);
  self.calls = g_hash_table_new (NULL, NULL);
  list_functions (&self, registry);
  self.link = link_new (in_fd, out_fd, G_MAXUINT64, context, on_message, on_end, &self);
  g_source_set_callback (terminate, on_terminate, &self, NULL);
  g_source_attach (terminate, context);
  set_timer (&self, HELLO_WAIT_US);
  greet (&self);
  for (;;)
    g_main_context_iteration (context, TRUE);
}
