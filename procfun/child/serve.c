/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/serve.h"

#include "procfun/base/intl.h"
#include "procfun/base/limits.h"
#include "procfun/child/answer.h"
#include "procfun/child/crash.h"
#include "procfun/child/map-chunk.h"
#include "procfun/child/packed-call.h"
#include "procfun/child/setup.h"
#include "procfun/core/call-buffers.h"
#include "procfun/core/definition.h"
#include "procfun/core/function.h"
#include "procfun/core/registry.h"
#include "procfun/platform/descendants.h"
#include "procfun/platform/inherited-state.h"
#include "procfun/platform/launch-context-apply.h"
#include "procfun/platform/leave.h"
#include "procfun/platform/limits-apply.h"
#include "procfun/platform/pages.h"
#include "procfun/platform/schedule.h"
#include "procfun/platform/syscall-refusal.h"
#include "procfun/procfun-error.h"
#include "procfun/values/bytes.h"
#include "procfun/values/parts.h"
#include "procfun/wire/channel.h"
#include "procfun/wire/setup.h"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* When calls come without a pause, leftovers are looked for only every so many calls: the next call
 * is here already and finds them anyway. */
#define CHECK_STEP 16

/* A result of so many bytes takes its time to be encoded and sent, which is not the function's. */
#define LARGE_RESULT ((gsize)64 * 1024)

/* Time that a process waits for its caller to end it. */
#define END_MAX_MS 100

/* exit() may come from anywhere in the function. */
static Server *exiting_server;

guint
server_count_own_threads (Server *self)
{
  return (self->listener.has_thread ? 1 : 0) + (self->has_reporter ? 1 : 0);
}

static void
on_exit_called (int code, void *user_data)
{
  Server *self = exiting_server;
  const gint32 number = code;
  g_autoptr (GBytes) bytes = NULL;

  if (self == NULL || !self->is_running || inherited_state_get_process () != self->process)
    return;
  server_flush_reports (self);
  bytes = g_bytes_new (&number, sizeof number);
  server_send_answer (self, FRAME_EXIT, self->call_id, bytes, NULL);
}

/* Requests of the function while it runs. */

static void
on_listen (gpointer user_data)
{
  Server *self = user_data;

  self->cancellable = NULL; /* a thread of the function may look at it for ever */
  if (listener_start (&self->listener))
    server_report (&(Event){ .name = FRAME_EVENT_LISTENS }, self);
}

/* (transfer full) (nullable) */
static GVariant *
put_parts_back (Server *self, GVariant *rest, const GArray *parts, GError **error)
{
  GVariant *args = parts != NULL ? parts_put_back (rest, parts) : g_variant_ref (rest);

  if (args == NULL)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                 _ ("the arguments of %s() have other parts than the caller sent"),
                 procfun_function_get_name (self->function));
  return args;
}

static GVariant *
decode_arguments (Server *self, GBytes *payload, const GArray *parts, GError **error)
{
  ProcfunSchema *schema = procfun_function_get_arguments_schema (self->function);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GVariant) args = NULL;

  if (self->options.arguments != NULL)
    bytes = g_bytes_new_static (self->options.arguments, strlen (self->options.arguments));
  else
    bytes = g_bytes_new_from_bytes (payload, sizeof (FrameCall),
                                    g_bytes_get_size (payload) - sizeof (FrameCall));
  args = procfun_codec_decode (self->options.arguments != NULL ? procfun_codec_get_json ()
                                                               : self->codec,
                               schema, bytes, error);
  if (args != NULL)
    return put_parts_back (self, args, parts, error);
  g_prefix_error (error, _ ("the arguments of %s() cannot be read: "),
                  procfun_function_get_name (self->function));
  return NULL;
}

static void
begin (Server *self, const Frame *frame)
{
  const FrameCall *head = g_bytes_get_data (frame->payload, NULL);
  gboolean yields = procfun_function_is_generator (self->function);

  if (self->cancellable == NULL)
    self->cancellable = g_cancellable_new ();
  self->running = (Running){ .cancellable = self->cancellable,
                             .deadline = head->deadline,
                             .listen = self->is_alone ? NULL : on_listen,
                             .report = self->is_alone ? NULL : server_report,
                             .generator = yields ? self->function : NULL,
                             .yield = server_yield,
                             .user_data = self };
  listener_begin_call (&self->listener, frame->call_id, self->cancellable);
  procfun_context_set_running (&self->running);
  if (self->was_followed)
    usage_begin_next (&self->mark, !self->is_unmetered);
  else
    usage_begin (&self->mark);
  self->is_running = self->has_begun = TRUE;
  syscall_refusal_forget ();
  errno = 0; /* a crash report has it, and it shall be that of the function */
}

