/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A host, which is this program again, and a caller that keeps to the rules or breaks them. */

#include "procfun/platform/fds.h"
#include "procfun/remote/contract.h"
#include "procfun/remote/link.h"
#include "procfun/remote/message.h"
#include "tests/fixture.h"

#include <procfun.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

PROCFUN_DEFINE_STATIC_FUNCTION (add, gint, (gint, a), (gint, b)) { return a + b; }

/* Until it is ended. */
PROCFUN_DEFINE_STATIC_FUNCTION (stay, void)
{
  for (;;)
    pause ();
}

typedef struct
{
  Link *link;
  GString *log; /* types of what came, as words */
  RemoteEndHead end;
  GError *error;  /* (nullable): of the last call that failed */
  GBytes *result; /* (nullable): of the last one that did not */
  gboolean is_over;
  GPid pid;
  int messages_fd; /* what the host says on stderr */
} Host;

static void
take_end (Host *self, const LinkMessage *message)
{
  ProcfunFailure *failure = NULL;

  g_clear_error (&self->error);
  g_clear_pointer (&self->result, g_bytes_unref);
  g_assert_true (remote_head_read (message->head, &self->end, sizeof self->end));
  if (self->end.status == REMOTE_END_RESULT)
    self->result = g_bytes_ref (message->payload);
  else
    self->error = remote_end_unpack (message->payload, "it", &failure);
  g_clear_pointer (&failure, procfun_failure_unref);
}

static void
on_message (Link *link, const LinkMessage *message, gpointer user_data)
{
  Host *self = user_data;

  g_string_append_printf (self->log, "%s %u;", link_type_get_name (message->type), message->id);
  if (message->type == LINK_END)
    take_end (self, message);
}

static void
on_end (Link *link, const GError *error, gpointer user_data)
{
  ((Host *)user_data)->is_over = TRUE;
}

static void
host_init (Host *self)
{
  const char *const argv[] = { "/proc/self/exe", "--procfun-host", "--slots=2", NULL };
  g_auto (GStrv) env = g_environ_setenv (g_get_environ (), "PROCFUN_COMMAND_LINE", "1", TRUE);
  g_autoptr (GError) error = NULL;
  int fds[2], messages[2];

  *self = (Host){ .log = g_string_new (NULL) };
  g_assert_true (fds_open_socketpair (fds, NULL));
  g_assert_true (fds_open_pipe (messages, NULL));
  g_spawn_async_with_fds (NULL, (char **)argv, env, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                          &self->pid, fds[1], fds[1], messages[1], &error);
  g_assert_no_error (error);
  close (fds[1]);
  close (messages[1]);
  self->messages_fd = messages[0];
  self->link = link_new (fds[0], fds[0], G_MAXINT64, NULL, on_message, on_end, self);
}

static void
wait_for (Host *self, const char *words)
{
  while (strstr (self->log->str, words) == NULL)
    {
      g_assert_false (self->is_over);
      g_main_context_iteration (NULL, TRUE);
    }
}

/* Reaps it. (transfer full): what it said */
static char *
wait_for_end (Host *self, int status)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char some[512];
  gssize n;
  int ended_with;

  g_assert_cmpint (waitpid (self->pid, &ended_with, 0), ==, self->pid);
  while ((n = read (self->messages_fd, some, sizeof some)) > 0)
    g_string_append_len (text, some, n);
  g_assert_true (WIFEXITED (ended_with));
  g_assert_cmpint (WEXITSTATUS (ended_with), ==, status);
  return g_strdup (text->str);
}

static void
host_clear (Host *self)
{
  g_clear_pointer (&self->link, link_free);
  close (self->messages_fd);
  g_string_free (self->log, TRUE);
  g_clear_error (&self->error);
  g_clear_pointer (&self->result, g_bytes_unref);
}

static void
say_hello (Host *self)
{
  const RemoteHello hello = { .depth = 1, .max_payload = 1000000 };
  g_autoptr (GBytes) bytes = remote_hello_make (&hello);

  link_send_bytes (self->link, LINK_HELLO, 0, bytes, NULL);
  wait_for (self, "hello 0;");
}

