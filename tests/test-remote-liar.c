/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A caller, and hosts that answer what they must not. They are an engine of this program, which has
 * the case in its URL, and answers each call at once. */

#include "procfun/remote/message.h"
#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/generators.h"
#include "tests/remotes.h"

#include <string.h>

#define HOST "liar"

/* An engine is told of a call, and answers. */

typedef struct
{
  ProcfunEngine *engine;
  guint64 id;
} Asked;

static void
answer (const Asked *self, guint kind, gconstpointer head, gsize head_size, const char *payload,
        gsize size)
{
  g_autoptr (GBytes) head_bytes = head != NULL ? g_bytes_new (head, head_size) : NULL;
  g_autoptr (GBytes) bytes = payload != NULL ? g_bytes_new (payload, size) : NULL;
  const ProcfunMessage message = { kind, PROCFUN_MESSAGE_NONE, head_bytes, bytes };

  procfun_engine_message (self->engine, self->id, HOST, &message);
}

static void
end_with (const Asked *self, guint64 status, const char *payload, gsize size)
{
  const RemoteEndHead head = { .status = status, .pid = 7 };

  answer (self, LINK_END, &head, sizeof head, payload, size);
}

static void
end_well (const Asked *self)
{
  const gint32 sum = 3;

  end_with (self, REMOTE_END_RESULT, (const char *)&sum, sizeof sum);
}

static void
answer_short_result (const Asked *self)
{
  end_with (self, REMOTE_END_RESULT, "xy", 2);
}

static void
answer_large_result (const Asked *self)
{
  static const char much[2000];

  end_with (self, REMOTE_END_RESULT, much, sizeof much);
}

static void
answer_no_head (const Asked *self)
{
  answer (self, LINK_END, NULL, 0, NULL, 0);
}

static void
answer_unknown_end (const Asked *self)
{
  end_with (self, 77, NULL, 0);
}

static void
answer_unknown_kind (const Asked *self)
{
  answer (self, LINK_AFTER_LAST, NULL, 0, NULL, 0);
}

static void
answer_word_of_callers (const Asked *self)
{
  answer (self, LINK_CANCEL, NULL, 0, NULL, 0);
}

static void
answer_unreadable_error (const Asked *self)
{
  end_with (self, REMOTE_END_ERROR, "what is no error", 16);
}

static void
answer_no_process (const Asked *self)
{
  const RemoteStartedHead head = { .pid = -3 };

  answer (self, LINK_STARTED, &head, sizeof head, NULL, 0);
}

static void
answer_unknown_stream (const Asked *self)
{
  const RemoteOutputHead head = { .stream = 7 };

  answer (self, LINK_OUTPUT, &head, sizeof head, "text", 4);
}

static void
answer_short_progress (const Asked *self)
{
  answer (self, LINK_PROGRESS, "x", 1, NULL, 0);
}

static void
answer_item_with_head (const Asked *self)
{
  answer (self, LINK_ITEM, "x", 1, NULL, 0);
}

static void
answer_unknown_call (const Asked *self)
{
  const Asked other = { self->engine, self->id + 100 };

  end_well (&other);
}

/* Text in no encoding, which is made valid; a word for nobody; and an answer again. */
static void
answer_oddly (const Asked *self)
{
  const RemoteStartedHead started = { .pid = 12 };
  const RemoteOutputHead output = { .stream = PROCFUN_STREAM_STDERR };
  const RemoteProgressHead progress = { .fraction = 0.5, .has_text = 1 };
  const RemoteProgressHead silent = { .fraction = 0.75 };

  answer (self, LINK_NONE, NULL, 0, NULL, 0);
  answer (self, LINK_STARTED, &started, sizeof started, NULL, 0);
  answer (self, LINK_OUTPUT, &output, sizeof output, "\xff\xfe", 2);
  answer (self, LINK_PROGRESS, &progress, sizeof progress, "\xff", 1);
  answer (self, LINK_PROGRESS, &silent, sizeof silent, NULL, 0);
  end_well (self);
  end_well (self);
}

static void
answer_short_item (const Asked *self)
{
  answer (self, LINK_ITEM, NULL, 0, "xy", 2);
}

static const struct
{
  const char *name;
  void (*answer) (const Asked *asked);
  int code; /* 0: it does no harm */
} lies[] = {
  { "result-cannot-be-read", answer_short_result, PROCFUN_ERROR_PROTOCOL },
  { "result-is-too-large", answer_large_result, PROCFUN_ERROR_LIMIT },
  { "end-has-no-head", answer_no_head, PROCFUN_ERROR_WORKER_LOST },
  { "end-is-unknown", answer_unknown_end, PROCFUN_ERROR_WORKER_LOST },
  { "word-is-unknown", answer_unknown_kind, PROCFUN_ERROR_WORKER_LOST },
  { "word-is-for-hosts", answer_word_of_callers, PROCFUN_ERROR_WORKER_LOST },
  { "error-cannot-be-read", answer_unreadable_error, PROCFUN_ERROR_PROTOCOL },
  { "process-has-no-number", answer_no_process, PROCFUN_ERROR_WORKER_LOST },
  { "stream-is-unknown", answer_unknown_stream, PROCFUN_ERROR_WORKER_LOST },
  { "progress-is-short", answer_short_progress, PROCFUN_ERROR_WORKER_LOST },
  { "item-has-a-head", answer_item_with_head, PROCFUN_ERROR_WORKER_LOST },
  { "call-is-unknown", answer_unknown_call, PROCFUN_ERROR_WORKER_LOST },
  { "odd-words-do-no-harm", answer_oddly, 0 },
  /* of a generator */
  { "item-cannot-be-read", answer_short_item, PROCFUN_ERROR_PROTOCOL },
};