static gboolean
is_followed (Server *self)
{
  if (self->is_kept && !self->listener.has_thread && channel_in_is_filled (&self->channel->in)
      && ++self->n_unchecked < CHECK_STEP)
    return TRUE;
  self->n_unchecked = 0;
  return FALSE;
}

static void
end (Server *self)
{
  leftovers_restore_float_mode (&self->leftovers);
  if (self->worker_limits == NULL)
    limits_release_reserve ();
  self->is_running = FALSE;
  procfun_context_set_running (NULL);
  listener_end_call (&self->listener);
  if (self->cancellable != NULL && g_cancellable_is_cancelled (self->cancellable))
    g_clear_object (&self->cancellable);
  server_flush_reports (self);
  fflush (NULL);
  self->is_followed = is_followed (self);
  if (!self->is_followed)
    descendants_kill (); /* the caller does not wait for more than the answer */
}

/* A process that is kept was shut in before its first call. */
static gboolean
restrict_process (Server *self, GError **error)
{
  Confinement *confinement = &self->confinement;

  if (!self->is_kept && !confinement_prepare (confinement, error))
    return FALSE;
  if (!server_apply_limits (self, error))
    return FALSE;
  return (self->is_kept || confinement_enter (confinement, self->channel, error))
         && confinement_check (confinement, self->function, error);
}

/* The caller names it in the error of the function. */
static void
report_refusal (Server *self)
{
  const int number = syscall_refusal_get_last ();

  if (number >= 0)
    server_report (&(Event){ .name = FRAME_EVENT_REFUSED, .number = number }, self);
}

/* From the frame of a call to the bytes of its result, of which a generator has none. */
static GBytes *
run_call (Server *self, const Frame *frame, Extras *extras, GError **error)
{
  const gboolean is_packed = packed_call_prepare (self, frame);
  g_autoptr (GVariant) args
      = is_packed ? NULL : decode_arguments (self, frame->payload, frame->parts, error);
  g_autoptr (GVariant) result = NULL;
  g_autoptr (GBytes) bytes = NULL;

  if (!is_packed && args == NULL)
    return NULL;
  self->buffers_size = call_buffers_get_size (self->function, args);
  if (!restrict_process (self, error))
    return NULL;
  begin (self, frame);
  if (is_packed)
    bytes = packed_call_run (self, &result, error);
  else
    result = procfun_function_invoke (self->function, args, frame->fds, &extras->fds, error);
  if (inherited_state_get_process () != self->process) /* the other one answers */
    leave_process (0);
  end (self);
  if (result == NULL && bytes == NULL)
    report_refusal (self);
  if (self->running.item_error != NULL) /* the function may have changed it */
    {
      g_clear_error (error);
      g_propagate_error (error, g_steal_pointer (&self->running.item_error));
      return NULL;
    }
  if (result == NULL)
    return g_steal_pointer (&bytes);
  if (self->running.generator != NULL)
    return g_bytes_new (NULL, 0);
  if (g_variant_get_size (result) >= LARGE_RESULT)
    server_report (&(Event){ .name = FRAME_EVENT_RETURNED }, self);
  return server_encode (self, result, extras, error);
}

/* From the frame of many calls to the empty result of all of them. */
static GBytes *
run_map (Server *self, const Frame *frame, MapChunk *map, GError **error)
{
  g_autoptr (GBytes) array = g_bytes_new_from_bytes (
      frame->payload, sizeof (FrameCall), g_bytes_get_size (frame->payload) - sizeof (FrameCall));
  gboolean ok;

  if (!map_chunk_prepare (map, self->function, array, frame->parts, server_get_max_result (self),
                          error)
      || !restrict_process (self, error))
    return NULL;
  begin (self, frame);
  ok = map_chunk_run (map, error);
  end (self);
  return ok ? g_bytes_new (NULL, 0) : NULL;
}

/* (transfer none) (nullable) */
static ProcfunFunction *
look_up (Server *self, guint64 hash)
{
  ProcfunFunction *function
      = self->functions != NULL ? g_hash_table_lookup (self->functions, &hash) : NULL;
  g_autofree char *text = NULL;

  if (function != NULL || self->options.why != NULL)
    return function;
  text = g_strdup_printf ("%016" PRIx64, hash);
  if (self->options.registry != NULL)
    return procfun_registry_find_handler (self->options.registry, text);
  return procfun_definitions_find (self->options.path, NULL, text);
}

