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
#include "procfun/remote/stdio-engine.h"
#include "procfun/wire/channel.h"
#include "procfun/wire/setup.h"
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* So many functions a host names to its caller. */
#define CONTRACTS_MAX 4096

/* Of the calls in flight for a slot, as its caller says, the part that its process is sent ahead:
 * it is for very short ones, since they wait there even if another process is free. */
#define IN_FLIGHT_SHARE 8
#define IN_FLIGHT_MAX 64

typedef struct
{
  const char *path; /* (nullable) */
  guint slots;
  ProcfunEngine *engine;
  GBytes *profile;       /* (nullable): of the caller whose call came last */
  ProcfunExecutor *pool; /* of this machine, or of hosts of its own */
  GHashTable *functions; /* (element-type guint64 ProcfunFunction): by contract */
  GHashTable *calls;     /* (element-type guint64 HostCall) */
  gboolean is_draining;
} HostServer;

/* Ends this process, and with it all that it has started. */
static void G_GNUC_NORETURN
leave (int status)
{
  leave_process (status);
}

static void G_GNUC_NORETURN
leave_with_error (const GError *error, int status)
{
  fprintf (stderr, "procfun: %s\n", error->message);
  leave (status);
}

static void
leave_if_drained (HostServer *self)
{
  if (!self->is_draining || g_hash_table_size (self->calls) > 0)
    return;
  engine_close (self->engine, FALSE);
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

/* With one call, there is nothing else to do than to wait for its end. */
static void
set_patience (guint n_calls)
{
  channel_set_patience (n_calls == 1 ? CHANNEL_PATIENCE_US : 0);
}

static void
on_call_ended (HostCall *call, gpointer user_data)
{
  HostServer *self = user_data;
  const guint64 id = host_call_get_id (call);

  g_hash_table_remove (self->calls, &id);
  host_call_free (call);
  set_patience (g_hash_table_size (self->calls));
  leave_if_drained (self);
  if (!self->is_draining)
    PROCFUN_ENGINE_GET_CLASS (self->engine)->set_free (self->engine, 1);
}

/* FALSE: no caller sends that. */
static gboolean
read_call (const ProcfunMessage *message, RemoteCallHead *head, GVariant **options)
{
  const gsize size = message->head != NULL ? g_bytes_get_size (message->head) : 0;
  g_autoptr (GBytes) rest = NULL;

  if (size < sizeof *head || message->kind != LINK_CALL)
    return FALSE;
  *head = *(const RemoteCallHead *)g_bytes_get_data (message->head, NULL);
  rest = g_bytes_new_from_bytes (message->head, sizeof *head, size - sizeof *head);
  *options = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, rest, FALSE));
  return g_variant_is_normal_form (*options);
}

/* Follows the profile of a caller. Callers are of one program, as a rule, and so of one profile. */
static gboolean
heed_profile (HostServer *self, GBytes *profile, GError **error)
{
  g_auto (RemoteHello) hello = { 0 };

  if (self->profile != NULL && g_bytes_equal (self->profile, profile))
    return TRUE;
  if (!remote_hello_read (&hello, profile, error))
    return FALSE;
  g_clear_pointer (&self->profile, g_bytes_unref);
  self->profile = g_bytes_ref (profile);
  procfun_context_set_depth (CLAMP (hello.depth, 1, SETUP_MAX_DEPTH));
  if (hello.locale != NULL)
    intl_set_locale (hello.locale);
  if (hello.max_payload > 0)
    g_object_set (self->pool, "max-payload", hello.max_payload, NULL);
  g_object_set (self->pool, "calls-in-flight",
                CLAMP (hello.calls_in_flight / IN_FLIGHT_SHARE, 1, IN_FLIGHT_MAX), NULL);
  return TRUE;
}

static GError *
make_protocol_error (void)
{
  return g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                              _ ("the other side sent what is no message"));
}

/* The function of a call that this host is to run; otherwise with how it is answered. A call that
 * another host had before is not run: that one may have begun it. */
static ProcfunFunction *
accept (HostServer *self, const EngineEvent *request, RemoteCallHead *head, GVariant **options,
        RemoteEndStatus *status, GError **error)
{
  const char *name = "";

  *status = REMOTE_END_REFUSED;
  if (!heed_profile (self, request->profile, error))
    return NULL;
  if (!read_call (&request->message, head, options))
    {
      g_propagate_error (error, make_protocol_error ());
      return NULL;
    }
  if (request->n > 1)
    {
      *status = REMOTE_END_ERROR;
      g_variant_lookup (*options, "name", "&s", &name);
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST, _ ("%s() lost its host: %s"),
                   name, _ ("the call was lost with the host that had it before"));
      return NULL;
    }
  if (!self->is_draining)
    return find_function (self, head->contract, *options, error);
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED, _ ("the host ends"));
  return NULL;
}

