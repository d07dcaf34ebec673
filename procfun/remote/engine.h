/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-engine.h"

G_BEGIN_DECLS

typedef enum
{
  ENGINE_ROOM,        /* n */
  ENGINE_HOST_UP,     /* host, n slots, profile */
  ENGINE_HOST_LOST,   /* host, error */
  ENGINE_MESSAGE,     /* id, host (nullable), message */
  ENGINE_REQUEST,     /* id, n deliveries, profile, message */
  ENGINE_CALL_FAILED, /* id, error */
  ENGINE_FAILED       /* error */
} EngineEventType;

typedef struct
{
  EngineEventType type;
  guint64 id;
  guint n;
  const char *host; /* (nullable) (interned) */
  GBytes *profile;  /* (nullable) */
  ProcfunMessage message;
  GError *error; /* (nullable) */
} EngineEvent;

/* An engine says something. It may be closed in it. */
typedef void (*EngineFunc) (ProcfunEngine *engine, const EngineEvent *event, gpointer user_data);

/* For the URL. (nullable): %PROCFUN_ERROR_ENGINE, nothing is there that knows its scheme. */
ProcfunEngine *engine_new (const char *url, GError **error);

/* The two roles. Events come to @func in @context. FALSE: an error, and it need not be closed. */
gboolean engine_open (ProcfunEngine *self, GMainContext *context, EngineFunc func,
                      gpointer user_data, GBytes *profile, gint64 heartbeat, GError **error);
gboolean engine_attach (ProcfunEngine *self, GMainContext *context, EngineFunc func,
                        gpointer user_data, GBytes *profile, guint slots, GError **error);

/* No event comes after that. */
void engine_close (ProcfunEngine *self, gboolean at_once);

/* (nullable): see ProcfunEngineClass.describe */
char *engine_describe (ProcfunEngine *self);

/* Sends a message, takes @payload (nullable), and makes the head out of both parts. @more:
 * (nullable) */
void engine_answer (ProcfunEngine *self, guint64 id, guint kind, gconstpointer head,
                    gsize head_size, ProcfunMessageFlags flags, GBytes *payload);
void engine_send (ProcfunEngine *self, guint64 id, guint kind, ProcfunMessageFlags flags,
                  gconstpointer head, gsize head_size);

/* For procfun engine setup. */
gboolean engine_set_up (ProcfunEngine *self, GError **error);

G_END_DECLS
