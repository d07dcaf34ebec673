/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/plain-exchange.h"

#include "procfun/base/limits.h"
#include "procfun/base/usage.h"
#include "procfun/core/function.h"
#include <poll.h>

/* A larger result does not come by the ring in one piece. */
#define RESULT_MAX ((gsize)8 * 1024)

/* A call that ends within this time is not worth an object. A process of its own may have to be
 * forked first, and is longer on its way where processors are busy. */
#define SLEEP_US (2 * G_TIME_SPAN_MILLISECOND)
#define SLEEP_ONCE_US (20 * G_TIME_SPAN_MILLISECOND)

/* The CPU time of such a call is not looked at. It need not be if the limit is more than all
 * processors can give it in the meantime. */
static gboolean
has_cpu_time (const Worker *worker)
{
  const guint64 limit = worker->limits != NULL ? worker->limits->cpu_time : 0;

  return limit == 0 || limit > SLEEP_US * (guint64)g_get_num_processors ();
}

/* It has nothing to tell before its answer, and somebody would hear it. @is_behind: but that of the
 * calls before. */
static gboolean
is_ready (const Worker *worker, gboolean is_behind)
{
  return worker->channel != NULL && worker->is_kept && worker->has_greeted && worker->report_fd >= 0
         && worker->output_fds[0] >= 0 && worker->output_fds[1] >= 0
         && !channel_has_output (worker->channel)
         && (is_behind || !channel_has_input (worker->channel));
}

static gboolean
send_bytes (Worker *worker, PlainCall *plain, gconstpointer data, gsize size, ChannelMark *mark)
{
  const FrameCall head = { .hash = procfun_function_get_hash_number (plain->function) };

  channel_get_mark (worker->channel, mark);
  if (size > worker->max_payload
      || !channel_send_by_ring (worker->channel, FRAME_CALL, worker->call_id + 1, &head,
                                sizeof head, data, size))
    return FALSE;
  worker->call_id++;
  channel_flush (worker->channel);
  return TRUE;
}

static gboolean
send (Worker *worker, PlainCall *plain, ChannelMark *mark)
{
  BufferRoom room;
  g_auto (Buffer) encoded = BUFFER_IN (room);

  if (worker->codec == procfun_codec_get_gvariant ())
    return send_bytes (worker, plain, plain->args.data, plain->args.length, mark);
  return plain_call_encode (plain, worker->codec, &encoded)
         && send_bytes (worker, plain, encoded.data, encoded.length, mark);
}

gboolean
plain_exchange_send (Worker *worker, PlainCall *plain, ChannelMark *mark)
{
  return worker->source == NULL && has_cpu_time (worker) && is_ready (worker, FALSE)
         && send (worker, plain, mark);
}

gboolean
plain_exchange_send_watched (Worker *worker, PlainCall *plain, gboolean is_behind,
                             ChannelMark *mark)
{
  return (worker->limits == NULL || worker->limits->cpu_time == 0) && is_ready (worker, is_behind)
         && process_get_pidfd (worker->process) >= 0 && send (worker, plain, mark);
}

/* A process that was forked, that has been set up, and whose end nobody needs to wait for. */
static gboolean
is_ready_once (const Worker *worker)
{
  return worker->parent != NULL && worker->channel_fd >= 0 && worker->has_greeted
         && worker_ends_with_result (worker) && worker->report_fd >= 0 && worker->output_fds[0] >= 0
         && worker->output_fds[1] >= 0;
}

gboolean
plain_exchange_send_once (Worker *worker, PlainCall *plain, ChannelMark *mark)
{
  const FrameCall head = { .hash = procfun_function_get_hash_number (plain->function),
                           .flags = FRAME_CALL_LAST | FRAME_CALL_ENDED };

  if (!is_ready_once (worker))
    return FALSE;
  worker_open_channel (worker, worker->max_payload);
  channel_get_mark (worker->channel, mark);
  channel_send_now (worker->channel, FRAME_CALL, worker->call_id, &head, sizeof head,
                    plain->args.data, plain->args.length);
  channel_flush (worker->channel);
  return TRUE;
}

/* Whether a frame is there, or something else. What comes between the two looks is for the next
 * one.
 */
static PlainExchangeStatus
look (Worker *worker, FrameHeader *header)
{
  const gboolean has_input = channel_has_input (worker->channel);

  if (channel_peek (worker->channel, header))
    return PLAIN_EXCHANGE_RESULT;
  return has_input ? PLAIN_EXCHANGE_OTHER : PLAIN_EXCHANGE_NOTHING;
}

/* A crash, what the function has printed, which comes before its result, or what it has written to
 * the socket of a process that is kept. */
static gboolean
has_written (const Worker *worker)
{
  struct pollfd fds[]
      = { { .fd = worker->report_fd, .events = POLLIN },
          { .fd = worker->output_fds[0], .events = POLLIN },
          { .fd = worker->output_fds[1], .events = POLLIN },
          { .fd = worker->is_kept ? channel_get_fd (worker->channel) : -1, .events = POLLIN } };
  const int n = poll (fds, G_N_ELEMENTS (fds), 0);
  const gboolean is_readable = n > 0 && fds[3].revents != 0;

  return n != (is_readable ? 1 : 0)
         || (worker->is_kept && channel_is_disturbed (worker->channel, is_readable));
}

