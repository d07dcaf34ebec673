/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether a host can be reached. It is asked for functions that no program has: their calls come
 * back refused, and have run nothing. */

#include "tools/host-check.h"

#include "procfun/base/intl.h"
#include "procfun/child/command-line.h"
#include "procfun/core/function.h"
#include "procfun/platform/module.h"
#include "procfun/platform/self.h"
#include "procfun/remote/contract.h"
#include "procfun/remote/hosts.h"
#include "procfun/values/schema.h"
#include "procfun/wire/channel.h"
#include <string.h>

/* The first one waits for the start of the host. */
#define N_PROBES 6

/* So long a host may be silent. */
#define HEARTBEAT (5 * G_USEC_PER_SEC)

static void
host_check_free (gpointer check)
{
  HostCheck *self = check;

  g_free (self->name);
  g_clear_error (&self->error);
  g_ptr_array_unref (self->missing);
  g_free (self);
}

/* One host, in a thread of its own */

typedef struct
{
  HostCheck *check;
  HostSpec *spec;
  const Program *program; /* (nullable) */
  gint64 timeout;
  GVariant *contracts; /* (nullable): written by the thread of the hosts, before the first answer */
} Asking;

static void
on_host (const HostNews *news, gpointer user_data)
{
  Asking *self = user_data;

  if (news->error != NULL)
    return;
  self->check->slots += news->slots; /* there are several hosts behind a broker */
  if (self->contracts == NULL && news->contracts != NULL)
    self->contracts = g_variant_ref (news->contracts);
}

static ProcfunCall *
make_probe (const char *name)
{
  g_autoptr (ProcfunSchema) args
      = procfun_schema_new_named (PROCFUN_SCHEMA_ARGUMENTS, 0, NULL, NULL);
  g_autoptr (ProcfunSchema) result = procfun_schema_new (G_VARIANT_TYPE_UNIT);
  g_autoptr (ProcfunFunction) function = procfun_function_new_for_module (
      name, args, result, PROCFUN_FUNCTION_NONE, module_new_for_file ("/", TRUE, ""));

  return procfun_call_new (function, g_variant_new ("()"));
}

/* The function is nobody's concern. */
static void
cut_prefix (GError *error, const char *name)
{
  g_autofree char *prefix = g_strdup_printf (_ ("%s() cannot be called: "), name);
  g_autofree char *message = NULL;

  if (!g_str_has_prefix (error->message, prefix))
    return;
  message = g_steal_pointer (&error->message);
  error->message = g_strdup (message + strlen (prefix));
}

/* Its answer, which is an error. */
static GError *
send_probe (Hosts *hosts, guint n)
{
  g_autofree char *name = g_strdup_printf ("procfun-probe-%u", n);
  g_autoptr (ProcfunCall) call = make_probe (name);
  GError *answer = NULL;
  g_autoptr (RemoteCall) remote = remote_call_new (hosts, call, CHANNEL_DEFAULT_LIMIT, &answer);
  gboolean has_ended = remote == NULL || !hosts_submit (hosts, remote, &answer);
  g_autoptr (GVariant) result = NULL;

  while (!has_ended)
    {
      g_autoptr (RemoteEvent) event = remote_call_wait (remote);

      has_ended = remote_call_tell (remote, call, event, &result, &answer);
    }
  if (answer != NULL)
    cut_prefix (answer, name);
  return answer;
}

static void
ask (Asking *self, Hosts *hosts)
{
  HostCheck *check = self->check;

  for (guint i = 0; i < N_PROBES; i++)
    {
      const gint64 start = g_get_monotonic_time ();
      GError *answer = send_probe (hosts, i);
      const double us = (double)(g_get_monotonic_time () - start);

      if (!g_error_matches (answer, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND))
        {
          check->error = answer;
          return;
        }
      g_error_free (answer);
      if (i == 1 || us < check->round_trip)
        check->round_trip = us;
    }
}

static gboolean
has_contract (const Asking *self, guint64 contract)
{
  gsize n = 0;
  const guint64 *all = self->contracts != NULL
                           ? g_variant_get_fixed_array (self->contracts, &n, sizeof *all)
                           : NULL;

  for (gsize i = 0; i < n; i++)
    if (all[i] == contract)
      return TRUE;
  return FALSE;
}

static void
compare (Asking *self)
{
  GPtrArray *functions = self->program->functions;

  self->check->n_functions = functions->len;
  for (guint i = 0; i < functions->len; i++)
    if (!has_contract (self, contract_get (functions->pdata[i])))
      g_ptr_array_add (self->check->missing,
                       g_strdup (procfun_function_get_name (functions->pdata[i])));
}

static gpointer
check_in_thread (gpointer asking)
{
  Asking *self = asking;
  g_autoptr (GPtrArray) specs = g_ptr_array_new ();
  char *path = self->program != NULL ? self->program->path : NULL;
  const gboolean is_library = path != NULL && !self->program->is_program;
  HostsConfig config = { .heartbeat = HEARTBEAT,
                         .connect_timeout = self->timeout,
                         .calls_in_flight = 1,
                         .max_payload = CHANNEL_DEFAULT_LIMIT,
                         .program = is_library ? NULL : path,
                         .library = is_library ? path : NULL };
  Hosts *hosts;

  g_ptr_array_add (specs, self->spec);
  hosts = hosts_new (specs, on_host, self, NULL);
  hosts_set_config (hosts, &config);
  ask (self, hosts);
  hosts_close_and_wait (hosts);
  hosts_unref (hosts);
  if (self->check->error == NULL && self->program != NULL)
    compare (self);
  g_clear_pointer (&self->contracts, g_variant_unref);
  return NULL;
}

/* All */

GPtrArray *
host_check_all (const char *list, const Program *program, gint64 timeout, GError **error)
{
  g_autoptr (GPtrArray) specs = NULL;
  g_autofree Asking *askings = NULL;
  g_autofree GThread **threads = NULL;
  GPtrArray *checks;

  specs = host_spec_parse_list (list, error);
  if (specs == NULL)
    return NULL;
  checks = g_ptr_array_new_with_free_func (host_check_free);
  askings = g_new0 (Asking, specs->len);
  threads = g_new0 (GThread *, specs->len);
  for (guint i = 0; i < specs->len; i++)
    {
      HostSpec *spec = specs->pdata[i];
      HostCheck *check = g_new0 (HostCheck, 1);

      check->name = g_strdup (spec->name);
      check->missing = g_ptr_array_new_with_free_func (g_free);
      g_ptr_array_add (checks, check);
      askings[i] = (Asking){ .check = check, .spec = spec, .program = program, .timeout = timeout };
      threads[i] = g_thread_new ("procfun host", check_in_thread, &askings[i]);
    }
  for (guint i = 0; i < specs->len; i++)
    g_thread_join (threads[i]);
  return checks;
}

/* It has no functions, so nothing answers before main(). */
void
host_check_answer (void)
{
  if (!command_line_is_asked ())
    return;
  command_line_begin ();
  command_line_answer (NULL);
}