#define N_OF_CALLS (G_N_ELEMENTS (lies) - 1)

/* The engine */

typedef ProcfunEngine LiarEngine;
typedef ProcfunEngineClass LiarEngineClass;

GType liar_engine_get_type (void);
G_DEFINE_TYPE (LiarEngine, liar_engine, PROCFUN_TYPE_ENGINE)

static gboolean
liar_engine_open (ProcfunEngine *engine, GBytes *profile, gint64 heartbeat, GError **error)
{
  const RemoteHello hello = { .slots = 2, .name = (char *)HOST };
  g_autoptr (GBytes) other = g_bytes_new_static ("no profile", 10);
  g_autoptr (GBytes) own = remote_hello_make (&hello);

  procfun_engine_host_up (engine, "another", 1, other); /* of another version, maybe */
  procfun_engine_host_up (engine, HOST, hello.slots, own);
  procfun_engine_set_room (engine, hello.slots);
  return TRUE;
}

static void
liar_engine_submit (ProcfunEngine *engine, guint64 id, guint64 contract, const ProcfunMessage *call,
                    int priority, gint64 expires)
{
  const char *name = procfun_engine_get_url (engine) + strlen ("liar:");
  const Asked asked = { engine, id };

  for (gsize i = 0; i < G_N_ELEMENTS (lies); i++)
    if (g_str_equal (lies[i].name, name))
      lies[i].answer (&asked);
}

static void
liar_engine_class_init (LiarEngineClass *klass)
{
  klass->open = liar_engine_open;
  klass->submit = liar_engine_submit;
}

static void
liar_engine_init (LiarEngine *self)
{
}

/* Callers */

static ProcfunRemotePool *
new_hosts (gsize i)
{
  g_autofree char *url = g_strconcat ("liar:", lies[i].name, NULL);
  ProcfunRemotePool *hosts = remotes_new (url);

  procfun_remote_pool_set_max_payload (hosts, 1000);
  procfun_remote_pool_set_max_retries (hosts, 0);
  return hosts;
}

static void
test_lie (gconstpointer data)
{
  const gsize i = GPOINTER_TO_SIZE (data);
  ProcfunRemotePool *hosts = new_hosts (i);

  for (gboolean async = FALSE; async <= TRUE; async++)
    if (lies[i].code == 0)
      calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (1, 2), async, "3");
    else
      calls_assert_error (
          PROCFUN_EXECUTOR (hosts), add_call (1, 2), async, PROCFUN_ERROR, lies[i].code,
          lies[i].code == PROCFUN_ERROR_WORKER_LOST ? "add() lost its host: *what is no message"
                                                    : "*");
  remotes_close (hosts);
}

static void
note_line (ProcfunCall *call, ProcfunStream stream, const char *line, gpointer lines)
{
  g_assert_cmpint (stream, ==, PROCFUN_STREAM_STDERR);
  g_assert_true (g_utf8_validate (line, -1, NULL));
  g_string_append_printf (lines, "%s;", line);
}

/* Bytes that are no text are shown as such. */
static void
test_output (void)
{
  ProcfunRemotePool *hosts = new_hosts (N_OF_CALLS - 1);
  g_autoptr (GString) lines = g_string_new (NULL);

  for (guint mode = PROCFUN_OUTPUT_INHERIT; mode <= PROCFUN_OUTPUT_DISCARD; mode++)
    {
      g_autoptr (ProcfunCall) call = add_call (1, 2);
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;

      g_signal_connect (call, "output", G_CALLBACK (note_line), lines);
      procfun_call_set_output_mode (call, PROCFUN_STREAM_STDERR, (ProcfunOutputMode)mode);
      procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
      result = procfun_call_run (call, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpint (g_variant_get_int32 (result), ==, 3);
      g_assert_cmpstr (procfun_call_get_host (call), ==, HOST);
      g_assert_cmpfloat (procfun_call_get_progress (call), ==, 0.75);
    }
  g_assert_cmpstr (lines->str, ==, "\xef\xbf\xbd\xef\xbf\xbd;");
  remotes_close (hosts);
}

static void
test_item (void)
{
  ProcfunRemotePool *hosts = new_hosts (N_OF_CALLS);
  g_autoptr (ProcfunCall) call = numbers_call (3);
  g_autoptr (GError) error = NULL;

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
  g_assert_null (procfun_call_next (call, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, lies[N_OF_CALLS].code);
  remotes_close (hosts);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  g_io_extension_point_register (PROCFUN_ENGINE_EXTENSION_POINT_NAME);
  g_io_extension_point_implement (PROCFUN_ENGINE_EXTENSION_POINT_NAME, liar_engine_get_type (),
                                  "liar", 0);

  for (gsize i = 0; i < N_OF_CALLS; i++)
    {
      g_autofree char *path = g_strconcat ("/remote-liar/", lies[i].name, NULL);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_lie);
    }
  fixture_add_func ("/remote-liar/what-is-no-text-is-made-one", test_output);
  fixture_add_func ("/remote-liar/item-cannot-be-read", test_item);
  return fixture_run ();
}
