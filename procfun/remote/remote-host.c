/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/remote-host.h"

#include "procfun/base/intl.h"
#include "procfun/base/readable.h"
#include "procfun/core/context.h"
#include "procfun/core/failure.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/spawn.h"
#include "procfun/process/back-off.h"
#include "procfun/procfun-error.h"
#include "procfun/remote/hosts.h"
#include <glib-unix.h>
#include <string.h>

/* Time until a host that was gone is started again, in µs. */
#define RESTART_MIN 100000
#define RESTART_MAX (30 * G_USEC_PER_SEC)

/* A host that seems silent may have spoken while this thread had no time to hear it. */
#define SECOND_LOOK_US 50000

#define LAST_WORDS_MAX 4096
#define QUOTED_MAX 400

#define SLOTS_MAX 65536

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
  Process *process;
  Link *link;
  int error_fd;
  GSource *error_source;
  GString *last_words; /* on stderr */
  guint slots;
  GHashTable *calls; /* (element-type guint32 RemoteCall) */
  guint32 last_id;
  gint64 started_at; /* monotonic times in µs */
  gint64 pinged_at;
  gint64 suspected_at; /* 0: it is not silent */
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
  self->calls = g_hash_table_new (NULL, NULL);
  self->last_words = g_string_new (NULL);
  self->error_fd = -1;
  return self;
}

