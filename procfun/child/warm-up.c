/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/warm-up.h"

#include "procfun/child/serve.h"
#include "procfun/core/function.h"
#include "procfun/platform/fds.h"
#include "procfun/procfun-definition.h"
#include "procfun/wire/setup.h"
#include <poll.h>

/* A caller that has a process forked for a call of the moment sends the call within this time; a
 * caller that forks ahead has more. */
#define CALL_COMES_WITHIN_US 200

extern void *__dso_handle __attribute__ ((visibility ("hidden")));

static void
add (gpointer const *args, gpointer result, GError **error)
{
  *(int *)result = *(int *)args[0] + *(int *)args[1];
}

/* It is not registered, so nobody else can call it. */
static const ProcfunMember members[] = { { "a", NULL, 0, PROCFUN_KIND_INT32 },
                                         { "b", NULL, 0, PROCFUN_KIND_INT32 },
                                         { NULL, NULL, 0, 0 } };
static ProcfunDefinition definition = { .name = "warm_up",
                                        .args = members,
                                        .thunk = add,
                                        .module = &__dso_handle,
                                        .result = { NULL, NULL, 0, PROCFUN_KIND_INT32 },
                                        .result_size = sizeof (int),
                                        .n_args = 2 };

static GBytes *
encode_arguments (ProcfunFunction *function, ProcfunCodec *codec)
{
  g_autoptr (GVariant) args = g_variant_ref_sink (g_variant_new ("(ii)", 1, 2));

  return procfun_codec_encode (codec, procfun_function_get_arguments_schema (function), args, NULL);
}

static void
send_call (Channel *channel, ProcfunFunction *function, GBytes *args)
{
  const FrameCall head = { .hash = function->hash_number,
                           .flags = FRAME_CALL_LAST }; /* so that no leftovers are looked for */

  channel_send (channel, FRAME_CALL, 0, &head, sizeof head, args, NULL);
  channel_out_flush (&channel->out);
}

void
warm_up (Server *server)
{
  static ProcfunFunction *function; /* made by the zygote, as the arguments */
  static GBytes *args;
  g_auto (Frame) frame = { 0 };
  int fds[2];
  Channel *caller;

  if (function == NULL)
    {
      function = procfun_function_new_for_definition (&definition);
      args = encode_arguments (function, server->codec);
    }
  if (!fds_open_socketpair (fds, NULL))
    return;
  caller = channel_new (fds[0], 0);
  send_call (caller, function, args);
  server_open (server, fds[1]);
  server->function = function;
  if (listener_next (&server->listener, &frame, 0) == CHANNEL_FRAME)
    server_handle_call (server, &frame);
  server->function = NULL;
  server_close (server);
  channel_free (caller);
}

/* A function's code is mapped when it first runs: here, with that around it. */
static void
touch_functions (Server *server)
{
  GHashTableIter iter;
  gpointer value;

  if (server->functions == NULL)
    return;
  g_hash_table_iter_init (&iter, server->functions);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const ProcfunDefinition *function = ((ProcfunFunction *)value)->definition;

      if (function != NULL)
        (void)*(const volatile char *)function->thunk;
    }
}

void
warm_up_unless_called (Server *server)
{
  const struct timespec time = { .tv_nsec = CALL_COMES_WITHIN_US * 1000 };
  struct pollfd poll_fd = { .fd = SETUP_CHANNEL_FD, .events = POLLIN };

  if (ppoll (&poll_fd, 1, &time, NULL) == 0)
    {
      warm_up (server);
      touch_functions (server);
    }
  usage_begin_process ();
}
