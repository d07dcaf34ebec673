/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/engine.h"

#include "procfun/base/intl.h"
#include "procfun/base/wake-source.h"
#include "procfun/procfun-error.h"
#include "procfun/remote/host-name.h"

/**
 * SECTION:procfun-engine
 * @title: ProcfunEngine
 * @short_description: carries calls to other machines
 * @include: procfun.h
 *
 * Carries calls to other machines.
 */

/**
 * ProcfunEngine:
 *
 * Carries calls to other machines.
 *
 * An engine moves messages between callers and hosts, and knows nothing of what is in them. This
 * library has one of its own, which starts hosts by a command and speaks with them over its
 * standard input and output. A module adds another one, for URLs of its scheme: a type that derives
 * from this class, at the extension point %PROCFUN_ENGINE_EXTENSION_POINT_NAME.
 *
 * |[<!-- language="C" -->
 * void
 * g_io_module_load (GIOModule *module)
 * {
 *   g_type_module_use (G_TYPE_MODULE (module));
 *   my_engine_register_type (G_TYPE_MODULE (module));
 *   g_io_extension_point_implement (PROCFUN_ENGINE_EXTENSION_POINT_NAME, MY_TYPE_ENGINE, "my", 0);
 * }
 * ]|
 *
 * Modules are looked for in the folder `engines` beside procfun-worker, or in the one that the
 * environment variable `PROCFUN_ENGINES` names, the first time that a scheme is used which the
 * library does not have. Setuid and setgid programs load none.
 *
 * A #ProcfunRemotePool makes an engine for `my://host/pool` with that as its URL. It opens it, and
 * submits calls as soon as procfun_engine_set_room() says that there is room. The host, which is
 * `procfun worker my://host/pool PROGRAM`, attaches an engine of the same kind; calls come to it
 * with procfun_engine_request(). Answers go the other way, and come to the caller with
 * procfun_engine_message().
 *
 * A call is answered once. An engine that may deliver a call more than once counts the deliveries,
 * and the library runs none but the first. An engine that keeps calls while hosts are away tells
 * when a host is lost, with procfun_engine_host_lost(): calls that it had taken are lost with it.
 *
 * Events may come from any thread, and also in these functions; those of `open` and `attach` are
 * heeded once it has returned.
 *
 * Since: 0.1
 */

typedef struct
{
  WakeSource base;
  ProcfunEngine *engine; /* unowned: the engine destroys the source */
} EngineSource;

typedef struct
{
  char *url; /* (nullable) */

  GMutex lock;           /* for what follows */
  GQueue events;         /* (element-type EngineEvent) */
  GMainContext *context; /* (nullable): it is neither open nor attached */
  WakeSource *source;
  EngineFunc func;
  gpointer user_data;
  gboolean is_opening; /* events have their place, and are told later */
} ProcfunEnginePrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (ProcfunEngine, procfun_engine, G_TYPE_OBJECT)

enum
{
  PROP_URL = 1,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

static ProcfunEnginePrivate *
get_private (ProcfunEngine *self)
{
  return procfun_engine_get_instance_private (self);
}

/* Events */

static void
message_clear (ProcfunMessage *self)
{
  g_clear_pointer (&self->head, g_bytes_unref);
  g_clear_pointer (&self->payload, g_bytes_unref);
}

static void
engine_event_free (gpointer event)
{
  EngineEvent *self = event;

  g_clear_pointer (&self->profile, g_bytes_unref);
  message_clear (&self->message);
  g_clear_error (&self->error);
  g_free (self);
}

static EngineEvent *
engine_event_copy (const EngineEvent *other)
{
  EngineEvent *self = g_memdup2 (other, sizeof *other);

  if (self->profile != NULL)
    g_bytes_ref (self->profile);
  if (self->message.head != NULL)
    g_bytes_ref (self->message.head);
  if (self->message.payload != NULL)
    g_bytes_ref (self->message.payload);
  if (self->error != NULL)
    self->error = g_error_copy (self->error);
  return self;
}

/* TRUE: @event is to be told at once, in this thread. Otherwise it has its place. */
static gboolean
take_turn (ProcfunEnginePrivate *priv, const EngineEvent *event)
{
  gboolean is_here = FALSE;

  g_mutex_lock (&priv->lock);
  if (priv->context != NULL)
    {
      is_here = !priv->is_opening && g_queue_is_empty (&priv->events)
                && g_main_context_is_owner (priv->context);
      if (!is_here)
        {
          g_queue_push_tail (&priv->events, engine_event_copy (event));
          wake_source_wake (priv->source);
        }
    }
  g_mutex_unlock (&priv->lock);
  return is_here;
}

static void
tell (ProcfunEngine *self, const EngineEvent *event)
{
  ProcfunEnginePrivate *priv = get_private (self);

  if (priv->func != NULL)
    priv->func (self, event, priv->user_data);
}

static void
emit (ProcfunEngine *self, const EngineEvent *event)
{
  if (!take_turn (get_private (self), event))
    return;
  g_object_ref (self);
  tell (self, event);
  g_object_unref (self);
}

static gboolean
engine_source_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  g_autoptr (ProcfunEngine) self = g_object_ref (((EngineSource *)source)->engine);
  ProcfunEnginePrivate *priv = get_private (self);
  EngineEvent *event;