/* @options: floating */
static void
call_with_options (Host *self, guint id, guint64 contract, GVariant *options, GBytes *args)
{
  const RemoteCallHead head = { .contract = contract, .window = 1000 };
  g_autoptr (GVariant) own_options = g_variant_ref_sink (options);
  g_autoptr (GBytes) more = g_variant_get_data_as_bytes (own_options);
  g_autoptr (GBytes) bytes = remote_head_make (&head, sizeof head, more);

  link_send_bytes (self->link, LINK_CALL, id, bytes, args);
}

static void
call_with (Host *self, guint id, guint64 contract, const char *name, GBytes *args)
{
  call_with_options (self, id, contract, g_variant_new_parsed ("{'name': <%s>}", name), args);
}

static GBytes *
make_terms (void)
{
  g_autoptr (GVariant) args = g_variant_ref_sink (g_variant_new ("(ii)", 1, 2));

  return g_variant_get_data_as_bytes (args);
}

static void
call_add (Host *self, guint id)
{
  g_autoptr (GBytes) bytes = make_terms ();

  call_with (self, id, contract_get (add_function ()), "add", bytes);
}

static void
call_stay (Host *self, guint id)
{
  g_autofree char *started = g_strdup_printf ("started %u;", id);
  g_autoptr (GBytes) nothing
      = g_bytes_new_static ("", 1); /* as a tuple without members is written */

  call_with (self, id, contract_get (stay_function ()), "stay", nothing);
  wait_for (self, started);
}

static void
assert_sum (Host *self)
{
  gint32 sum;

  g_assert_no_error (self->error);
  g_assert_cmpuint (g_bytes_get_size (self->result), ==, sizeof sum);
  memcpy (&sum, g_bytes_get_data (self->result, NULL), sizeof sum);
  g_assert_cmpint (sum, ==, 3);
}

static void
drain_host (Host *self)
{
  g_autofree char *text = NULL;

  link_send (self->link, LINK_DRAIN, 0, NULL, 0, NULL);
  link_flush (self->link, 10000);
  text = wait_for_end (self, 0);
  g_assert_cmpstr (text, ==, "");
}

/* Rules */

static void
test_calls (void)
{
  Host host;

  host_init (&host);
  say_hello (&host);
  call_add (&host, 1);
  wait_for (&host, "end 1;");
  assert_sum (&host);
  drain_host (&host);
  host_clear (&host);
}

/* A sandbox that is stricter than all there are is the strictest, and never none. */
static void
test_unknown_sandbox (void)
{
  g_autoptr (GBytes) bytes = make_terms ();
  Host host;

  if (fixture_has_sanitizers ())
    {
      g_test_skip ("sanitizers open files of their own in the process of the function");
      return;
    }
  host_init (&host);
  say_hello (&host);
  call_with_options (&host, 1, contract_get (add_function ()),
                     g_variant_new_parsed ("{'name': <'add'>, 'sandbox': <uint32 99>, "
                                           "'sandbox-rules': <(false, [b''], [b'..'])>}"),
                     bytes);
  wait_for (&host, "end 1;");
  if (host.error != NULL)
    g_assert_error (host.error, PROCFUN_ERROR, PROCFUN_ERROR_SANDBOX);
  else
    g_assert_cmpuint (host.end.sandbox, ==, PROCFUN_SANDBOX_PURE_COMPUTE);
  drain_host (&host);
  host_clear (&host);
}