static void
set_not_found (Server *self, guint64 hash, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%016" PRIx64, hash);
  const char *where = _ ("the program");

  if (self->options.registry != NULL)
    where = _ ("the registry");
  else if (self->options.path != NULL)
    where = self->options.path;
  if (self->options.why != NULL)
    g_propagate_error (error, g_error_copy (self->options.why));
  else if (g_strcmp0 (self->options.hash, text) == 0)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND,
                 _ ("there is no function %s() with the hash %s in %s"), self->options.name, text,
                 where);
  else
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND,
                 _ ("there is no function with the hash %s in %s"), text, where);
}

static gboolean
find_called (Server *self, const Frame *frame, GError **error)
{
  const FrameCall *head = g_bytes_get_data (frame->payload, NULL);

  if (self->codec == NULL || g_bytes_get_size (frame->payload) < sizeof *head)
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                           _ ("the caller sent a call that cannot be read"));
      return FALSE;
    }
  if (self->function == NULL || self->function->hash_number != head->hash)
    self->function = look_up (self, head->hash);
  if (self->function == NULL)
    set_not_found (self, head->hash, error);
  else if (procfun_function_is_ambiguous (self->function))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, _ ("%s is defined twice"),
                 procfun_function_get_signature (self->function));
  else
    return TRUE;
  return FALSE;
}

/* (nullable) */
static const Module *
get_module (Server *self)
{
  if (self->function == NULL && self->options.registry == NULL && self->options.why == NULL)
    self->function = procfun_definitions_find (self->options.path, self->options.name, NULL);
  return self->function != NULL ? self->function->module : NULL;
}

static gboolean
has_flag (const Frame *frame, FrameCallFlags flag)
{
  const FrameCall *head = g_bytes_get_data (frame->payload, NULL);

  return g_bytes_get_size (frame->payload) >= sizeof *head && (head->flags & flag) != 0;
}

/* A call that cannot be read is the last one, too. */
static gboolean
is_last (const Frame *frame)
{
  return g_bytes_get_size (frame->payload) < sizeof (FrameCall)
         || has_flag (frame, FRAME_CALL_LAST);
}

/* Takes @error, which is the only answer of this process from now on. */
void
server_set_unprepared (Server *self, GError *error)
{
  g_clear_error (&self->unprepared);
  self->unprepared = error;
  self->leftovers.found |= FRAME_LEFT_UNPREPARED;
}

GError *
server_make_initial_error (Server *self, const GError *error)
{
  const char *name = self->function != NULL ? procfun_function_get_name (self->function) : "?";

  return g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                      _ ("the process for calls could not be prepared by %s(): %s"), name,
                      error->message);
}

/* Takes @error (nullable). */
static void
end_initial (Server *self, GError *error)
{
  if (error != NULL)
    {
      server_set_unprepared (self, server_make_initial_error (self, error));
      g_error_free (error);
    }
  server_say_hello (self, self->channel);
}

gboolean
server_run_preload (Server *self, Channel *channel, const Frame *frame, GError **error)
{
  Channel *before = self->channel;
  g_auto (Extras) extras = { 0 };
  g_autoptr (GBytes) result = NULL;

  self->channel = channel;
  self->process = inherited_state_get_process ();
  self->call_id = frame->call_id;
  self->is_alone = TRUE;
  if (find_called (self, frame, error))
    result = run_call (self, frame, &extras, error);
  self->is_alone = FALSE;
  self->channel = before;
  return result != NULL;
}

/* Memory of results would count for a worker with a limit as long as its caller has them. */
static ShareMode
get_share_mode (const Server *self)
{
  if (!self->is_kept)
    return SHARE_SEALED;
  return self->worker_limits != NULL ? SHARE_ARENA : SHARE_LARGE_OR_ARENA;
}