  wake_source_begin ((WakeSource *)source);
  while (!g_source_is_destroyed (source))
    {
      g_mutex_lock (&priv->lock);
      event = g_queue_peek_head (&priv->events);
      g_mutex_unlock (&priv->lock);
      if (event == NULL)
        break;
      tell (self, event); /* meanwhile it is there, and no other one overtakes it */
      g_mutex_lock (&priv->lock);
      if (g_queue_remove (&priv->events, event))
        engine_event_free (event);
      g_mutex_unlock (&priv->lock);
    }
  return G_SOURCE_CONTINUE;
}

static void
stop_listening (ProcfunEngine *self)
{
  ProcfunEnginePrivate *priv = get_private (self);

  g_mutex_lock (&priv->lock);
  if (priv->source != NULL)
    {
      g_source_destroy (&priv->source->source);
      g_source_unref (&g_steal_pointer (&priv->source)->source);
    }
  g_clear_pointer (&priv->context, g_main_context_unref);
  priv->func = NULL;
  g_mutex_unlock (&priv->lock);
}

static void
listen (ProcfunEngine *self, GMainContext *context, EngineFunc func, gpointer user_data)
{
  static GSourceFuncs funcs = { .prepare = wake_source_prepare,
                                .check = wake_source_check,
                                .dispatch = engine_source_dispatch };
  GSource *source = wake_source_new (&funcs, sizeof (EngineSource));
  ProcfunEnginePrivate *priv = get_private (self);

  priv->is_opening = TRUE;
  priv->func = func;
  priv->user_data = user_data;
  priv->context = g_main_context_ref (context);
  ((EngineSource *)source)->engine = self;
  g_source_set_static_name (source, "procfun engine");
  priv->source = (WakeSource *)source;
  wake_source_attach (priv->source, context);
}

/* Orders of the library */

static gboolean
finish_opening (ProcfunEngine *self, gboolean ok)
{
  ProcfunEnginePrivate *priv = get_private (self);

  g_mutex_lock (&priv->lock);
  priv->is_opening = FALSE;
  g_mutex_unlock (&priv->lock);
  if (!ok)
    stop_listening (self);
  return ok;
}

gboolean
engine_open (ProcfunEngine *self, GMainContext *context, EngineFunc func, gpointer user_data,
             GBytes *profile, gint64 heartbeat, GError **error)
{
  listen (self, context, func, user_data);
  return finish_opening (self,
                         PROCFUN_ENGINE_GET_CLASS (self)->open (self, profile, heartbeat, error));
}

gboolean
engine_attach (ProcfunEngine *self, GMainContext *context, EngineFunc func, gpointer user_data,
               GBytes *profile, guint slots, GError **error)
{
  listen (self, context, func, user_data);
  return finish_opening (self,
                         PROCFUN_ENGINE_GET_CLASS (self)->attach (self, profile, slots, error));
}

void
engine_close (ProcfunEngine *self, gboolean at_once)
{
  stop_listening (self);
  PROCFUN_ENGINE_GET_CLASS (self)->close (self, at_once);
}

char *
engine_describe (ProcfunEngine *self)
{
  const ProcfunEngineClass *klass = PROCFUN_ENGINE_GET_CLASS (self);

  return klass->describe != NULL ? klass->describe (self) : NULL;
}