void
remote_host_free (RemoteHost *self)
{
  g_clear_error (&self->error);
  g_hash_table_unref (self->refusals);
  g_hash_table_unref (self->calls);
  g_string_free (self->last_words, TRUE);
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
remote_host_is_up (const RemoteHost *self)
{
  return self->state == HOST_UP;
}

guint
remote_host_get_slots (const RemoteHost *self)
{
  return self->slots;
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
  const guint max = self->slots * MAX (hosts_get_config (self->hosts)->calls_in_flight, 1);

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

/* Last words */

static void
read_errors (RemoteHost *self)
{
  char text[1024];
  gssize n;

  while (self->error_fd >= 0 && (n = read (self->error_fd, text, sizeof text)) > 0)
    {
      g_string_append_len (self->last_words, text, n);
      if (self->last_words->len > 2 * LAST_WORDS_MAX)
        g_string_erase (self->last_words, 0, (gssize)(self->last_words->len - LAST_WORDS_MAX));
    }
}

static gboolean
on_errors (int fd, GIOCondition condition, gpointer user_data)
{
  RemoteHost *self = user_data;

  read_errors (self);
  return (condition & G_IO_IN) != 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

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
  char *words;

  read_errors (self);
  words = quote (self->last_words->str);
  return words != NULL ? words : quote (link_get_banner (self->link));
}

/* Ends */

static void
clear (RemoteHost *self, gboolean is_hung)
{
  g_clear_pointer (&self->link, link_free);
  g_source_destroy (self->error_source);
  g_clear_pointer (&self->error_source, g_source_unref);
  fd_clear (&self->error_fd);
  hosts_reap (self->hosts, g_steal_pointer (&self->process), is_hung);
  g_string_truncate (self->last_words, 0);
  g_hash_table_remove_all (self->refusals); /* the program may be another one next time */
  self->state = HOST_DOWN;
}

/* Whether the functions have begun is not known. */
static void
lose_calls (RemoteHost *self, const GError *error)
{
  g_autoptr (GHashTable) calls = self->calls;
  GHashTableIter iter;
  gpointer remote;

  self->calls = g_hash_table_new (NULL, NULL);
  g_hash_table_iter_init (&iter, calls);
  while (g_hash_table_iter_next (&iter, NULL, &remote))
    remote_call_fail (remote, PROCFUN_CAUSE_WORKER_LOST, get_name (self),
                      g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                                   _ ("%s() lost its host: %s"),
                                   ((RemoteCall *)remote)->function_name, error->message));
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

/* Takes @error. @is_hung: it will not end by itself. */
static void
lose (RemoteHost *self, GError *error, gboolean is_hung)
{
  g_autoptr (GError) own_error = error;
  g_autofree char *last_words = get_last_words (self);
  const gboolean was_up = self->state >= HOST_UP;

  g_clear_error (&self->error);
  self->error = describe (self, own_error, last_words);
  clear (self, is_hung);
  back_off_fail (&self->back_off, RESTART_MIN, RESTART_MAX);
  lose_calls (self, self->error);
  if (was_up)
    {
      hosts_host_is_lost (self->hosts, get_name (self), self->error);
      g_clear_error (&self->error); /* it is tried again before calls fail */
    }
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
make_event (RemoteHost *self, const LinkMessage *message)
{
  RemoteEvent *event = g_new0 (RemoteEvent, 1);

  event->type = message->type;
  event->host = get_name (self);
  event->payload = g_bytes_ref (message->payload);
  return event;
}

static gboolean
read_event (RemoteEvent *event, const LinkMessage *message)
{
  RemoteStartedHead started;
  RemoteOutputHead output;
  RemoteProgressHead progress;

  switch ((int)message->type)
    {
    case LINK_STARTED:
      if (!remote_head_read (message, &started, sizeof started) || started.pid < 0
          || started.pid > G_MAXINT32)
        return FALSE;
      event->pid = started.pid;
      return TRUE;
    case LINK_OUTPUT:
      if (!remote_head_read (message, &output, sizeof output)
          || output.stream > PROCFUN_STREAM_STDERR)
        return FALSE;
      event->number = output.stream;
      return TRUE;
    case LINK_PROGRESS:
      if (!remote_head_read (message, &progress, sizeof progress))
        return FALSE;
      event->fraction = progress.fraction;
      event->number = progress.has_text;
      return TRUE;
    default:
      return message->type == LINK_ITEM && g_bytes_get_size (message->head) == 0;
    }
}

static void
note_end_of_call (RemoteHost *self, RemoteCall *remote)
{
  g_hash_table_remove (self->calls, GUINT_TO_POINTER (remote->id));
  remote->host = NULL;
  if (remote_host_get_n_calls (self) == 0)
    self->idle_since = g_get_monotonic_time ();
  hosts_wake (self->hosts);
}

/* Another host may have the function. */
static void
take_refusal (RemoteHost *self, RemoteCall *remote, const LinkMessage *message)
{
  ProcfunFailure *failure;
  GError *error = remote_end_unpack (message->payload, remote->function_name, &failure);

  g_clear_pointer (&failure, procfun_failure_unref);
  if (self->state == HOST_UP)
    g_hash_table_replace (self->refusals,
                          g_memdup2 (&remote->head.contract, sizeof remote->head.contract), error);
  else
    g_error_free (error);
  hosts_return_call (self->hosts, remote);
}

static gboolean
take_end (RemoteHost *self, RemoteCall *remote, const LinkMessage *message)
{
  RemoteEndHead head;
  RemoteEvent *event;

  if (!remote_head_read (message, &head, sizeof head) || head.status >= REMOTE_END_AFTER_LAST)
    return FALSE;
  note_end_of_call (self, remote);
  if (head.status == REMOTE_END_REFUSED)
    {
      take_refusal (self, remote, message);
      return TRUE;
    }
  event = make_event (self, message);
  event->pid = head.pid;
  event->number = head.status;
  event->has_usage = head.has_usage != 0;
  event->usage = head.usage;
  event->chunk = head.chunk;
  event->elapsed = g_get_monotonic_time () - remote->sent_at;
  remote_call_end (remote, event);
  return TRUE;
}

/* FALSE: no host sends that. A call that is not known has ended. */
static gboolean
take_of_call (RemoteHost *self, const LinkMessage *message)
{
  RemoteCall *remote = g_hash_table_lookup (self->calls, GUINT_TO_POINTER (message->id));
  RemoteEvent *event;

  if (remote == NULL)
    return message->id <= self->last_id;
  if (message->type == LINK_END)
    return take_end (self, remote, message);
  event = make_event (self, message);
  if (!read_event (event, message))
    {
      remote_event_free (event);
      return FALSE;
    }
  remote_call_post (remote, event);
  return TRUE;
}

static gboolean
take_hello (RemoteHost *self, const LinkMessage *message, GError **error)
{
  g_auto (RemoteHello) hello = { 0 };

  if (!remote_hello_read (&hello, message, error))
    return FALSE;
  self->slots = CLAMP (hello.slots, 1, SLOTS_MAX);
  self->state = HOST_UP;
  self->idle_since = g_get_monotonic_time ();
  back_off_reset (&self->back_off);
  g_clear_error (&self->error);
  hosts_host_is_up (self->hosts, get_name (self), self->slots, hello.contracts);
  return TRUE;
}

static gboolean
take (RemoteHost *self, const LinkMessage *message, GError **error)
{
  if (self->state == HOST_STARTING)
    return take_hello (self, message, error);
  switch ((int)message->type)
    {
    case LINK_PING:
      return TRUE;
    case LINK_DRAIN:
      self->state = HOST_DRAINING;
      return TRUE;
    case LINK_STARTED:
    case LINK_OUTPUT:
    case LINK_PROGRESS:
    case LINK_ITEM:
    case LINK_END:
      if (take_of_call (self, message))
        return TRUE;
      break;
    default:
      break;
    }
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                       _ ("the other side sent what is no message"));
  return FALSE;
}

static void
on_message (Link *link, const LinkMessage *message, gpointer user_data)
{
  RemoteHost *self = user_data;
  GError *error = NULL;

  if (!take (self, message, &error))
    lose (self, error, TRUE);
}

static void
on_end (Link *link, const GError *error, gpointer user_data)
{
  RemoteHost *self = user_data;

  if (self->state == HOST_DRAINING && remote_host_get_n_calls (self) == 0)
    clear (self, FALSE);
  else
    lose (self, g_error_copy (error), FALSE);
}

/* Starting */

static void
fail_to_start (RemoteHost *self, GError *error)
{
  g_clear_error (&self->error);
  self->error = error;
  back_off_fail (&self->back_off, RESTART_MIN, RESTART_MAX);
}

static gboolean
launch (RemoteHost *self, const char *const *argv, int *stream, GError **error)
{
  int fds[2], errors[2];
  gboolean ok;
  pid_t pid;

  if (!fds_open_socketpair (fds, error))
    return FALSE;
  if (!fds_open_pipe (errors, error))
    {
      fd_clear (&fds[0]);
      fd_clear (&fds[1]);
      return FALSE;
    }
  g_unix_set_fd_nonblocking (fds[1], FALSE, NULL);
  ok = spawn_command (argv, (const int[]){ fds[1], fds[1], errors[1] }, &pid, error);
  fd_clear (&fds[1]);
  fd_clear (&errors[1]);
  if (!ok)
    {
      fd_clear (&fds[0]);
      fd_clear (&errors[0]);
      return FALSE;
    }
  self->process = process_new (pid, NULL, NULL, NULL);
  self->error_fd = errors[0];
  *stream = fds[0];
  return TRUE;
}

static void
greet (RemoteHost *self)
{
  const HostsConfig *config = hosts_get_config (self->hosts);
  const RemoteHello hello = { .heartbeat = config->heartbeat,
                              .depth = procfun_context_get_depth () + 1,
                              .max_payload = config->max_payload,
                              .locale = (char *)intl_get_locale () };

  remote_hello_send (&hello, self->link);
}

void
remote_host_start (RemoteHost *self)
{
  const HostsConfig *config = hosts_get_config (self->hosts);
  g_auto (GStrv) argv = NULL;
  GError *error = NULL;
  int stream;

  if (self->state != HOST_DOWN || back_off_get_rest (&self->back_off) > 0)
    return;
  argv = host_spec_make_command (self->spec, config->program, config->library, &error);
  if (argv == NULL || !launch (self, (const char *const *)argv, &stream, &error))
    {
      fail_to_start (self, error);
      return;
    }
  self->state = HOST_STARTING;
  self->started_at = self->pinged_at = g_get_monotonic_time ();
  self->suspected_at = 0;
  /* A result has the contents of buffers, too, which are as large as the arguments at most. */
  self->link
      = link_new (stream, stream, 2 * MIN (config->max_payload, G_MAXINT64 / 2) + REMOTE_CHUNK_MAX,
                  hosts_get_context (self->hosts), on_message, on_end, self);
  self->error_source = g_unix_fd_source_new (self->error_fd, G_IO_IN);
  g_source_set_callback (self->error_source, G_SOURCE_FUNC (on_errors), self, NULL);
  g_source_attach (self->error_source, hosts_get_context (self->hosts));
  greet (self);
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

static gboolean
is_silent (RemoteHost *self, gint64 now, gint64 *next)
{
  const gint64 heartbeat = hosts_get_config (self->hosts)->heartbeat;
  const gint64 due = link_get_heard_at (self->link) + 2 * heartbeat;

  if (self->state < HOST_UP || heartbeat == 0)
    return FALSE;
  if (now < due)
    {
      self->suspected_at = 0;
      *next = MIN (*next, due);
      return FALSE;
    }
  if (self->suspected_at == 0)
    self->suspected_at = now;
  if (now < self->suspected_at + SECOND_LOOK_US)
    {
      *next = MIN (*next, self->suspected_at + SECOND_LOOK_US);
      return FALSE;
    }
  lose (self,
        g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST, _ ("it was silent for %.6g s"),
                     (double)(now - link_get_heard_at (self->link)) / G_USEC_PER_SEC),
        TRUE);
  return TRUE;
}

static void
ping (RemoteHost *self, gint64 now, gint64 *next)
{
  const gint64 step = hosts_get_config (self->hosts)->heartbeat / 2;

  if (step == 0)
    return;
  if (now >= self->pinged_at + step)
    {
      link_send (self->link, LINK_PING, 0, NULL, 0, NULL);
      self->pinged_at = now;
    }
  *next = MIN (*next, self->pinged_at + step);
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
  if (has_waited_too_long (self, now, &next) || is_silent (self, now, &next)
      || is_superfluous (self, now, &next))
    return now;
  ping (self, now, &next);
  return next != G_MAXINT64 ? next : -1;
}

/* Calls */

void
remote_host_send (RemoteHost *self, RemoteCall *remote)
{
  RemoteCallHead head = remote->head;

  if (remote->deadline_at > 0)
    head.left = MAX (remote->deadline_at - g_get_monotonic_time (), 1);
  remote->host = self;
  remote->id = ++self->last_id;
  remote->was_stopped = FALSE;
  remote->sent_at = g_get_monotonic_time ();
  g_hash_table_insert (self->calls, GUINT_TO_POINTER (remote->id), remote);
  link_send_with (self->link, LINK_CALL, remote->id, &head, sizeof head, remote->options,
                  g_bytes_ref (remote->args));
}

void
remote_host_cancel (RemoteHost *self, RemoteCall *remote, gboolean is_urgent)
{
  const RemoteCancelHead head = { .is_urgent = is_urgent ? 1 : 0 };

  if (!remote->was_stopped || is_urgent)
    link_send (self->link, LINK_CANCEL, remote->id, &head, sizeof head, NULL);
  remote->was_stopped = TRUE;
}

void
remote_host_cancel_all (RemoteHost *self)
{
  GHashTableIter iter;
  gpointer remote;

  g_hash_table_iter_init (&iter, self->calls);
  while (g_hash_table_iter_next (&iter, NULL, &remote))
    remote_host_cancel (self, remote, FALSE);
}

void
remote_host_tell_taken (RemoteHost *self, RemoteCall *remote, guint64 bytes)
{
  const RemoteTakeHead head = { .bytes = bytes };

  link_send (self->link, LINK_TAKE, remote->id, &head, sizeof head, NULL);
}