void
server_handle_call (Server *self, Frame *frame)
{
  g_autoptr (GError) error = NULL;
  g_auto (Extras) extras = { 0 };
  g_autoptr (GBytes) result = NULL;
  const gboolean is_initial = has_flag (frame, FRAME_CALL_INITIAL);
  const gboolean is_worker = !is_last (frame) && !is_initial;
  const gboolean is_ended = has_flag (frame, FRAME_CALL_ENDED);
  g_autoptr (MapChunk) map = has_flag (frame, FRAME_CALL_MAP) ? map_chunk_new (frame->fds) : NULL;

  self->call_id = frame->call_id;
  self->was_followed = self->is_followed;
  self->is_unmetered = has_flag (frame, FRAME_CALL_UNMETERED);
  channel_set_patience (has_flag (frame, FRAME_CALL_PATIENT) ? CHANNEL_PATIENCE_US : 0);
  self->has_begun = self->is_followed = FALSE; /* it may fail before its function runs */
  self->is_kept = !is_last (frame);
  channel_share (self->channel, get_share_mode (self), TRUE);
  /* Leftovers of the initializer stay. */
  if (is_worker && self->unprepared == NULL && confinement_prepare (&self->confinement, &error))
    confinement_enter (&self->confinement, self->channel, &error);
  if (is_worker)
    leftovers_begin (&self->leftovers, server_count_own_threads (self), frame->fds);
  if (self->unprepared != NULL)
    error = g_error_copy (self->unprepared);
  else if (error == NULL && find_called (self, frame, &error))
    result = map != NULL ? run_map (self, frame, map, &error)
                         : run_call (self, frame, &extras, &error);
  g_clear_pointer (&frame->payload, g_bytes_unref); /* the next call can use its memory */
  g_clear_pointer (&frame->parts, g_array_unref);
  if (is_initial)
    end_initial (self, g_steal_pointer (&error));
  else if (result != NULL)
    {
      server_send_answer (self, FRAME_RESULT, frame->call_id, result, &extras);
      self->is_ended = is_ended && self->cancellable != NULL;
    }
  else
    server_send_error (self, frame->call_id, error);
  g_clear_pointer (&self->limits, procfun_limits_free);
}

static gboolean
apply_setup (Server *self, const Setup *setup, GUnixFDList *fds, GError **error)
{
  const Module *module = get_module (self);

  intl_set_locale (setup->locale);
  procfun_context_set_depth (setup->depth);
  self->max_payload = setup->max_payload;
  self->arena_idle = setup->arena_idle;
  pages_keep_spare ();
  bytes_keep_spare ();
  if (setup->limits != NULL)
    server_take_limits (self, setup->limits);
  if (module != NULL && strcmp (module->identity, setup->identity) != 0)
    {
      g_set_error (
          error, PROCFUN_ERROR, PROCFUN_ERROR_MISMATCH,
          _ ("%s() cannot be called: %s was replaced by another build since the caller started"),
          setup->name, module->path != NULL ? module->path : _ ("the program"));
      return FALSE;
    }
  if (setup->folder != NULL && chdir (setup->folder) != 0)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN, _ ("%s() cannot be called: %s: %s"),
                   setup->name, setup->folder, g_strerror (errno));
      return FALSE;
    }
  if (setup->context != NULL && !launch_context_apply (setup->context, fds, error))
    {
      g_prefix_error (error, _ ("%s() cannot be called: "), setup->name);
      return FALSE;
    }
  self->codec = procfun_codec_lookup (setup->codec);
  if (self->codec == NULL)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_MISMATCH,
                   _ ("the codec “%s” is not registered in the process of the call"), setup->codec);
      return FALSE;
    }
  return TRUE;
}

gboolean
server_handle_setup (Server *self, Channel *channel, const Frame *frame)
{
  g_autoptr (GVariant) holder = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Setup) setup = { 0 };

  self->channel = channel;
  if (setup_from_bytes (&setup, frame->payload, &holder, &error)
      && apply_setup (self, &setup, frame->fds, &error))
    return TRUE;
  server_send_error (self, frame->call_id, error);
  return FALSE;
}

static gboolean
handle_frame (Server *self, Frame *frame)
{
  switch (frame->type)
    {
    case FRAME_LIMITS:
    case FRAME_WORKER_LIMITS:
      return server_handle_limits (self, frame);
    case FRAME_SETUP:
      return server_handle_setup (self, self->channel, frame);
    case FRAME_SANDBOX:
      confinement_take_order (&self->confinement, frame->payload);
      return TRUE;
    case FRAME_ANNOUNCE:
      self->is_call_coming = TRUE;
      return TRUE;
    case FRAME_CALL:
      self->is_call_coming = FALSE;
      server_handle_call (self, frame);
      if (self->is_kept)
        placement_note_call (&self->placement, self->mark.wall_time,
                             channel_get_cpu (self->channel));
      return self->is_kept;
    default:
      return FALSE;
    }
}

