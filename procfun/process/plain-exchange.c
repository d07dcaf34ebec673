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
has_cpu_time (const ProcfunLimits *limits)
{
  return limits->cpu_time == 0 || limits->cpu_time > SLEEP_US * (guint64)g_get_num_processors ();
}

/* It has nothing to tell before its answer, and somebody would hear it. @is_behind: but that of the
 * calls before. */
static gboolean
is_ready (const Worker *worker, gboolean is_behind)
{
  return worker->channel != NULL && worker->channel->in.by_ring && worker->is_kept
         && worker->has_greeted && worker->report_fd >= 0 && worker->output_fds[0] >= 0
         && worker->output_fds[1] >= 0
         && (is_behind || !channel_in_is_filled (&worker->channel->in));
}

static gboolean
send_bytes (Worker *worker, PlainCall *plain, gconstpointer data, gsize size, ChannelMark *mark)
{
  ChannelOut *out = &worker->channel->out;
  const FrameCall head = { .hash = plain->function->hash_number, .flags = FRAME_CALL_UNMETERED };

  channel_out_get_mark (out, mark);
  if (size > worker->max_payload
      || !channel_out_send_by_ring (out, FRAME_CALL, worker->call_id + 1, &head, sizeof head, data,
                                    size))
    return FALSE;
  worker->call_id++;
  channel_out_flush (out);
  return TRUE;
}

static gboolean
send_encoded (Worker *worker, PlainCall *plain, ChannelMark *mark)
{
  BufferRoom room;
  g_auto (Buffer) encoded = BUFFER_IN (room);

  return plain_call_encode (plain, worker->codec, &encoded)
         && send_bytes (worker, plain, encoded.data, encoded.length, mark);
}

static gboolean
send (Worker *worker, PlainCall *plain, ChannelMark *mark)
{
  return worker->is_packed ? send_bytes (worker, plain, plain->args.data, plain->args.length, mark)
                           : send_encoded (worker, plain, mark);
}

gboolean
plain_exchange_send (Worker *worker, PlainCall *plain, ChannelMark *mark)
{
  return worker->source == NULL && (worker->limits == NULL || has_cpu_time (worker->limits))
         && is_ready (worker, FALSE) && send (worker, plain, mark);
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
  const FrameCall head
      = { .hash = plain->function->hash_number, .flags = FRAME_CALL_LAST | FRAME_CALL_ENDED };

  if (!is_ready_once (worker))
    return FALSE;
  worker_open_channel (worker, worker->max_payload);
  channel_out_get_mark (&worker->channel->out, mark);
  channel_out_send_now (&worker->channel->out, FRAME_CALL, worker->call_id, &head, sizeof head,
                        plain->args.data, plain->args.length);
  channel_out_flush (&worker->channel->out);
  return TRUE;
}

/* A crash, what the function has printed, which comes before its result, or what it has written to
 * the socket of a process that is kept. */
static gboolean
has_written (const Worker *worker)
{
  struct pollfd fds[] = { { .fd = worker->report_fd, .events = POLLIN },
                          { .fd = worker->output_fds[0], .events = POLLIN },
                          { .fd = worker->output_fds[1], .events = POLLIN },
                          { .fd = worker->is_kept ? worker->channel->fd : -1, .events = POLLIN } };
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

  if (worker->channel->in.ring.position + sizeof *header + header->size <= worker->quiet_until)
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
  channel_in_peek_payload (&worker->channel->in, header, &worker->state);
  channel_in_take (&worker->channel->in, header);
  worker_count_memory_anew (worker);
  return TRUE;
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
  gboolean ok;

  if (header->type != FRAME_RESULT || header->size < usage || header->size > sizeof room
      || header->size - usage > worker->max_payload || !is_quiet (worker, header))
    return FALSE;
  channel_in_peek_payload (&worker->channel->in, header, room.data);
  ok = worker->is_packed ? plain_call_read_result (plain, room.data + usage, header->size - usage)
                         : plain_call_decode_result (plain, worker->codec, room.data + usage,
                                                     header->size - usage);
  if (ok)
    channel_in_take (&worker->channel->in, header);
  return ok;
}

/* FALSE: the time is up, or something has happened that this is not for. */
static gboolean
sleep_once (Worker *worker, int ms)
{
  struct pollfd fds[] = { { .fd = worker->channel->fd, .events = POLLIN },
                          { .fd = process_get_pidfd (worker->process), .events = POLLIN },
                          { .fd = worker->report_fd, .events = POLLIN },
                          { .fd = worker->output_fds[0], .events = POLLIN },
                          { .fd = worker->output_fds[1], .events = POLLIN } };

  if (channel_fall_asleep (worker->channel))
    return TRUE;
  return poll (fds, G_N_ELEMENTS (fds), ms) == 1 && fds[0].revents == POLLIN
         && channel_in_wake_up (&worker->channel->in);
}

/* Bytes left of an earlier call may have woken it. */
static ChannelStatus
sleep_for_frame (Worker *worker, FrameHeader *header)
{
  const gint64 patience = worker->is_kept ? SLEEP_US : SLEEP_ONCE_US;
  const gint64 until = g_get_monotonic_time () + patience;
  ChannelStatus status = CHANNEL_AGAIN;
  gint64 left = patience;

  while (status == CHANNEL_AGAIN && left > 0 && sleep_once (worker, (int)((left + 999) / 1000)))
    {
      status = channel_in_peek (&worker->channel->in, header);
      left = until - g_get_monotonic_time ();
    }
  return status;
}

/* A process that was forked ahead may be woken on this processor, which it gets when this one
 * sleeps: to yield is not enough. */
static gboolean
wait_for_frame (Worker *worker, FrameHeader *header)
{
  ChannelStatus status = channel_in_peek (&worker->channel->in, header);

  if (status == CHANNEL_AGAIN && worker->is_kept && channel_yield (worker->channel))
    status = channel_in_peek (&worker->channel->in, header);
  if (status == CHANNEL_AGAIN)
    status = sleep_for_frame (worker, header);
  return status == CHANNEL_FRAME && header->call_id == worker->call_id;
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
  FrameHeader header;

  do
    {
      const ChannelStatus status = channel_in_peek (&worker->channel->in, &header);

      if (status == CHANNEL_AGAIN)
        return PLAIN_EXCHANGE_NOTHING;
      if (status != CHANNEL_FRAME || header.call_id != call_id)
        return PLAIN_EXCHANGE_OTHER;
    }
  while (take_state (worker, &header));
  return take_result (worker, &header, plain) ? PLAIN_EXCHANGE_RESULT : PLAIN_EXCHANGE_OTHER;
}
