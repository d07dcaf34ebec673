/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <gio/gio.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

/**
 * PROCFUN_ENGINE_EXTENSION_POINT_NAME:
 *
 * The extension point of engines. The name of an extension is the scheme of its URLs.
 *
 * Since: 0.1
 */
#define PROCFUN_ENGINE_EXTENSION_POINT_NAME "procfun-engine"

/**
 * ProcfunMessageFlags:
 * @PROCFUN_MESSAGE_NONE: nothing
 * @PROCFUN_MESSAGE_CANCEL: a word of the caller, by which it wants the call to end; the end follows
 * @PROCFUN_MESSAGE_END: an answer of the host, after which the call has no other
 *
 * Properties of a message that an engine needs to know.
 *
 * Since: 0.1
 */
typedef enum
{
  PROCFUN_MESSAGE_NONE = 0,
  PROCFUN_MESSAGE_CANCEL = 1 << 0,
  PROCFUN_MESSAGE_END = 1 << 1
} ProcfunMessageFlags;

typedef struct _ProcfunMessage ProcfunMessage;

/**
 * ProcfunMessage:
 * @kind: a number of the library, from 1 to 255
 * @flags: a combination of #ProcfunMessageFlags
 * @head: (nullable): its head, at most 256 KiB; aligned to 8 bytes, also where it arrives
 * @payload: (nullable): its payload, of any size; aligned likewise
 *
 * A message of a call. What its parts mean is known to the library alone.
 *
 * Since: 0.1
 */
struct _ProcfunMessage
{
  guint kind;
  ProcfunMessageFlags flags;
  GBytes *head;
  GBytes *payload;
};

#define PROCFUN_TYPE_ENGINE (procfun_engine_get_type ())

PROCFUN_AVAILABLE_IN_0_1
G_DECLARE_DERIVABLE_TYPE (ProcfunEngine, procfun_engine, PROCFUN, ENGINE, GObject)

/**
 * ProcfunEngineClass:
 * @parent_class: the parent
 * @open: begins to take calls for the hosts that the engine finds; @profile is sent to these with
 *   the calls; @heartbeat, in µs, is the time of which twice as long a silence means a loss; 0:
 * none
 * @submit: takes a call, whose messages have the number @id; @contract stands for its function; a
 *   call that has not begun at the monotonic time @expires, in µs, need not begin; never where 0
 * @send: takes another word of the caller about a call
 * @attach: begins to take calls for this process, which is a host; @profile is sent to callers, and
 *   @slots calls run at once
 * @set_free: so many more calls can be taken now
 * @answer: takes an answer of this host to the call @id
 * @detach: no more calls are to be taken; those that were are answered still
 * @describe: (nullable): the last words of the other side that were no messages
 * @close: ends everything; where @at_once, the other side is not trusted to end by itself
 * @setup: prepares what lies between callers and hosts, as an administrator does, and blocks
 *
 * The work of an engine. The functions of a caller are @open, @submit and @send; those of a host
 * @attach, @set_free, @answer and @detach; both have @describe and @close. All but @setup come from
 * one thread, and must not block.
 *
 * Since: 0.1
 */
struct _ProcfunEngineClass
{
  GObjectClass parent_class;

  gboolean (*open) (ProcfunEngine *self, GBytes *profile, gint64 heartbeat, GError **error);
  void (*submit) (ProcfunEngine *self, guint64 id, guint64 contract, const ProcfunMessage *call,
                  int priority, gint64 expires);
  void (*send) (ProcfunEngine *self, guint64 id, const ProcfunMessage *word);

  gboolean (*attach) (ProcfunEngine *self, GBytes *profile, guint slots, GError **error);
  void (*set_free) (ProcfunEngine *self, guint n);
  void (*answer) (ProcfunEngine *self, guint64 id, const ProcfunMessage *answer);
  void (*detach) (ProcfunEngine *self);

  char *(*describe) (ProcfunEngine *self);
  void (*close) (ProcfunEngine *self, gboolean at_once);

  gboolean (*setup) (ProcfunEngine *self, GError **error);

  /*< private >*/
  gpointer padding[6];
};

PROCFUN_AVAILABLE_IN_0_1
const char *procfun_engine_get_url (ProcfunEngine *self);

/* Events of a caller */
PROCFUN_AVAILABLE_IN_0_1
void procfun_engine_set_room (ProcfunEngine *self, guint n_calls);
PROCFUN_AVAILABLE_IN_0_1
void procfun_engine_host_up (ProcfunEngine *self, const char *host, guint slots, GBytes *profile);
PROCFUN_AVAILABLE_IN_0_1
void procfun_engine_host_lost (ProcfunEngine *self, const char *host, const GError *error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_engine_fail_call (ProcfunEngine *self, guint64 id, const GError *error);

/* Events of a host */
PROCFUN_AVAILABLE_IN_0_1
void procfun_engine_request (ProcfunEngine *self, guint64 id, guint n_deliveries, GBytes *profile,
                             const ProcfunMessage *call);

/* Events of both */
PROCFUN_AVAILABLE_IN_0_1
void procfun_engine_message (ProcfunEngine *self, guint64 id, const char *host,
                             const ProcfunMessage *message);
PROCFUN_AVAILABLE_IN_0_1
void procfun_engine_fail (ProcfunEngine *self, const GError *error);

G_END_DECLS