void
server_say_hello (Server *self, Channel *channel)
{
  const Module *module = get_module (self);
  const char *identity = module != NULL ? module->identity : "";

  channel_send (channel, FRAME_HELLO, 0, identity, strlen (identity), NULL, NULL);
  channel_out_flush (&channel->out);
}

Server *
server_new (const ServerOptions *options)
{
  Server *self = g_new0 (Server, 1);

  self->options = *options;
  g_mutex_init (&self->write_lock);
  usage_begin (&self->mark);
  crash_set_usage_mark (&self->mark);
  crash_install (SETUP_REPORT_FD);
  setvbuf (stdout, NULL, _IOLBF,
           0); /* it is a pipe now, and shall not lose the last lines in a crash */
  exiting_server = self;
  on_exit (on_exit_called, NULL);
  return self;
}

void
server_prepare_to_fork (Server *self)
{
  g_autoptr (GPtrArray) all = procfun_definitions_list_functions ();

  self->functions = g_hash_table_new (g_int64_hash, g_int64_equal);
  for (guint i = 0; i < all->len && self->options.registry == NULL; i++)
    {
      ProcfunFunction *function = all->pdata[i];

      if (g_strcmp0 (procfun_function_get_module (function), self->options.path) == 0)
        g_hash_table_insert (self->functions, &function->hash_number, function);
    }
}

/* No call has come for a while. A call that was sent before the caller could know is served. */
static gboolean
has_ended (Server *self, Frame *frame)
{
  channel_in_end (&self->channel->in);
  return listener_next (&self->listener, frame, -1) != CHANNEL_FRAME;
}

void
server_open (Server *self, int fd)
{
  self->process = inherited_state_get_process ();
  self->channel = g_steal_pointer (&self->used);
  if (self->channel == NULL)
    self->channel = channel_new (fd, G_MAXSIZE / 4);
  else
    channel_reopen (self->channel, fd);
  channel_accept_ring (self->channel);
  channel_share (self->channel, SHARE_NOTHING, TRUE);
  listener_init (&self->listener, self->channel);
}

void
server_close (Server *self)
{
  self->used = g_steal_pointer (&self->channel);
  channel_reopen (self->used, -1);
}

/* The process is ended from outside. Until then it leaves the processor to its caller, because
 * giving back the memory of a process takes longer than a small call. */
static void
await_end (Server *self)
{
  struct pollfd poll_fd = { .fd = self->channel->fd, .events = POLLIN };

  schedule_give_way (TRUE);
  poll (&poll_fd, 1, END_MAX_MS);
}

/* Memory shared with the caller is given back when neither side has used it for a while. */
static ChannelStatus
next_frame (Server *self, Frame *frame, int idle)
{
  const int arena_idle = (int)MIN (self->arena_idle, G_MAXINT);

  if (arena_idle > 0 && (idle < 0 || arena_idle < idle)
      && (channel_keeps_memory (self->channel) || pages_have_spare () || bytes_have_spare ()))
    {
      ChannelStatus status = listener_next (&self->listener, frame, arena_idle);

      if (status != CHANNEL_AGAIN)
        return status;
      channel_give_back (self->channel);
      pages_drop_spare ();
      bytes_drop_spare ();
      if (idle > 0)
        idle -= arena_idle;
    }
  return listener_next (&self->listener, frame, idle);
}

static void serve (Server *self, int first_idle, int idle) G_GNUC_NORETURN;

static void
serve (Server *self, int first_idle, int idle)
{
  gboolean go_on = TRUE;
  int wait = first_idle;

  while (go_on)
    {
      g_auto (Frame) frame = { 0 };
      ChannelStatus status = next_frame (self, &frame, self->is_call_coming ? -1 : wait);

      if (status == CHANNEL_AGAIN && !has_ended (self, &frame))
        status = CHANNEL_FRAME;
      if (frame.type == FRAME_CALL)
        wait = idle;
      go_on = status == CHANNEL_FRAME && handle_frame (self, &frame);
    }
  if (self->is_ended)
    await_end (self);
  fflush (NULL);
  setup_end ();
}

void
server_run (Server *self, int first_idle, int idle)
{
  server_open (self, SETUP_CHANNEL_FD);
  serve (self, first_idle, idle);
}

void
server_start (Server *self)
{
  server_open (self, SETUP_CHANNEL_FD);
  server_say_hello (self, self->channel);
  serve (self, -1, -1);
}
