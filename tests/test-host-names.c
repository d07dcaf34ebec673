/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names of hosts: in the lists of programs, and those that hosts give themselves. */

#include "tests/fixture.h"

#include "procfun/remote/host-name.h"
#include "procfun/remote/host-spec.h"
#include <procfun.h>
#include <string.h>
#include <unistd.h>

static const struct
{
  const char *text;
  guint slots;
  const char *word; /* (nullable): of the command; NULL: it names no host */
  const char *program;
} specs[] = {
  { "local", 0, "{}" },
  { "local*1", 1, "{}" },
  { "local*65536", 65536, "{}" },
  { "local*65537", 0, NULL },
  { "local*0", 0, NULL },
  { "local:here", 0, NULL },
  { "ssh:beta", 0, "beta" },
  { "ssh:", 0, NULL },
  { "ssh:-oProxyCommand=x", 0, NULL },
  { "ssh:me@beta:2222", 0, "2222" },
  { "ssh:me@beta:65536", 0, "me@beta:65536" },
  { "ssh:fe80::1:22", 0, "fe80::1:22" },
  { "docker:-it", 0, NULL },
  { "docker:box=/opt/first*3", 3, "box", "/opt/first" },
  { "docker:box*3=/opt/first", 3, "box", "/opt/first" },
  { "srun", 0, "--unbuffered" },
  { "srun*4=/opt/first", 4, "--unbuffered", "/opt/first" },
  { "srun:--nodelist=n1*64", 64, "--nodelist=n1" },
  { "srun:--nodelist='n1,n2'", 0, "--nodelist=n1,n2" },
  { "srun:--nodelist=n1 -c 2 =/opt/first*64", 64, "--nodelist=n1", "/opt/first" },
  { "systemd:-p MemoryMax=1G", 0, "MemoryMax=1G" },
  { "bwrap:--bind /data /data", 0, "--bind" },
};

static void
test_specs (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (specs); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) hosts = host_spec_parse_list (specs[i].text, &error);
      const HostSpec *host;

      g_test_message ("%s", specs[i].text);
      if (specs[i].word == NULL)
        {
          g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID);
          continue;
        }
      g_assert_no_error (error);
      host = hosts->pdata[0];
      g_assert_cmpuint (host->slots, ==, specs[i].slots);
      g_assert_cmpstr (host->program, ==, specs[i].program);
      g_assert_true (g_strv_contains ((const char *const *)host->command, specs[i].word));
    }
}

/* GLib keeps what is interned for ever: only a host that loses its calls has its name kept. */
static void
test_list_is_not_kept (void)
{
  static const char *const texts[] = { "ssh:never-seen-1", "exec:never-seen-2 'open",
                                       "docker:-never-seen-3", "never-seen:4", "never-seen-5" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GPtrArray) hosts = host_spec_parse_list (texts[i], NULL);
      const HostSpec *host = hosts != NULL ? hosts->pdata[0] : NULL;

      g_assert_cmpstr (host != NULL ? host->name : texts[i], ==, texts[i]);
      g_assert_cmpuint (g_quark_try_string (texts[i]), ==, 0);
    }
}

static void
check_kept_names (void)
{
  g_autofree char *long_name = g_strnfill (300, 'n');
  g_autofree char *cut = g_strnfill (256, 'n');
  const char *early = host_name_keep ("early\nhost");
  guint n = 0;

  g_assert_null (host_name_keep (NULL));
  g_assert_cmpstr (early, ==, "early host");
  g_assert_true (host_name_keep ("early host") == early);
  g_assert_true (host_name_keep ("early\nhost") == early);
  g_assert_cmpstr (host_name_keep (long_name), ==, cut);
  for (const char *name = "";; n++)
    {
      g_autofree char *given = g_strdup_printf ("host-%u", n);

      name = host_name_keep (given);
      if (!g_str_equal (name, given))
        {
          g_assert_cmpstr (name, ==, "…");
          g_assert_cmpuint (g_quark_try_string (given), ==, 0);
          break;
        }
    }
  g_assert_cmpuint (n, ==, 65534);
  g_assert_true (host_name_keep ("early host") == early);
}

/* Names that hosts give themselves are kept, as many as that may be: in a process of its own, which
 * ends at once, since GLib leaks memory with each thousand of them. */
static void
test_kept_names (void)
{
  if (g_test_subprocess ())
    {
      check_kept_names ();
      _exit (0);
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/host-names/are-within-bounds-in-lists", test_specs);
  fixture_add_func ("/host-names/in-a-list-are-not-interned", test_list_is_not_kept);
  fixture_add_func ("/host-names/of-hosts-are-kept-within-bounds", test_kept_names);

  return fixture_run ();
}
