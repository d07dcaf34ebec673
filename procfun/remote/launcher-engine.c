/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/launcher-engine.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/spawn.h"
#include "procfun/procfun-error.h"
#include "procfun/remote/message.h"
#include "procfun/remote/upload.h"
#include <glib-unix.h>

/* A host that seems silent may have spoken while this thread had no time to hear it. */
#define SECOND_LOOK_US 50000

/* Arguments of so many bytes keep a host silent while it copies them for a process: a GiB takes
 * from half a second to nine, most of it for new memory. */
#define LARGE ((gsize)32 * 1024 * 1024)
#define COPIED_BYTES_PER_US 50

#define LAST_WORDS_MAX 4096

#define SLOTS_MAX 65536

struct _LauncherEngine
{
  ProcfunEngine parent_instance;

  Hosts *hosts; /* unowned: it has the host that has this */
  HostSpec *spec;
  Process *process; /* (nullable): it is not open */
  Upload *upload;   /* (nullable): of the program, before there is a link */
  Link *link;       /* (nullable) */
  gboolean is_up;
  int error_fd;
  GSource *error_source;
  GString *last_words; /* on stderr */
  GBytes *profile;     /* of the caller */
  GSource *timer;
  gint64 heartbeat;    /* in µs; 0: none */
  gint64 pinged_at;    /* monotonic times in µs */
  gint64 suspected_at; /* 0: it is not silent */
  GHashTable *large;   /* (element-type guint gsize): calls of which it has not spoken, and sizes */
};

G_DEFINE_FINAL_TYPE (LauncherEngine, launcher_engine, PROCFUN_TYPE_ENGINE)

/* Last words */

static void
read_errors (LauncherEngine *self)
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
  read_errors (user_data);
  return (condition & G_IO_IN) != 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static char *
launcher_engine_describe (ProcfunEngine *engine)
{
  LauncherEngine *self = LAUNCHER_ENGINE (engine);

  read_errors (self);
  if (self->last_words->len > 0)
    return g_strdup (self->last_words->str);
  if (self->upload != NULL)
    return g_strdup (upload_get_banner (self->upload));
  return self->link != NULL ? g_strdup (link_get_banner (self->link)) : NULL;
}

/* Messages */

static gboolean
take_hello (LauncherEngine *self, const LinkMessage *message, GError **error)
{
  ProcfunEngine *engine = PROCFUN_ENGINE (self);
  g_auto (RemoteHello) hello = { 0 };
  guint slots;

  if (message->type != LINK_HELLO)
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                           _ ("the other side sent what is no message"));
      return FALSE;
    }
  if (!remote_hello_read (&hello, message->head, error))
    return FALSE;
  slots = CLAMP (hello.slots, 1, SLOTS_MAX);
  self->is_up = TRUE;
  procfun_engine_host_up (engine, self->spec->name, slots, message->head);
  procfun_engine_set_room (engine, slots);
  return TRUE;
}

static gboolean
take (LauncherEngine *self, const LinkMessage *message, GError **error)
{
  const ProcfunMessage told
      = { message->type, message->type == LINK_END ? PROCFUN_MESSAGE_END : PROCFUN_MESSAGE_NONE,
          message->head, message->payload };

  if (!self->is_up)
    return take_hello (self, message, error);
  switch ((int)message->type)
    {
    case LINK_PING:
      return TRUE;
    case LINK_DRAIN:
      procfun_engine_set_room (PROCFUN_ENGINE (self), 0);
      return TRUE;
    default:
      if (g_hash_table_size (self->large) > 0)
        g_hash_table_remove (self->large, GUINT_TO_POINTER (message->id));
      procfun_engine_message (PROCFUN_ENGINE (self), message->id, self->spec->name, &told);
      return TRUE;
    }
}

static void
on_message (Link *link, const LinkMessage *message, gpointer user_data)
{
  g_autoptr (LauncherEngine) self = g_object_ref (user_data);
  g_autoptr (GError) error = NULL;

  if (!take (self, message, &error))
    procfun_engine_fail (PROCFUN_ENGINE (self), error);
}

static void
on_end (Link *link, const GError *error, gpointer user_data)
{
  procfun_engine_fail (user_data, error);
}

/* Time */

/* How long it may be silent, in µs. */
static gint64
get_patience (LauncherEngine *self)
{
  GHashTableIter iter;
  gpointer value;
  gsize largest = 0;

  g_hash_table_iter_init (&iter, self->large);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    largest = MAX (largest, GPOINTER_TO_SIZE (value));
  return 2 * self->heartbeat + (gint64)(largest / COPIED_BYTES_PER_US);
}

/* TRUE: it is given up. */
static gboolean
is_silent (LauncherEngine *self, gint64 now, gint64 *next)
{
  const gint64 heard_at = link_get_heard_at (self->link);
  const gint64 due = heard_at + get_patience (self);
  g_autoptr (GError) error = NULL;

  if (!self->is_up)
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
  error = g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT, _ ("it was silent for %.6g s"),
                       (double)(now - heard_at) / G_USEC_PER_SEC);
  procfun_engine_fail (PROCFUN_ENGINE (self), error);
  return TRUE;
}

static void
ping (LauncherEngine *self, gint64 now, gint64 *next)
{
  const gint64 step = self->heartbeat / 2;

  if (now >= self->pinged_at + step)
    {
      link_send (self->link, LINK_PING, 0, NULL, 0, NULL);
      self->pinged_at = now;
    }
  *next = MIN (*next, self->pinged_at + step);
}

