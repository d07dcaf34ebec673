/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/remote-host.h"

#include "procfun/base/intl.h"
#include "procfun/base/readable.h"
#include "procfun/core/context.h"
#include "procfun/core/failure.h"
#include "procfun/process/back-off.h"
#include "procfun/procfun-error.h"
#include "procfun/remote/host-name.h"
#include "procfun/remote/hosts.h"
#include "procfun/remote/launcher-engine.h"
#include <string.h>

/* Time until a host that was gone is started again, in µs. */
#define RESTART_MIN 100000
#define RESTART_MAX (30 * G_USEC_PER_SEC)

#define QUOTED_MAX 400

/* Links have 32 bits for the number of a call, and 0 is that of none. The first number is so near
 * to the last one that to begin anew is nothing rare. */
#define FIRST_ID ((guint64)G_MAXUINT32 - 1000)

typedef enum
{
  HOST_DOWN,
  HOST_STARTING,
  HOST_UP,
  HOST_DRAINING /* it takes no more calls */
} HostState;

struct _RemoteHost
{
  Hosts *hosts; /* unowned */
  HostSpec *spec;
  HostState state;
  BackOff back_off;
  GError *error;        /* (nullable): why it is down */
  GHashTable *refusals; /* (element-type guint64 GError): by contract */

  /* While it is not down */
  ProcfunEngine *engine;
  guint room;        /* calls that the engine may have */
  GHashTable *slots; /* (element-type utf8 guint): of each host behind it, by name (interned) */
  GHashTable *calls; /* (element-type guint64 RemoteCall) */
  guint64 last_id;
  gboolean had_all_ids; /* since it was started */
  gint64 started_at;    /* monotonic times in µs */
  gint64 idle_since;
};

RemoteHost *
remote_host_new (Hosts *hosts, HostSpec *spec)
{
  RemoteHost *self = g_new0 (RemoteHost, 1);

  self->hosts = hosts;
  self->spec = host_spec_ref (spec);
  self->refusals
      = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_error_free);
  self->slots = g_hash_table_new (NULL, NULL);
  self->calls = g_hash_table_new (g_int64_hash, g_int64_equal);
  return self;
}

void
remote_host_free (RemoteHost *self)
{
  g_clear_error (&self->error);
  g_hash_table_unref (self->refusals);
  g_hash_table_unref (self->slots);
  g_hash_table_unref (self->calls);
  host_spec_unref (self->spec);
  g_free (self);
}

static const char *
get_name (const RemoteHost *self)
{
  return self->spec->name;
}

gboolean
remote_host_is_there (const RemoteHost *self)
{
  return self->state != HOST_DOWN;
}

gboolean
remote_host_is_starting (const RemoteHost *self)
{
  return self->state == HOST_STARTING;
}

guint
remote_host_get_n_hosts (const RemoteHost *self)
{
  return self->state == HOST_UP ? g_hash_table_size (self->slots) : 0;
}

guint
remote_host_get_slots (const RemoteHost *self)
{
  GHashTableIter iter;
  gpointer slots;
  guint n = 0;

  g_hash_table_iter_init (&iter, self->slots);
  while (g_hash_table_iter_next (&iter, NULL, &slots))
    n += GPOINTER_TO_UINT (slots);
  return self->state == HOST_UP ? n : 0;
}

guint
remote_host_get_n_calls (const RemoteHost *self)
{
  return g_hash_table_size (self->calls);
}

guint
remote_host_get_room (const RemoteHost *self)
{
  const guint n = remote_host_get_n_calls (self);
  const guint max = self->room * MAX (hosts_get_config (self->hosts)->calls_in_flight, 1);

  return self->state == HOST_UP && n < max ? max - n : 0;
}

gboolean
remote_host_has_refused (const RemoteHost *self)
{
  return g_hash_table_size (self->refusals) > 0;
}

const GError *
remote_host_get_refusal (const RemoteHost *self, guint64 contract)
{
  return remote_host_has_refused (self) ? g_hash_table_lookup (self->refusals, &contract) : NULL;
}

gboolean
remote_host_may_run (const RemoteHost *self, guint64 contract)
{
  return remote_host_get_refusal (self, contract) == NULL;
}

const GError *
remote_host_get_error (const RemoteHost *self)
{
  return self->error;
}

/* Ends */

/* The end of what it said outside of messages: there a shell says that it knows no such command.
 * (nullable) */