/* Frames that were in the ring when poll() was asked need not be asked about again. */
static gboolean
is_quiet (Worker *worker, const FrameHeader *header)
{
  guint64 arrived;

  if (channel_get_taken (worker->channel) + sizeof *header + header->size <= worker->quiet_until)
    return TRUE;
  arrived = channel_get_arrived (worker->channel);
  if (has_written (worker))
    return FALSE;
  worker->quiet_until = arrived;
  return TRUE;
}

static gboolean
take_state (Worker *worker, const FrameHeader *header)
{
  if (header->type != FRAME_STATE || header->size != sizeof worker->state)
    return FALSE;
  channel_peek_payload (worker->channel, header, &worker->state);
  channel_take (worker->channel, header);
  worker_count_memory_anew (worker);
  return TRUE;
}

static gboolean
read_result (const Worker *worker, PlainCall *plain, const guint8 *data, gsize size)
{
  return worker->codec == procfun_codec_get_gvariant ()
             ? plain_call_read_result (plain, data, size)
             : plain_call_decode_result (plain, worker->codec, data, size);
}

/* The other side can write to the ring meanwhile, so it is not read in place. */
static gboolean
take_result (Worker *worker, const FrameHeader *header, PlainCall *plain)
{
  union
  {
    guint64 align;
    guint8 data[RESULT_MAX];
  } room;
  const gsize usage = sizeof (ProcfunUsage);

  if (header->type != FRAME_RESULT || header->size < usage || header->size > sizeof room
      || header->size - usage > worker->max_payload || !is_quiet (worker, header))
    return FALSE;
  channel_peek_payload (worker->channel, header, room.data);
  if (!read_result (worker, plain, room.data + usage, header->size - usage))
    return FALSE;
  channel_take (worker->channel, header);
  return TRUE;
}

/* FALSE: the time is up, or something has happened that this is not for. */
static gboolean
sleep_once (Worker *worker, int ms)
{
  struct pollfd fds[] = { { .fd = channel_get_fd (worker->channel), .events = POLLIN },
                          { .fd = process_get_pidfd (worker->process), .events = POLLIN },
                          { .fd = worker->report_fd, .events = POLLIN },
                          { .fd = worker->output_fds[0], .events = POLLIN },
                          { .fd = worker->output_fds[1], .events = POLLIN } };

  if (channel_fall_asleep (worker->channel))
    return TRUE;
  return poll (fds, G_N_ELEMENTS (fds), ms) == 1 && fds[0].revents == POLLIN
         && channel_wake_up (worker->channel);
}

/* Bytes left of an earlier call may have woken it. */
static PlainExchangeStatus
sleep_for_frame (Worker *worker, FrameHeader *header)
{
  const gint64 patience = worker->is_kept ? SLEEP_US : SLEEP_ONCE_US;
  const gint64 until = g_get_monotonic_time () + patience;
  PlainExchangeStatus status = PLAIN_EXCHANGE_NOTHING;
  gint64 left = patience;

  while (status == PLAIN_EXCHANGE_NOTHING && left > 0
         && sleep_once (worker, (int)((left + 999) / 1000)))
    {
      status = look (worker, header);
      left = until - g_get_monotonic_time ();
    }
  return status;
}

/* A process that was forked ahead may be woken on this processor, which it gets when this one
 * sleeps: to yield is not enough. */
static gboolean
wait_for_frame (Worker *worker, FrameHeader *header)
{
  PlainExchangeStatus status = look (worker, header);

  if (status == PLAIN_EXCHANGE_NOTHING && worker->is_kept && channel_yield (worker->channel))
    status = look (worker, header);
  if (status == PLAIN_EXCHANGE_NOTHING)
    status = sleep_for_frame (worker, header);
  return status == PLAIN_EXCHANGE_RESULT && header->call_id == worker->call_id;
}

gboolean
plain_exchange_receive (Worker *worker, PlainCall *plain)
{
  FrameHeader header;

  if (!wait_for_frame (worker, &header))
    return FALSE;
  if (take_state (worker, &header) && !wait_for_frame (worker, &header))
    return FALSE;
  return take_result (worker, &header, plain);
}

PlainExchangeStatus
plain_exchange_take (Worker *worker, PlainCall *plain, guint32 call_id)
{
  PlainExchangeStatus status;
  FrameHeader header;

  do
    {
      status = look (worker, &header);
      if (status != PLAIN_EXCHANGE_RESULT)
        return status;
      if (header.call_id != call_id)
        return PLAIN_EXCHANGE_OTHER;
    }
  while (take_state (worker, &header));
  return take_result (worker, &header, plain) ? PLAIN_EXCHANGE_RESULT : PLAIN_EXCHANGE_OTHER;
}