static void
take_call (HostServer *self, const EngineEvent *request)
{
  g_autoptr (GVariant) options = NULL;
  g_autoptr (GBytes) none = g_bytes_new (NULL, 0);
  g_autoptr (GError) error = NULL;
  RemoteEndStatus status;
  RemoteCallHead head;
  ProcfunFunction *function = accept (self, request, &head, &options, &status, &error);
  GBytes *payload = request->message.payload != NULL ? request->message.payload : none;
  HostCall *call = NULL;

  if (function != NULL)
    {
      status = REMOTE_END_ERROR;
      set_patience (g_hash_table_size (self->calls) + 1);
      call = host_call_new (self->engine, request->id, payload, &head, options, function,
                            self->pool, on_call_ended, self, &error);
    }
  if (call != NULL)
    {
      g_hash_table_insert (self->calls, g_memdup2 (&request->id, sizeof request->id), call);
      return;
    }
  host_call_refuse (self->engine, request->id, status, error);
  if (!self->is_draining)
    PROCFUN_ENGINE_GET_CLASS (self->engine)->set_free (self->engine, 1);
}

/* The caller has gone. */
static void
take_failed_call (HostServer *self, guint64 id)
{
  HostCall *call = g_hash_table_lookup (self->calls, &id);

  if (call != NULL)
    host_call_cancel (call, TRUE);
}

static void
take_word (HostServer *self, const EngineEvent *word)
{
  HostCall *call = g_hash_table_lookup (self->calls, &word->id);
  RemoteCancelHead cancel;
  RemoteTakeHead take;

  if (call == NULL)
    return;
  if (word->message.kind == LINK_CANCEL
      && remote_head_read (word->message.head, &cancel, sizeof cancel))
    {
      if (cancel.element > 0)
        host_call_cancel_element (call, cancel.element - 1);
      else
        host_call_cancel (call, cancel.is_urgent != 0);
    }
  else if (word->message.kind == LINK_TAKE
           && remote_head_read (word->message.head, &take, sizeof take))
    host_call_take (call, take.bytes);
}

/* The caller */

static void
drain (HostServer *self)
{
  if (!self->is_draining)
    PROCFUN_ENGINE_GET_CLASS (self->engine)->detach (self->engine);
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

static void G_GNUC_NORETURN
end_with_engine (const GError *error)
{
  if (g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST))
    leave (0);
  if (g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT))
    leave (1);
  leave_with_error (error, 1);
}

static void
on_event (ProcfunEngine *engine, const EngineEvent *event, gpointer user_data)
{
  HostServer *self = user_data;

  switch (event->type)
    {
    case ENGINE_REQUEST:
      if (g_hash_table_contains (self->calls, &event->id))
        leave_with_error (make_protocol_error (), 1);
      take_call (self, event);
      break;
    case ENGINE_MESSAGE:
      take_word (self, event);
      break;
    case ENGINE_CALL_FAILED:
      take_failed_call (self, event->id);
      break;
    case ENGINE_ROOM:
      if (event->n == 0)
        drain (self);
      break;
    case ENGINE_FAILED:
      end_with_engine (event->error);
    case ENGINE_HOST_UP:
    case ENGINE_HOST_LOST:
    default:
      break;
    }
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
      leave_with_error (error, 1);
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

static GBytes *
make_profile (HostServer *self)
{
  g_autoptr (GVariant) contracts = list_contracts (self);
  const RemoteHello hello
      = { .slots = self->slots, .name = (char *)g_get_host_name (), .contracts = contracts };

  return remote_hello_make (&hello);
}

/* (transfer full): calls come from where the environment says, or from the caller that has started
 * this process. */
static ProcfunEngine *
make_engine (int in_fd, int out_fd)
{
  g_autofree char *url = g_strdup (g_getenv ("PROCFUN_HOST_ENGINE"));
  g_autoptr (GError) error = NULL;
  ProcfunEngine *engine;

  g_unsetenv ("PROCFUN_HOST_ENGINE");
  if (url == NULL || *url == '\0')
    return stdio_engine_new (in_fd, out_fd);
  engine = engine_new (url, &error);
  if (engine == NULL)
    leave_with_error (error, 2);
  return engine;
}

static void
attach (HostServer *self, GMainContext *context)
{
  g_autoptr (GBytes) profile = make_profile (self);
  g_autoptr (GError) error = NULL;

  if (!engine_attach (self->engine, context, on_event, self, profile, self->slots, &error))
    leave_with_error (error, 2);
  PROCFUN_ENGINE_GET_CLASS (self->engine)->set_free (self->engine, self->slots);
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
  self.calls = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  list_functions (&self, registry);
  self.engine = make_engine (in_fd, out_fd);
  g_source_set_callback (terminate, on_terminate, &self, NULL);
  g_source_attach (terminate, context);
  attach (&self, context);
  for (;;)
    g_main_context_iteration (context, TRUE);
}
