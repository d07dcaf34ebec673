/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The module: calls go to hosts by way of a JetStream work queue of a NATS server. */

#include "engines/nats/nats-engine.h"

#include "engines/nats/caller.h"
#include "engines/nats/host.h"
#include "engines/nats/setup.h"

typedef struct
{
  ProcfunEngine parent_instance;

  Caller *caller; /* (nullable): or */
  Host *host;     /* (nullable) */
} NatsEngine;

typedef ProcfunEngineClass NatsEngineClass;

/* For tls: URLs; GIO knows one name for each type. */
typedef NatsEngine TlsEngine;
typedef NatsEngineClass TlsEngineClass;

static GType nats_engine_get_type (void);
static GType tls_engine_get_type (void);

G_DEFINE_DYNAMIC_TYPE (NatsEngine, nats_engine, PROCFUN_TYPE_ENGINE)
G_DEFINE_DYNAMIC_TYPE (TlsEngine, tls_engine, nats_engine_get_type ())

static NatsEngine *
get_engine (ProcfunEngine *engine)
{
  return (NatsEngine *)engine;
}

static gboolean
nats_engine_open (ProcfunEngine *engine, GBytes *profile, gint64 heartbeat, GError **error)
{
  g_autoptr (Address) address = address_new (procfun_engine_get_url (engine), error);

  if (address == NULL)
    return FALSE;
  get_engine (engine)->caller = caller_new (engine, address, profile, heartbeat);
  return TRUE;
}

static void
nats_engine_submit (ProcfunEngine *engine, guint64 id, guint64 contract, const ProcfunMessage *call,
                    int priority, gint64 expires)
{
  caller_submit (get_engine (engine)->caller, id, contract, call, expires);
}

static void
nats_engine_send (ProcfunEngine *engine, guint64 id, const ProcfunMessage *word)
{
  caller_send (get_engine (engine)->caller, id, word);
}

static gboolean
nats_engine_attach (ProcfunEngine *engine, GBytes *profile, guint slots, GError **error)
{
  g_autoptr (Address) address = address_new (procfun_engine_get_url (engine), error);

  if (address == NULL)
    return FALSE;
  get_engine (engine)->host = host_new (engine, address, profile, slots);
  return TRUE;
}

static void
nats_engine_set_free (ProcfunEngine *engine, guint n)
{
  host_set_free (get_engine (engine)->host, n);
}

static void
nats_engine_answer (ProcfunEngine *engine, guint64 id, const ProcfunMessage *answer)
{
  host_answer (get_engine (engine)->host, id, answer);
}

static void
nats_engine_detach (ProcfunEngine *engine)
{
  host_detach (get_engine (engine)->host);
}

static void
nats_engine_close (ProcfunEngine *engine, gboolean at_once)
{
  NatsEngine *self = get_engine (engine);

  if (self->caller != NULL)
    caller_close (self->caller);
  if (self->host != NULL)
    host_close (self->host, at_once);
}

static gboolean
nats_engine_setup (ProcfunEngine *engine, GError **error)
{
  g_autoptr (Address) address = address_new (procfun_engine_get_url (engine), error);

  return address != NULL && setup_pool (address, error);
}

static void
nats_engine_finalize (GObject *object)
{
  NatsEngine *self = (NatsEngine *)object;

  g_clear_pointer (&self->caller, caller_free);
  g_clear_pointer (&self->host, host_free);
  G_OBJECT_CLASS (nats_engine_parent_class)->finalize (object);
}

static void
nats_engine_class_init (NatsEngineClass *klass)
{
  ProcfunEngineClass *engine_class = PROCFUN_ENGINE_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = nats_engine_finalize;
  engine_class->open = nats_engine_open;
  engine_class->submit = nats_engine_submit;
  engine_class->send = nats_engine_send;
  engine_class->attach = nats_engine_attach;
  engine_class->set_free = nats_engine_set_free;
  engine_class->answer = nats_engine_answer;
  engine_class->detach = nats_engine_detach;
  engine_class->close = nats_engine_close;
  engine_class->setup = nats_engine_setup;
}

static void
nats_engine_class_finalize (NatsEngineClass *klass)
{
}

static void
nats_engine_init (NatsEngine *self)
{
}

static void
tls_engine_class_init (TlsEngineClass *klass)
{
}

static void
tls_engine_class_finalize (TlsEngineClass *klass)
{
}

static void
tls_engine_init (TlsEngine *self)
{
}

void
nats_engine_register (GTypeModule *module)
{
  nats_engine_register_type (module);
  tls_engine_register_type (module);
  g_io_extension_point_implement (PROCFUN_ENGINE_EXTENSION_POINT_NAME, nats_engine_get_type (),
                                  "nats", 0);
  g_io_extension_point_implement (PROCFUN_ENGINE_EXTENSION_POINT_NAME, tls_engine_get_type (),
                                  "tls", 0);
}