static char *
quote (const char *text)
{
  g_autofree char *line = text != NULL ? readable_line (text, -1) : NULL;
  const char *start;

  if (line == NULL || *g_strstrip (line) == '\0')
    return NULL;
  if (g_utf8_strlen (line, -1) <= QUOTED_MAX)
    return g_steal_pointer (&line);
  start = g_utf8_offset_to_pointer (line, g_utf8_strlen (line, -1) - QUOTED_MAX);
  return g_strconcat ("…", start, NULL);
}

static char *
get_last_words (RemoteHost *self)
{
  g_autofree char *words = engine_describe (self->engine);

  return quote (words);
}

static void
clear (RemoteHost *self, gboolean at_once)
{
  engine_close (self->engine, at_once);
  g_clear_object (&self->engine);
  g_hash_table_remove_all (self->slots);
  g_hash_table_remove_all (self->refusals); /* the program may be another one next time */
  self->state = HOST_DOWN;
}

static void
lose_call (RemoteCall *remote, const char *host, const char *why)
{
  remote->host = NULL;
  remote_call_fail (remote, PROCFUN_CAUSE_WORKER_LOST, host,
                    g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                                 _ ("%s() lost its host: %s"), remote->function_name, why));
}

/* Whether the functions have begun is not known. */
static void
lose_calls (RemoteHost *self, const GError *error)
{
  g_autoptr (GHashTable) calls = self->calls;
  const char *host = host_name_keep (get_name (self));
  GHashTableIter iter;
  gpointer remote;

  self->calls = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_hash_table_iter_init (&iter, calls);
  while (g_hash_table_iter_next (&iter, NULL, &remote))
    lose_call (remote, host, error->message);
}

/* Error of a host that could not be started, in the words of the caller. */
static GError *
describe (RemoteHost *self, const GError *error, const char *last_words)
{
  const gboolean is_mismatch = g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_MISMATCH);
  GError *described;

  if (self->state == HOST_STARTING)
    described
        = g_error_new (PROCFUN_ERROR, is_mismatch ? error->code : PROCFUN_ERROR_ENGINE,
                       _ ("the host %s cannot be reached: %s"), get_name (self), error->message);
  else
    described = g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST, "%s: %s", get_name (self),
                             error->message);
  if (last_words != NULL)
    {
      g_autofree char *before = g_steal_pointer (&described->message);

      described->message = g_strdup_printf (_ ("%s; last output: “%s”"), before, last_words);
    }
  return described;
}

/* Takes @error. @at_once: it will not end by itself. */
static void
lose (RemoteHost *self, GError *error, gboolean at_once)
{
  g_autoptr (GError) own_error = error;
  g_autofree char *last_words = get_last_words (self);
  g_autoptr (GList) lost = g_hash_table_get_keys (self->slots);
  const gboolean was_up = self->state >= HOST_UP;

  g_clear_error (&self->error);
  self->error = describe (self, own_error, last_words);
  clear (self, at_once);
  back_off_fail (&self->back_off, RESTART_MIN, RESTART_MAX);
  lose_calls (self, self->error);
  for (GList *l = lost; l != NULL; l = l->next)
    hosts_host_is_lost (self->hosts, l->data, self->error);
  if (was_up)
    g_clear_error (&self->error); /* it is tried again before calls fail */
  hosts_wake (self->hosts);
}

void
remote_host_stop (RemoteHost *self)
{
  g_autoptr (GError) closed = NULL;

  if (self->state == HOST_DOWN)
    return;
  closed = g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_CLOSED, _ ("the executor is closed"));
  clear (self, FALSE);
  lose_calls (self, closed);
}

/* Messages */

static RemoteEvent *
make_event (const EngineEvent *news)
{
  RemoteEvent *event = remote_event_new (news->message.kind, news->host);

  event->payload
      = news->message.payload != NULL ? g_bytes_ref (news->message.payload) : g_bytes_new (NULL, 0);
  return event;
}

static gboolean
read_event (RemoteEvent *event, const ProcfunMessage *message)
{
  RemoteStartedHead started;
  RemoteOutputHead output;
  RemoteProgressHead progress;

  switch (message->kind)
    {
    case LINK_STARTED:
      if (!remote_head_read (message->head, &started, sizeof started) || started.pid < 0
          || started.pid > G_MAXINT32)
        return FALSE;
      event->pid = started.pid;
      return TRUE;
    case LINK_OUTPUT:
      if (!remote_head_read (message->head, &output, sizeof output)
          || output.stream > PROCFUN_STREAM_STDERR)
        return FALSE;
      event->number = output.stream;
      return TRUE;
    case LINK_PROGRESS:
      if (!remote_head_read (message->head, &progress, sizeof progress))
        return FALSE;
      event->fraction = progress.fraction;
      event->number = progress.has_text;
      return TRUE;
    default:
      return message->kind == LINK_ITEM && remote_head_read (message->head, NULL, 0);
    }
}

