/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/stdio-engine.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include "procfun/remote/message.h"

/* How long a host waits for the first word of its caller. */
#define HELLO_WAIT_US (60 * G_USEC_PER_SEC)

#define HEARTBEAT_MIN 1000

/* How long the last answers may take to leave a host that ends. */
#define FLUSH_MS 1000

struct _StdioEngine
{
  ProcfunEngine parent_instance;

  int in_fd;
  int out_fd;
  Link *link;       /* (nullable): it is not attached */
  GBytes *profile;  /* (nullable): of the caller, which has said nothing yet */
  gint64 heartbeat; /* in µs; 0: none */
  GSource *timer;
};

G_DEFINE_FINAL_TYPE (StdioEngine, stdio_engine, PROCFUN_TYPE_ENGINE)

/* Time */

static gboolean on_timer (gpointer user_data);

static void
stop_timer (StdioEngine *self)
{
  if (self->timer != NULL)
    g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
}

static void
set_timer (StdioEngine *self, gint64 us)
{
  stop_timer (self);
  self->timer = g_timeout_source_new ((guint)CLAMP ((us + 999) / 1000, 1, G_MAXINT));
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, g_main_context_get_thread_default ());
}

static gboolean
is_silent (StdioEngine *self, gint64 silence)
{
  return self->profile == NULL ? silence > HELLO_WAIT_US
                               : self->heartbeat > 0 && silence > 2 * self->heartbeat;
}

/* A beat is due after half the time, or the end of a silence before that. */
static gboolean
on_timer (gpointer user_data)
{
  StdioEngine *self = user_data;
  const gint64 silence = g_get_monotonic_time () - link_get_heard_at (self->link);
  g_autoptr (GError) error = NULL;

  if (is_silent (self, silence))
    {
      error = g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT, _ ("it was silent for %.6g s"),
                           (double)silence / G_USEC_PER_SEC);
      stop_timer (self);
      procfun_engine_fail (PROCFUN_ENGINE (self), error);
      return G_SOURCE_REMOVE;
    }
  if (self->profile == NULL || self->heartbeat == 0)
    return G_SOURCE_CONTINUE;
  link_send (self->link, LINK_PING, 0, NULL, 0, NULL);
  set_timer (self, MIN (self->heartbeat / 2, 2 * self->heartbeat - silence + 1));
  return G_SOURCE_REMOVE;
}

/* Messages */

static gboolean
set_no_message (GError **error)
{
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                       _ ("the other side sent what is no message"));
  return FALSE;
}

static gboolean
take_hello (StdioEngine *self, const LinkMessage *message, GError **error)
{
  g_auto (RemoteHello) hello = { 0 };

  if (message->type != LINK_HELLO)
    return set_no_message (error);
  if (!remote_hello_read (&hello, message->head, error))
    return FALSE;
  self->profile = g_bytes_ref (message->head);
  self->heartbeat = hello.heartbeat > 0 ? MAX (hello.heartbeat, HEARTBEAT_MIN) : 0;
  if (self->heartbeat > 0)
    set_timer (self, self->heartbeat / 2);
  else
    stop_timer (self);
  return TRUE;
}

static gboolean
take (StdioEngine *self, const LinkMessage *message, GError **error)
{
  ProcfunEngine *engine = PROCFUN_ENGINE (self);
  const ProcfunMessage told
      = { message->type,
          message->type == LINK_CANCEL ? PROCFUN_MESSAGE_CANCEL : PROCFUN_MESSAGE_NONE,
          message->head, message->payload };

  if (self->profile == NULL)
    return take_hello (self, message, error);
  switch ((int)message->type)
    {
    case LINK_CALL:
      procfun_engine_request (engine, message->id, 1, self->profile, &told);
      return TRUE;
    case LINK_CANCEL:
    case LINK_TAKE:
      procfun_engine_message (engine, message->id, NULL, &told);
      return TRUE;
    case LINK_PING:
      return TRUE;
    case LINK_DRAIN:
      procfun_engine_set_room (engine, 0);
      return TRUE;
    default:
      return set_no_message (error);
    }
}

static void
on_message (Link *link, const LinkMessage *message, gpointer user_data)
{
  StdioEngine *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!take (self, message, &error))
    procfun_engine_fail (PROCFUN_ENGINE (self), error);
}

static void
on_end (Link *link, const GError *error, gpointer user_data)
{
  procfun_engine_fail (user_data, error);
}

/* Orders of the library */

static gboolean
stdio_engine_attach (ProcfunEngine *engine, GBytes *profile, guint slots, GError **error)
{
  StdioEngine *self = STDIO_ENGINE (engine);

  self->link = link_new (self->in_fd, self->out_fd, G_MAXUINT64,
                         g_main_context_get_thread_default (), on_message, on_end, self);
  set_timer (self, HELLO_WAIT_US);
  link_send_bytes (self->link, LINK_HELLO, 0, profile, NULL);
  return TRUE;
}

static void
stdio_engine_answer (ProcfunEngine *engine, guint64 id, const ProcfunMessage *answer)
{
  link_send_bytes (STDIO_ENGINE (engine)->link, answer->kind, (guint32)id, answer->head,
                   answer->payload);
}

static void
stdio_engine_detach (ProcfunEngine *engine)
{
  link_send (STDIO_ENGINE (engine)->link, LINK_DRAIN, 0, NULL, 0, NULL);
}

static void
stdio_engine_close (ProcfunEngine *engine, gboolean at_once)
{
  StdioEngine *self = STDIO_ENGINE (engine);

  stop_timer (self);
  if (self->link != NULL && !at_once)
    link_flush (self->link, FLUSH_MS);
  g_clear_pointer (&self->link, link_free);
  g_clear_pointer (&self->profile, g_bytes_unref);
}

static void
stdio_engine_class_init (StdioEngineClass *klass)
{
  ProcfunEngineClass *engine_class = PROCFUN_ENGINE_CLASS (klass);

  engine_class->attach = stdio_engine_attach;
  engine_class->answer = stdio_engine_answer;
  engine_class->detach = stdio_engine_detach;
  engine_class->close = stdio_engine_close;
}

static void
stdio_engine_init (StdioEngine *self)
{
}

ProcfunEngine *
stdio_engine_new (int in_fd, int out_fd)
{
  StdioEngine *self = g_object_new (STDIO_TYPE_ENGINE, NULL);

  self->in_fd = in_fd;
  self->out_fd = out_fd;
  return PROCFUN_ENGINE (self);
}
