/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/platform/canceller.h"
#include "procfun/process/worker.h"
#include "procfun/procfun-call.h"
#include "procfun/procfun-codec.h"
#include "procfun/procfun-launch-context.h"

/* What happens between a caller and one child, from the first frame until the child is dead: one
 * state machine, which exchange-drive.h drives by poll() or by a GSource. */
typedef struct _Exchange Exchange;

typedef struct
{
  ProcfunCodec *codec;
  guint64 max_payload;                /* in bytes, each way */
  gboolean arguments_on_command_line; /* the child has them, as JSON */
  ProcfunLaunchContext *context;      /* (nullable) */
  ProcfunLimits *limits;              /* (nullable): those that the child keeps itself */
  guint64 flags;                      /* of FrameCallFlags: FRAME_CALL_MAP, or 0 */
} ExchangeOptions;

/* Channel, death, crash report, and two streams of output. */
#define EXCHANGE_N_FDS 5

/* Encodes the arguments of @call. */
GBytes *exchange_encode_arguments (ProcfunCall *call, const ExchangeOptions *options,
                                   GError **error);

/* What becomes of a worker after the call; may take what is in it. @is_usable: it can have another.
 */
typedef void (*WorkerReleaseFunc) (Worker *worker, gboolean is_usable, gpointer user_data);

/* Takes what is in @worker. @call is borrowed, so that it is noticed when nobody else holds it. */
Exchange *exchange_new (ProcfunCall *call, Worker *worker, const ExchangeOptions *options,
                        GBytes *arguments);
void exchange_free (Exchange *self);

/* When the exchange is freed, its worker is given to @release, and then ended if that has not taken
 * it. */
void exchange_set_release (Exchange *self, WorkerReleaseFunc release, gpointer user_data);

/* Has a new worker run something before its first call; see FRAME_CALL_INITIAL. */
void exchange_prepare_worker (Worker *worker, ProcfunCall *call, const ExchangeOptions *options);

/* A call that is sent to the worker of @front ahead of its turn, so that the worker need not wait
 * for it. Until its turn comes it is no more than that. */
Exchange *exchange_new_pipelined (ProcfunCall *call, Exchange *front,
                                  const ExchangeOptions *options, GBytes *arguments);
gboolean exchange_is_pipelined (Exchange *self);

typedef enum
{
  EXCHANGE_HEAD_COME,
  EXCHANGE_HEAD_LOST,   /* the worker has ended, and had not begun with it */
  EXCHANGE_HEAD_DROPPED /* the main context that it was to come in has gone */
} ExchangeHead;

typedef void (*ExchangeHeadFunc) (Exchange *self, ExchangeHead turn, gpointer user_data);

/* @func is called once, and then has @self. */
void exchange_wait_for_head (Exchange *self, ExchangeHeadFunc func, gpointer user_data);

/* The worker is its own now; or never will be. */
void exchange_move_up (Exchange *self, Worker *worker);
void exchange_lose_head (Exchange *self, ExchangeHead turn);

ProcfunCall *exchange_get_call (Exchange *self);

/* For a list of those that wait, by who has them all. */
GList *exchange_get_link (Exchange *self);

/* While it has one. */
Worker *exchange_get_worker (Exchange *self);

/* Something was read for it, with what came for another one: exchange_note_input() then. */
gboolean exchange_has_input (Exchange *self);

/* Whether the worker can take another call. */
gboolean exchange_can_go_on (Exchange *self);

/* Whether the worker has answered: calls that were sent behind this one may have begun. */
gboolean exchange_was_answered (Exchange *self);

/* FALSE: the worker died before it read the call, which may be given to another one. */
gboolean exchange_was_begun (Exchange *self);

/* FALSE: the worker ended before it was given anything, so the call may be given to another. */
gboolean exchange_was_sent (Exchange *self);

/* What to wait for: descriptors, of which some may be -1, and when to go on even if nothing
 * happens: monotonic time in µs, or -1. */
void exchange_get_fds (Exchange *self, GPollFD fds[EXCHANGE_N_FDS]);
gint64 exchange_get_wake_time (Exchange *self);

/* What ends it early: that of its call; for who cannot wait for anything else, the object. */
Canceller *exchange_get_canceller (Exchange *self);
GCancellable *exchange_get_cancellable (Exchange *self);

/* Whether it is too late to cancel. */
gboolean exchange_is_ending (Exchange *self);

/* What poll() said of them; exchange_advance() looks at these alone. The second asks poll() itself,
 * about what it has printed. */
void exchange_note_ready (Exchange *self, const GPollFD fds[EXCHANGE_N_FDS]);
void exchange_look (Exchange *self);
void exchange_note_input (Exchange *self);

/* The same for the channel, which has been looked at for some microseconds. FALSE: there is
 * nothing. */
gboolean exchange_yield (Exchange *self);

/* Before poll() is asked about its descriptors. TRUE: something is there of which poll() knows
 * nothing. */
gboolean exchange_fall_asleep (Exchange *self);

/* FALSE: this process was forked by the one that began it, and it ends with an error. */
gboolean exchange_is_own (Exchange *self);

/* Does what can be done without waiting. TRUE: the child is dead, and all is known. */
gboolean exchange_advance (Exchange *self);
gboolean exchange_has_ended (Exchange *self);

/* What a generator has yielded and nobody has taken, also when it has ended meanwhile. (transfer
 * full) (nullable): NULL when there is none, or when the call was cancelled, and none is wanted.
 * The descriptors of the item become those of the call. */
gboolean exchange_has_item (Exchange *self);
GVariant *exchange_take_item (Exchange *self);

/* Once it is dead: the result, not floating, and () for a generator; or NULL with @error set. */
GVariant *exchange_finish (Exchange *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Exchange, exchange_free)