static void
note_end_of_call (RemoteHost *self, RemoteCall *remote)
{
  g_hash_table_remove (self->calls, &remote->id);
  remote->host = NULL;
  if (remote_host_get_n_calls (self) == 0)
    self->idle_since = g_get_monotonic_time ();
  hosts_wake (self->hosts);
}

/* Another host may have the function. */
static void
take_refusal (RemoteHost *self, RemoteCall *remote, GBytes *payload)
{
  ProcfunFailure *failure;
  GError *error = remote_end_unpack (payload, remote->function_name, &failure);

  g_clear_pointer (&failure, procfun_failure_unref);
  if (self->state == HOST_UP)
    g_hash_table_replace (self->refusals,
                          g_memdup2 (&remote->head.contract, sizeof remote->head.contract), error);
  else
    g_error_free (error);
  hosts_return_call (self->hosts, remote);
}

static gboolean
take_end (RemoteHost *self, RemoteCall *remote, const EngineEvent *news)
{
  RemoteEndHead head;
  RemoteEvent *event;

  if (!remote_head_read (news->message.head, &head, sizeof head)
      || head.status >= REMOTE_END_AFTER_LAST)
    return FALSE;
  note_end_of_call (self, remote);
  event = make_event (news);
  if (head.status == REMOTE_END_REFUSED)
    {
      take_refusal (self, remote, event->payload);
      remote_event_free (event);
      return TRUE;
    }
  event->pid = head.pid;
  event->number = head.status;
  event->has_usage = head.has_usage != 0;
  event->usage = head.usage;
  event->sandbox = MIN (head.sandbox, PROCFUN_SANDBOX_PURE_COMPUTE);
  event->sandbox_parts = head.sandbox_parts;
  event->chunk = head.chunk;
  event->elapsed = g_get_monotonic_time () - remote->sent_at;
  remote_call_end (remote, event);
  return TRUE;
}

/* FALSE: no host sends that. A call that is not known has ended. */
static gboolean
take_of_call (RemoteHost *self, const EngineEvent *news)
{
  RemoteCall *remote = g_hash_table_lookup (self->calls, &news->id);
  RemoteEvent *event;

  if (remote == NULL)
    return news->id <= (self->had_all_ids ? G_MAXUINT32 : self->last_id);
  remote->at = news->host;
  if (news->message.kind == LINK_NONE)
    return TRUE;
  if (news->message.kind == LINK_END)
    return take_end (self, remote, news);
  event = make_event (news);
  if (!read_event (event, &news->message))
    {
      remote_event_free (event);
      return FALSE;
    }
  remote_call_post (remote, event);
  return TRUE;
}

static void
take_message (RemoteHost *self, const EngineEvent *news)
{
  const guint kind = news->message.kind;
  const gboolean is_of_call = kind == LINK_NONE || kind == LINK_STARTED || kind == LINK_OUTPUT
                              || kind == LINK_PROGRESS || kind == LINK_ITEM || kind == LINK_END;

  if (!is_of_call || !take_of_call (self, news))
    lose (self,
          g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                               _ ("the other side sent what is no message")),
          TRUE);
}

/* Hosts behind the engine */

static void
take_host (RemoteHost *self, const EngineEvent *news)
{
  g_auto (RemoteHello) hello = { 0 };
  gboolean is_known;

  if (news->profile != NULL && !remote_hello_read (&hello, news->profile, NULL))
    return;
  is_known = g_hash_table_contains (self->slots, news->host);
  g_hash_table_replace (self->slots, (gpointer)news->host, GUINT_TO_POINTER (news->n));
  if (!is_known)
    hosts_host_is_up (self->hosts, news->host, news->n, hello.contracts);
}

