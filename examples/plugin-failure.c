/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls a function of a plugin, and shows in full what became of it when it failed:
 *   plugin-failure PLUGIN.so FUNCTION
 * The plugin is loaded here to learn what it has; its function runs in a process of its own, and
 * whatever it does there, this program lives to tell. */

#include <dlfcn.h>
#include <procfun.h>
#include <stdio.h>

static ProcfunFunction *
find_function (const char *plugin, const char *name)
{
  ProcfunFunction *function;

  if (dlopen (plugin, RTLD_NOW | RTLD_LOCAL) == NULL)
    {
      fprintf (stderr, "%s\n", dlerror ());
      return NULL;
    }
  function = procfun_registry_lookup_by_name (procfun_registry_get_default (), name);
  if (function == NULL)
    fprintf (stderr, "%s has no function “%s”\n", plugin, name);
  return function;
}

int
main (int argc, char **argv)
{
  ProcfunFunction *function = argc == 3 ? find_function (argv[1], argv[2]) : NULL;
  g_autoptr (ProcfunCall) call = NULL;
  g_autoptr (GVariant) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  if (function == NULL)
    return 2;
  call = procfun_call_new (function, g_variant_new ("()"));
  procfun_call_set_output_mode (call, PROCFUN_STREAM_STDERR, PROCFUN_OUTPUT_DISCARD);
  result = procfun_call_run (call, NULL, &error);
  if (result != NULL)
    {
      text = g_variant_print (result, FALSE);
      printf ("%s\n", text);
      return 0;
    }
  if (error->domain
      != PROCFUN_ERROR) /* the function's own error, of which the failure knows less */
    printf ("%s\n", error->message);
  text = procfun_failure_to_string (procfun_call_get_failure (call));
  printf ("%s", text);
  return 1;
}