static gboolean
on_timer (GSource *source, GSourceFunc func, gpointer user_data)
{
  LauncherEngine *self = user_data;
  const gint64 now = g_get_monotonic_time ();
  gint64 next = G_MAXINT64;

  if (is_silent (self, now, &next))
    return G_SOURCE_REMOVE;
  ping (self, now, &next);
  g_source_set_ready_time (source, next);
  return G_SOURCE_CONTINUE;
}

static void
start_timer (LauncherEngine *self)
{
  static GSourceFuncs funcs = { .dispatch = on_timer };

  if (self->heartbeat == 0)
    return;
  self->timer = g_source_new (&funcs, sizeof (GSource));
  g_source_set_callback (self->timer, NULL, self, NULL);
  g_source_set_ready_time (self->timer, 0);
  g_source_attach (self->timer, hosts_get_context (self->hosts));
}

/* Beginning and end */

static gboolean
launch (LauncherEngine *self, const char *const *argv, int *stream, GError **error)
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
begin_link (LauncherEngine *self, int stream)
{
  const HostsConfig *config = hosts_get_config (self->hosts);

  self->pinged_at = g_get_monotonic_time ();
  /* A result has the contents of buffers, too, which are as large as the arguments at most. */
  self->link
      = link_new (stream, stream, 2 * MIN (config->max_payload, G_MAXINT64 / 2) + REMOTE_CHUNK_MAX,
                  hosts_get_context (self->hosts), on_message, on_end, self);
  start_timer (self);
  link_send_bytes (self->link, LINK_HELLO, 0, self->profile, NULL);
}

static void
on_uploaded (const GError *error, gpointer user_data)
{
  LauncherEngine *self = user_data;
  int stream;

  if (error != NULL)
    {
      procfun_engine_fail (PROCFUN_ENGINE (self), error);
      return;
    }
  stream = upload_steal_fd (self->upload);
  g_clear_pointer (&self->upload, upload_free);
  begin_link (self, stream);
}

static gboolean
launcher_engine_open (ProcfunEngine *engine, GBytes *profile, gint64 heartbeat, GError **error)
{
  LauncherEngine *self = LAUNCHER_ENGINE (engine);
  const HostsConfig *config = hosts_get_config (self->hosts);
  GMainContext *context = hosts_get_context (self->hosts);
  const UploadFile *file = NULL;
  g_auto (GStrv) argv = NULL;
  int stream;

  if (self->spec->uploads && (file = hosts_get_upload_file (self->hosts, error)) == NULL)
    return FALSE;
  argv = host_spec_make_command (self->spec, config->program, config->library, file);
  if (!launch (self, (const char *const *)argv, &stream, error))
    return FALSE;
  self->heartbeat = heartbeat;
  self->profile = g_bytes_ref (profile);
  self->error_source = g_unix_fd_source_new (self->error_fd, G_IO_IN);
  g_source_set_callback (self->error_source, G_SOURCE_FUNC (on_errors), self, NULL);
  g_source_attach (self->error_source, context);
  if (file != NULL)
    self->upload = upload_new (stream, file, context, on_uploaded, self);
  else
    begin_link (self, stream);
  return TRUE;
}

static void
launcher_engine_submit (ProcfunEngine *engine, guint64 id, guint64 contract,
                        const ProcfunMessage *call, int priority, gint64 expires)
{
  LauncherEngine *self = LAUNCHER_ENGINE (engine);
  const gsize size = call->payload != NULL ? g_bytes_get_size (call->payload) : 0;

  if (size >= LARGE)
    g_hash_table_insert (self->large, GUINT_TO_POINTER ((guint32)id), GSIZE_TO_POINTER (size));
  link_send_bytes (self->link, call->kind, (guint32)id, call->head, call->payload);
}

static void
launcher_engine_send (ProcfunEngine *engine, guint64 id, const ProcfunMessage *word)
{
  link_send_bytes (LAUNCHER_ENGINE (engine)->link, word->kind, (guint32)id, word->head,
                   word->payload);
}

static void
launcher_engine_close (ProcfunEngine *engine, gboolean at_once)
{
  LauncherEngine *self = LAUNCHER_ENGINE (engine);

  g_clear_pointer (&self->upload, upload_free);
  g_clear_pointer (&self->link, link_free);
  g_source_destroy (self->error_source);
  g_clear_pointer (&self->error_source, g_source_unref);
  if (self->timer != NULL)
    g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
  fd_clear (&self->error_fd);
  hosts_reap (self->hosts, g_steal_pointer (&self->process), at_once);
}

static void
launcher_engine_finalize (GObject *object)
{
  LauncherEngine *self = LAUNCHER_ENGINE (object);

  g_string_free (self->last_words, TRUE);
  g_clear_pointer (&self->profile, g_bytes_unref);
  g_hash_table_unref (self->large);
  host_spec_unref (self->spec);
  G_OBJECT_CLASS (launcher_engine_parent_class)->finalize (object);
}

static void
launcher_engine_class_init (LauncherEngineClass *klass)
{
  ProcfunEngineClass *engine_class = PROCFUN_ENGINE_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = launcher_engine_finalize;
  engine_class->open = launcher_engine_open;
  engine_class->submit = launcher_engine_submit;
  engine_class->send = launcher_engine_send;
  engine_class->describe = launcher_engine_describe;
  engine_class->close = launcher_engine_close;
}

static void
launcher_engine_init (LauncherEngine *self)
{
  self->last_words = g_string_new (NULL);
  self->large = g_hash_table_new (NULL, NULL);
  self->error_fd = -1;
}

ProcfunEngine *
launcher_engine_new (Hosts *hosts, HostSpec *spec)
{
  LauncherEngine *self = g_object_new (LAUNCHER_TYPE_ENGINE, NULL);

  self->hosts = hosts;
  self->spec = host_spec_ref (spec);
  return PROCFUN_ENGINE (self);
}