/* Words about calls that there are not, as they come when a call has just ended. */
static void
test_late_words (void)
{
  const RemoteCancelHead cancel = { .is_urgent = 1 };
  const RemoteCancelHead element = { .element = 3 };
  const RemoteTakeHead take = { .bytes = 10 };
  Host host;

  host_init (&host);
  say_hello (&host);
  link_send (host.link, LINK_CANCEL, 7, &cancel, sizeof cancel, NULL);
  link_send (host.link, LINK_TAKE, 7, &take, sizeof take, NULL);
  link_send (host.link, LINK_PING, 0, NULL, 0, NULL);
  call_stay (&host, 8);
  link_send (host.link, LINK_TAKE, 8, &take, sizeof take, NULL);
  link_send (host.link, LINK_CANCEL, 8, &element, sizeof element, NULL);
  link_send (host.link, LINK_CANCEL, 8, "short", 5, NULL);
  call_add (&host, 9);
  wait_for (&host, "end 9;");
  assert_sum (&host);
  link_send (host.link, LINK_CANCEL, 8, &cancel, sizeof cancel, NULL);
  wait_for (&host, "end 8;");
  g_assert_error (host.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  drain_host (&host);
  host_clear (&host);
}

static void
test_terminated (void)
{
  g_autofree char *text = NULL;
  g_autofree char *none = NULL;
  Host host;

  host_init (&host);
  say_hello (&host);
  call_stay (&host, 1);
  kill (host.pid, SIGTERM);
  wait_for (&host, "drain 0;");
  call_add (&host, 2);
  wait_for (&host, "end 2;");
  g_assert_error (host.error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
  g_assert_cmpuint (host.end.status, ==, REMOTE_END_REFUSED);
  kill (host.pid, SIGTERM);
  text = wait_for_end (&host, 1);
  host_clear (&host);

  host_init (&host);
  say_hello (&host);
  kill (host.pid, SIGTERM);
  none = wait_for_end (&host, 0);
  g_assert_cmpstr (none, ==, "");
  host_clear (&host);
}

/* A caller that is gone is no mistake, and its calls end. */
static void
test_gone (void)
{
  g_autofree char *text = NULL;
  Host host;

  host_init (&host);
  say_hello (&host);
  call_stay (&host, 1);
  g_clear_pointer (&host.link, link_free);
  text = wait_for_end (&host, 0);
  host_clear (&host);
}

/* Calls that are refused */

static void
test_other_functions (void)
{
  Host host;

  host_init (&host);
  say_hello (&host);
  call_with (&host, 1, 77, "add", NULL);
  wait_for (&host, "end 1;");
  g_assert_error (host.error, PROCFUN_ERROR, PROCFUN_ERROR_MISMATCH);
  call_with (&host, 2, 77, "subtract", NULL);
  wait_for (&host, "end 2;");
  g_assert_error (host.error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND);
  g_assert_cmpuint (host.end.status, ==, REMOTE_END_REFUSED);
  call_with (&host, 3, contract_get (add_function ()), "add", NULL);
  wait_for (&host, "end 3;");
  g_assert_error (host.error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
  link_send (host.link, LINK_CALL, 4, "short", 5, NULL);
  wait_for (&host, "end 4;");
  g_assert_error (host.error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
  call_add (&host, 5);
  wait_for (&host, "end 5;");
  assert_sum (&host);
  drain_host (&host);
  host_clear (&host);
}

/* Rules that are broken: the host says so, and ends. */

static void
send_no_hello (Host *self)
{
  call_add (self, 1);
}

static void
send_wrong_hello (Host *self)
{
  link_send (self->link, LINK_HELLO, 0, "hello", 5, NULL);
}

static void
send_word_of_host (Host *self)
{
  const RemoteStartedHead head = { .pid = 1 };

  say_hello (self);
  link_send (self->link, LINK_STARTED, 1, &head, sizeof head, NULL);
}

static void
send_call_twice (Host *self)
{
  say_hello (self);
  call_stay (self, 1);
  call_add (self, 1);
}

static const struct
{
  const char *name;
  void (*send) (Host *self);
  const char *says;
} breaches[] = { { "a-call-before-hello", send_no_hello, "what is no message" },
                 { "another-hello", send_wrong_hello, "version 0 of the protocol" },
                 { "a-word-of-hosts", send_word_of_host, "what is no message" },
                 { "the-same-call-twice", send_call_twice, "what is no message" } };

static void
test_breach (gconstpointer data)
{
  const gsize i = GPOINTER_TO_SIZE (data);
  g_autofree char *text = NULL;
  Host host;

  host_init (&host);
  breaches[i].send (&host);
  link_flush (host.link, 10000);
  text = wait_for_end (&host, 1);
  g_test_message ("%s", text);
  g_assert_nonnull (strstr (text, breaches[i].says));
  host_clear (&host);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/host-serve/calls-are-answered", test_calls);
  fixture_add_func ("/host-serve/unknown-sandbox-is-the-strictest", test_unknown_sandbox);
  fixture_add_func ("/host-serve/words-about-no-call-are-nothing", test_late_words);
  fixture_add_func ("/host-serve/a-signal-drains-and-another-ends", test_terminated);
  fixture_add_func ("/host-serve/ends-with-its-caller", test_gone);
  fixture_add_func ("/host-serve/calls-of-others-are-refused", test_other_functions);
  for (gsize i = 0; i < G_N_ELEMENTS (breaches); i++)
    {
      g_autofree char *path = g_strconcat ("/host-serve/breaches/", breaches[i].name, NULL);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_breach);
    }
  return fixture_run ();
}