static void
take_loss_of_host (RemoteHost *self, const EngineEvent *news)
{
  g_autoptr (GError) none
      = g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST, _ ("it has ended"));
  const GError *error = news->error != NULL ? news->error : none;
  g_autoptr (GList) calls = g_hash_table_get_values (self->calls);

  for (GList *l = calls; l != NULL; l = l->next)
    {
      RemoteCall *remote = l->data;

      if (remote->at != news->host)
        continue;
      note_end_of_call (self, remote);
      lose_call (remote, news->host, error->message);
    }
  if (g_hash_table_remove (self->slots, news->host) && news->error != NULL)
    hosts_host_is_lost (self->hosts, news->host, error);
  hosts_wake (self->hosts);
}

static void
take_room (RemoteHost *self, guint n_calls)
{
  self->room = n_calls;
  if (n_calls == 0)
    self->state = HOST_DRAINING;
  else if (self->state == HOST_STARTING)
    {
      self->state = HOST_UP;
      self->idle_since = g_get_monotonic_time ();
      back_off_reset (&self->back_off);
      g_clear_error (&self->error);
    }
  hosts_wake (self->hosts);
}

static void
take_failed_call (RemoteHost *self, const EngineEvent *news)
{
  RemoteCall *remote = g_hash_table_lookup (self->calls, &news->id);

  if (remote == NULL)
    return;
  note_end_of_call (self, remote);
  if (g_error_matches (news->error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST))
    lose_call (remote, remote->at, news->error->message);
  else
    remote_call_fail_unsent (remote, news->error);
}

static void
take_failure (RemoteHost *self, const GError *error)
{
  const gboolean is_gone = g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST);

  if (self->state == HOST_DRAINING && remote_host_get_n_calls (self) == 0)
    clear (self, FALSE);
  else
    lose (self, g_error_copy (error), !is_gone);
}

static void
on_event (ProcfunEngine *engine, const EngineEvent *news, gpointer user_data)
{
  RemoteHost *self = user_data;

  switch (news->type)
    {
    case ENGINE_ROOM:
      take_room (self, news->n);
      break;
    case ENGINE_HOST_UP:
      take_host (self, news);
      break;
    case ENGINE_HOST_LOST:
      take_loss_of_host (self, news);
      break;
    case ENGINE_MESSAGE:
      take_message (self, news);
      break;
    case ENGINE_CALL_FAILED:
      take_failed_call (self, news);
      break;
    case ENGINE_FAILED:
      take_failure (self, news->error);
      break;
    case ENGINE_REQUEST:
    default:
      break;
    }
}

/* Starting */

static GBytes *
make_profile (RemoteHost *self)
{
  const HostsConfig *config = hosts_get_config (self->hosts);
  const RemoteHello hello = { .heartbeat = config->heartbeat,
                              .depth = procfun_context_get_depth () + 1,
                              .max_payload = config->max_payload,
                              .calls_in_flight = config->calls_in_flight,
                              .locale = (char *)intl_get_locale () };

  return remote_hello_make (&hello);
}

static gboolean
open_engine (RemoteHost *self, GError **error)
{
  g_autoptr (GBytes) profile = make_profile (self);

  self->engine = self->spec->command != NULL ? launcher_engine_new (self->hosts, self->spec)
                                             : engine_new (self->spec->name, error);
  if (self->engine == NULL)
    return FALSE;
  if (engine_open (self->engine, hosts_get_context (self->hosts), on_event, self, profile,
                   hosts_get_config (self->hosts)->heartbeat, error))
    return TRUE;
  g_clear_object (&self->engine);
  return FALSE;
}

void
remote_host_start (RemoteHost *self)
{
  GError *error = NULL;

  if (self->state != HOST_DOWN || back_off_get_rest (&self->back_off) > 0)
    return;
  self->room = 0;
  self->last_id = FIRST_ID - 1;
  self->had_all_ids = FALSE;
  self->started_at = g_get_monotonic_time ();
  if (open_engine (self, &error))
    {
      self->state = HOST_STARTING;
      return;
    }
  g_clear_error (&self->error);
  self->error = error;
  back_off_fail (&self->back_off, RESTART_MIN, RESTART_MAX);
}

/* Work that is due */

static gboolean
has_waited_too_long (RemoteHost *self, gint64 now, gint64 *next)
{
  const gint64 timeout = hosts_get_config (self->hosts)->connect_timeout;

  if (self->state != HOST_STARTING || timeout == 0)
    return FALSE;
  *next = MIN (*next, self->started_at + timeout);
  if (now < self->started_at + timeout)
    return FALSE;
  lose (self,
        g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_ENGINE, _ ("it did not answer within %.6g s"),
                     (double)timeout / G_USEC_PER_SEC),
        TRUE);
  return TRUE;
}

