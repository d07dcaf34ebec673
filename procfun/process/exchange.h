/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/base/sandbox.h"
#include "procfun/platform/canceller.h"
#include "procfun/process/worker.h"
#include "procfun/procfun-call.h"
#include "procfun/procfun-codec.h"
#include "procfun/procfun-launch-context.h"

/* Exchange between a caller and one child, from the first frame until the child is dead: one state
 * machine, which exchange-drive.h drives by poll() or by a GSource. */
typedef struct _Exchange Exchange;

typedef struct
{
  ProcfunCodec *codec;
  guint64 max_payload;                /* in bytes, each way */
  gsize buffers_size;                 /* in bytes, of contents that come back with the result */
  gboolean arguments_on_command_line; /* the child has them, as JSON */
  ProcfunLaunchContext *context;      /* (nullable) */
  ProcfunLimits *limits;              /* (nullable): those that the child keeps itself */
  SandboxPlan *sandbox;               /* (nullable) */
  guint64 flags;                      /* of FrameCallFlags: FRAME_CALL_MAP, or 0 */
  GVariant *value; /* (nullable): the arguments, where they are encoded when they are sent */
  GArray *parts;   /* (nullable) (element-type Part): of the arguments, which the process is lent */
  GVariant *rest;  /* (nullable): what is encoded then */
  GVariant *whole; /* (nullable): both */
} ExchangeOptions;

/* Channel, death, crash report, and two streams of output. */
#define EXCHANGE_N_FDS 5

/* Takes out of arguments what need not be copied. exchange_clear_parts() frees that. */
void exchange_take_parts (ExchangeOptions *options, GVariant *args);
void exchange_clear_parts (ExchangeOptions *options);

/* Encodes the arguments of @call, or what is left of them. */
GBytes *exchange_encode_arguments (ProcfunCall *call, const ExchangeOptions *options,
                                   GError **error);

/* TRUE: they need not be encoded before they are sent, and then go where they are read. */
gboolean exchange_defers_encoding (ProcfunCall *call, ExchangeOptions *options);

/* In bytes, that the result may take. */
guint64 exchange_get_max_result (const ExchangeOptions *options);

/* In bytes, of what is or will be encoded. */
gsize exchange_get_arguments_size (const ExchangeOptions *options, GBytes *arguments);

/* Takes the worker back after the call; may steal its contents. @is_usable: the worker can have
 * another call. */
typedef void (*WorkerReleaseFunc) (Worker *worker, gboolean is_usable, gpointer user_data);

/* Steals the contents of @worker. @call is borrowed: whoever runs it holds it. */
Exchange *exchange_new (ProcfunCall *call, Worker *worker, const ExchangeOptions *options,
                        GBytes *arguments);
void exchange_free (Exchange *self);

/* Goes on with a call that was sent by plain-exchange.h: the first that @worker has not answered;
 * or one behind that of @front (nullable), which has the worker, and is pipelined. */
Exchange *exchange_new_sent (ProcfunCall *call, Worker *worker, const Exchange *front,
                             guint32 call_id, const ChannelMark *mark);

/* Freeing the exchange gives its worker to @release, and ends the worker if that has not taken it.
 */
void exchange_set_release (Exchange *self, WorkerReleaseFunc release, gpointer user_data);

/* Lets a new worker run @call before its first call: see FRAME_CALL_INITIAL. */
void exchange_prepare_worker (Worker *worker, ProcfunCall *call, const ExchangeOptions *options);

/* A call that is sent to the worker of @front before that has answered, so that the worker need not
 * wait for it. It does nothing until it is the head. */
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

/* The worker becomes its own; or never will. */
void exchange_move_up (Exchange *self, Worker *worker);
void exchange_lose_head (Exchange *self, ExchangeHead turn);

ProcfunCall *exchange_get_call (Exchange *self);

/* Link for the owner's list of pipelined exchanges. */
GList *exchange_get_link (Exchange *self);

/* Valid while it is the head. */
Worker *exchange_get_worker (Exchange *self);

/* TRUE: input for it was read together with that of another exchange. Call exchange_note_input().
 */
gboolean exchange_has_input (Exchange *self);

/* Whether the worker can take another call. */
gboolean exchange_can_go_on (Exchange *self);

/* Whether the worker has answered: calls that were sent behind this one may have begun. */
gboolean exchange_was_answered (Exchange *self);

/* FALSE: the worker died before it read the call, which may be given to another one. */
gboolean exchange_was_begun (Exchange *self);

/* FALSE: the worker ended before it was given anything, so the call may be given to another. */
gboolean exchange_was_sent (Exchange *self);

/* Descriptors to wait for, of which some may be -1, and the time when to go on even if nothing
 * happens: monotonic, in µs, or -1. */
void exchange_get_fds (Exchange *self, GPollFD fds[EXCHANGE_N_FDS]);
gint64 exchange_get_wake_time (Exchange *self);

/* Canceller of its call. */
Canceller *exchange_get_canceller (Exchange *self);

/* Whether it is too late to cancel. */
gboolean exchange_is_ending (Exchange *self);

/* Note which descriptors are ready: exchange_advance() reads no others. exchange_look() asks poll()
 * itself about the output. */
void exchange_note_ready (Exchange *self, const GPollFD fds[EXCHANGE_N_FDS]);
void exchange_look (Exchange *self);
void exchange_note_input (Exchange *self);

/* Watches the channel for some microseconds, and notes that it is ready. FALSE: nothing has come.
 */
gboolean exchange_yield (Exchange *self);

/* Called before poll(). TRUE: there is input that poll() does not know of. */
gboolean exchange_fall_asleep (Exchange *self);

/* FALSE: this process was forked by the one that began the exchange, which ends with an error here.
 */
gboolean exchange_is_own (Exchange *self);

/* Does all that can be done without waiting. TRUE: the exchange has ended. */
gboolean exchange_advance (Exchange *self);
gboolean exchange_has_ended (Exchange *self);

/* Items of a generator that were not taken yet, also when it has ended meanwhile. (transfer full)
 * (nullable): NULL if there is none, or if the call was cancelled. The descriptors of the item
 * become those of the call. */
gboolean exchange_has_item (Exchange *self);
GVariant *exchange_take_item (Exchange *self);

/* After the end: the result, not floating, and () for a generator; or NULL with @error set. */
GVariant *exchange_finish (Exchange *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Exchange, exchange_free)
