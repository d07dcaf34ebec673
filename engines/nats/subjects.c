/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/subjects.h"

#include <inttypes.h>

char *
subjects_stream (const Address *address)
{
  return g_strconcat ("PF_", address->pool, NULL);
}

char *
subjects_queue (const Address *address)
{
  return g_strconcat ("pf.q.", address->pool, ".>", NULL);
}

char *
subjects_call (const Address *address, guint64 contract)
{
  return g_strdup_printf ("pf.q.%s.%016" PRIx64, address->pool, contract);
}

static char *
make_random (void)
{
  return g_strdup_printf ("%08x%08x", g_random_int (), g_random_int ());
}

char *
subjects_caller (const Address *address)
{
  g_autofree char *random = make_random ();

  return g_strconcat ("pf.r.", address->name, ".", random, NULL);
}

char *
subjects_host (const Address *address)
{
  g_autofree char *machine = g_strndup (g_get_host_name (), 64);

  g_strcanon (machine, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-", '_');
  return g_strdup_printf ("pf.c.%s.%s-%08x", address->pool, machine, g_random_int ());
}

char *
subjects_inbox (const Address *address, const char *host, guint n)
{
  return g_strdup_printf ("pf.p.%s.%s.%u", address->pool, host, n);
}

char *
subjects_beats (const Address *address)
{
  return g_strconcat ("pf.h.", address->pool, NULL);
}

char *
subjects_question (const Address *address)
{
  return g_strconcat ("pf.w.", address->pool, NULL);
}

char *
subjects_api (const Address *address, const char *word, const char *rest)
{
  return g_strconcat ("$JS.API.", word, ".PF_", address->pool, rest, NULL);
}