void
engine_answer (ProcfunEngine *self, guint64 id, guint kind, gconstpointer head, gsize head_size,
               ProcfunMessageFlags flags, GBytes *payload)
{
  g_autoptr (GBytes) bytes = head_size > 0 ? g_bytes_new (head, head_size) : NULL;
  const ProcfunMessage message = { kind, flags, bytes, payload };

  PROCFUN_ENGINE_GET_CLASS (self)->answer (self, id, &message);
  g_clear_pointer (&payload, g_bytes_unref);
}

void
engine_send (ProcfunEngine *self, guint64 id, guint kind, ProcfunMessageFlags flags,
             gconstpointer head, gsize head_size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (head, head_size);
  const ProcfunMessage message = { kind, flags, bytes, NULL };

  PROCFUN_ENGINE_GET_CLASS (self)->send (self, id, &message);
}

gboolean
engine_set_up (ProcfunEngine *self, GError **error)
{
  return PROCFUN_ENGINE_GET_CLASS (self)->setup (self, error);
}

/* Roles that an engine does not have */

static gboolean
refuse_to_open (ProcfunEngine *self, GBytes *profile, gint64 heartbeat, GError **error)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENGINE, _ ("%s: no calls can be sent there"),
               get_private (self)->url);
  return FALSE;
}

static gboolean
refuse_to_attach (ProcfunEngine *self, GBytes *profile, guint slots, GError **error)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENGINE, _ ("%s: no calls come from there"),
               get_private (self)->url);
  return FALSE;
}

static void
ignore_number (ProcfunEngine *self, guint n)
{
}

static void
ignore_message (ProcfunEngine *self, guint64 id, const ProcfunMessage *message)
{
}

static void
ignore (ProcfunEngine *self)
{
}

static void
close_nothing (ProcfunEngine *self, gboolean at_once)
{
}

static gboolean
set_up_nothing (ProcfunEngine *self, GError **error)
{
  return TRUE;
}

/* The object */

static void
procfun_engine_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_URL)
    g_value_set_string (value, get_private (PROCFUN_ENGINE (object))->url);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