/* In µs; 0: for ever. */
static gint64
get_idle_timeout (RemoteHost *self)
{
  const HostsConfig *config = hosts_get_config (self->hosts);

  return hosts_count_there (self->hosts) > config->min_hosts ? config->idle_timeout : 0;
}

/* TRUE: it has ended. */
static gboolean
is_superfluous (RemoteHost *self, gint64 now, gint64 *next)
{
  const gint64 idle = get_idle_timeout (self);

  if (remote_host_get_n_calls (self) > 0 || self->state < HOST_UP)
    return FALSE;
  if (self->state != HOST_DRAINING && (idle == 0 || now < self->idle_since + idle))
    {
      if (idle > 0)
        *next = MIN (*next, self->idle_since + idle);
      return FALSE;
    }
  clear (self, FALSE);
  return TRUE;
}

gint64
remote_host_advance (RemoteHost *self, gint64 now)
{
  const gint64 rest = back_off_get_rest (&self->back_off);
  gint64 next = G_MAXINT64;

  if (self->state == HOST_DOWN)
    return rest > 0 ? now + rest : -1;
  if (has_waited_too_long (self, now, &next) || is_superfluous (self, now, &next))
    return now;
  return next != G_MAXINT64 ? next : -1;
}

/* Calls */

void
remote_host_cancel_elements (RemoteHost *self, RemoteCall *remote)
{
  RemoteCancelHead head = { 0 };

  while (remote_call_take_cancelled (remote, &head.element))
    engine_send (self->engine, remote->id, LINK_CANCEL, PROCFUN_MESSAGE_NONE, &head, sizeof head);
}

/* A call may be there longer than the numbers of others last. */
static guint64
make_id (RemoteHost *self)
{
  do
    {
      self->had_all_ids = self->had_all_ids || self->last_id == G_MAXUINT32;
      self->last_id = self->last_id % G_MAXUINT32 + 1;
    }
  while (g_hash_table_contains (self->calls, &self->last_id));
  return self->last_id;
}

void
remote_host_send (RemoteHost *self, RemoteCall *remote)
{
  RemoteCallHead head = remote->head;
  g_autoptr (GBytes) bytes = NULL;
  G_GNUC_UNUSED g_autoptr (RemoteCall) kept = remote_call_ref (remote);
  /* A bad answer within submit() closes the engine, which may still look at itself. */
  g_autoptr (ProcfunEngine) engine = g_object_ref (self->engine);
  ProcfunMessage message = { LINK_CALL, PROCFUN_MESSAGE_NONE, NULL, remote->args };

  remote->sent_at = g_get_monotonic_time ();
  if (remote->deadline_at > 0)
    head.left = MAX (remote->deadline_at - remote->sent_at, 1);
  remote->host = self;
  remote->id = make_id (self);
  remote->at = NULL;
  remote->was_stopped = FALSE;
  remote->n_cancelled = 0;
  g_hash_table_insert (self->calls, &remote->id, remote);
  message.head = bytes = remote_head_make (&head, sizeof head, remote->options);
  PROCFUN_ENGINE_GET_CLASS (engine)->submit (engine, remote->id, head.contract, &message,
                                             head.priority, remote->deadline_at);
  if (!remote->has_ended)
    remote_host_cancel_elements (self, remote);
}

void
remote_host_cancel (RemoteHost *self, RemoteCall *remote, gboolean is_urgent)
{
  const RemoteCancelHead head = { .is_urgent = is_urgent ? 1 : 0 };
  const gboolean was_stopped = remote->was_stopped;

  remote->was_stopped = TRUE;
  if (!was_stopped || is_urgent)
    engine_send (self->engine, remote->id, LINK_CANCEL, PROCFUN_MESSAGE_CANCEL, &head, sizeof head);
}

void
remote_host_cancel_all (RemoteHost *self)
{
  g_autoptr (GList) calls = g_hash_table_get_values (self->calls);

  for (GList *l = calls; l != NULL; l = l->next)
    remote_host_cancel (self, l->data, FALSE);
}

void
remote_host_tell_taken (RemoteHost *self, RemoteCall *remote, guint64 bytes)
{
  const RemoteTakeHead head = { .bytes = bytes };

  engine_send (self->engine, remote->id, LINK_TAKE, PROCFUN_MESSAGE_NONE, &head, sizeof head);
}