procfun_engine_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_URL)
    get_private (PROCFUN_ENGINE (object))->url = g_value_dup_string (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
procfun_engine_finalize (GObject *object)
{
  ProcfunEnginePrivate *priv = get_private (PROCFUN_ENGINE (object));

  stop_listening (PROCFUN_ENGINE (object));
  g_queue_clear_full (&priv->events, engine_event_free);
  g_mutex_clear (&priv->lock);
  g_free (priv->url);
  G_OBJECT_CLASS (procfun_engine_parent_class)->finalize (object);
}

static void
procfun_engine_class_init (ProcfunEngineClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = procfun_engine_get_property;
  object_class->set_property = procfun_engine_set_property;
  object_class->finalize = procfun_engine_finalize;
  klass->open = refuse_to_open;
  klass->send = ignore_message;
  klass->attach = refuse_to_attach;
  klass->set_free = ignore_number;
  klass->answer = ignore_message;
  klass->detach = ignore;
  klass->close = close_nothing;
  klass->setup = set_up_nothing;

  /**
   * ProcfunEngine:url:
   *
   * Where calls go to, or come from.
   *
   * Since: 0.1
   */
  props[PROP_URL] = g_param_spec_string (
      "url", NULL, NULL, NULL, G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
procfun_engine_init (ProcfunEngine *self)
{
  ProcfunEnginePrivate *priv = get_private (self);

  g_mutex_init (&priv->lock);
  g_queue_init (&priv->events);
}

/**
 * procfun_engine_get_url:
 * @self: an engine
 *
 * Gets where calls go to, or come from.
 *
 * Returns: (nullable): the URL
 *
 * Since: 0.1
 */
const char *
procfun_engine_get_url (ProcfunEngine *self)
{
  g_return_val_if_fail (PROCFUN_IS_ENGINE (self), NULL);

  return get_private (self)->url;
}

/**
 * procfun_engine_set_room:
 * @self: an engine
 * @n_calls: calls that it may have at once
 *
 * Says that the engine takes calls. An engine that keeps calls in a queue says so once it has
 * reached that, with a large number. With 0, it takes no more, and is closed when those that it has
 * have ended; a host takes that as the wish of its caller to end.
 *
 * Since: 0.1
 */
void
procfun_engine_set_room (ProcfunEngine *self, guint n_calls)
{
  const EngineEvent event = { .type = ENGINE_ROOM, .n = n_calls };

  g_return_if_fail (PROCFUN_IS_ENGINE (self));

  emit (self, &event);
}

/**
 * procfun_engine_host_up:
 * @self: an engine
 * @host: the name of a host
 * @slots: calls that it runs at once
 * @profile: (nullable): what the host gave when it attached
 *
 * Says that a host is there.
 *
 * Since: 0.1
 */
void
procfun_engine_host_up (ProcfunEngine *self, const char *host, guint slots, GBytes *profile)
{
  const EngineEvent event
      = { .type = ENGINE_HOST_UP, .host = host_name_keep (host), .n = slots, .profile = profile };

  g_return_if_fail (PROCFUN_IS_ENGINE (self));
  g_return_if_fail (host != NULL);

  emit (self, &event);
}

/**
 * procfun_engine_host_lost:
 * @self: an engine
 * @host: the name of a host
 * @error: (nullable): why; %NULL: it has ended as it should
 *
 * Says that a host is gone. Calls that it has answered with any message, and not ended, fail with
 * %PROCFUN_ERROR_WORKER_LOST.
 *
 * Since: 0.1
 */
void
procfun_engine_host_lost (ProcfunEngine *self, const char *host, const GError *error)
{
  const EngineEvent event
      = { .type = ENGINE_HOST_LOST, .host = host_name_keep (host), .error = (GError *)error };

  g_return_if_fail (PROCFUN_IS_ENGINE (self));
  g_return_if_fail (host != NULL);

  emit (self, &event);
}

/**
 * procfun_engine_fail_call:
 * @self: an engine
 * @id: the number of a call
 * @error: why it fails
 *
 * Says that the call will not be answered, and is not any more the business of the engine. With
 * %PROCFUN_ERROR_TIMED_OUT it is its deadline that is over. In a host, the caller has gone: the
 * call is ended, and answered all the same.
 *
 * Since: 0.1
 */
void
procfun_engine_fail_call (ProcfunEngine *self, guint64 id, const GError *error)
{
  const EngineEvent event = { .type = ENGINE_CALL_FAILED, .id = id, .error = (GError *)error };

  g_return_if_fail (PROCFUN_IS_ENGINE (self));
  g_return_if_fail (error != NULL);

  emit (self, &event);
}

/**
 * procfun_engine_request:
 * @self: an engine
 * @id: a number of the engine for the call, which answers to it are given; not 0
 * @n_deliveries: how many times this call was given to a host, with this time
 * @profile: what the caller gave when it opened its engine
 * @call: the message that was submitted
 *
 * Says that a call has come to this host.
 *
 * Since: 0.1
 */
void
procfun_engine_request (ProcfunEngine *self, guint64 id, guint n_deliveries, GBytes *profile,
                        const ProcfunMessage *call)
{
  const EngineEvent event = {
    .type = ENGINE_REQUEST, .id = id, .n = n_deliveries, .profile = profile, .message = *call
  };

  g_return_if_fail (PROCFUN_IS_ENGINE (self));
  g_return_if_fail (profile != NULL);

  emit (self, &event);
}

/**
 * procfun_engine_message:
 * @self: an engine
 * @id: the number of a call
 * @host: (nullable): the name of the host that answers, in the caller
 * @message: the message
 *
 * Says that a message about a call has come: to the caller an answer, to the host another word. A
 * message of a call that has ended is ignored. One of the kind 0 tells the caller which host has
 * taken the call, and nothing more.
 *
 * Since: 0.1
 */
void
procfun_engine_message (ProcfunEngine *self, guint64 id, const char *host,
                        const ProcfunMessage *message)
{
  const EngineEvent event
      = { .type = ENGINE_MESSAGE, .id = id, .host = host_name_keep (host), .message = *message };

  g_return_if_fail (PROCFUN_IS_ENGINE (self));

  emit (self, &event);
}

/**
 * procfun_engine_fail:
 * @self: an engine
 * @error: why
 *
 * Says that the engine has come to its end. It is closed; the calls that it had are lost. A caller
 * makes another one after a while.
 *
 * Since: 0.1
 */
void
procfun_engine_fail (ProcfunEngine *self, const GError *error)
{
  const EngineEvent event = { .type = ENGINE_FAILED, .error = (GError *)error };

  g_return_if_fail (PROCFUN_IS_ENGINE (self));
  g_return_if_fail (error != NULL);

  emit (self, &event);
}
