/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program that loads libraries with functions, and with -DWHO has one of its own that is named
 * like theirs. Each argument is a step; all is printed. */

#include <dlfcn.h>
#include <procfun.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern int symbol_of_host (void);

int
symbol_of_host (void)
{
  return 7;
}

#ifdef WHO
PROCFUN_DEFINE_FUNCTION (who, char *) { return g_strdup ("the program"); }
#endif

/* Functions of this name in the registry, the first of them for a call that is made later. */
static ProcfunFunction *kept;

static void
print_error (GError *error)
{
  GEnumClass *codes = g_type_class_ref (PROCFUN_TYPE_ERROR);
  const char *nick = g_enum_get_value (codes, error->code)->value_nick;

  printf ("%s: %s\n", error->domain == PROCFUN_ERROR ? nick : "?", error->message);
  g_error_free (error);
  g_type_class_unref (codes);
}

static void
call_function (ProcfunFunction *function)
{
  g_autoptr (ProcfunCall) call = procfun_call_new (function, g_variant_new ("()"));
  g_autoptr (GVariant) result = NULL;
  g_autofree char *text = NULL;
  GError *error = NULL;

  result = procfun_call_run (call, NULL, &error);
  if (result == NULL)
    {
      print_error (error);
      return;
    }
  text = g_variant_print (result, FALSE);
  printf ("%s\n", text);
}

/* All of that name, in the order of the registry. */
static void
call (const char *name)
{
  GListModel *model = G_LIST_MODEL (procfun_registry_get_default ());
  guint n_found = 0;

  for (guint i = 0; i < g_list_model_get_n_items (model); i++)
    {
      g_autoptr (ProcfunFunction) function = g_list_model_get_item (model, i);

      if (!g_str_equal (procfun_function_get_name (function), name))
        continue;
      call_function (function);
      n_found++;
    }
  if (n_found == 0)
    printf ("no %s\n", name);
}

static void *handle;

static void
load (const char *path)
{
  handle = dlopen (path, RTLD_LAZY | RTLD_LOCAL);
  if (handle == NULL)
    printf ("%s\n", dlerror ());
}

static void
keep (const char *name)
{
  kept = g_object_ref (procfun_registry_lookup_by_name (procfun_registry_get_default (), name));
}

static void
call_kept (const char *name)
{
  call_function (kept);
  g_clear_object (&kept);
}

/* The wrapper that the macro made in the library. */
static void
call_wrapper (const char *symbol)
{
  char *(*process) (GError **) = (char *(*)(GError **))dlsym (handle, symbol);
  GError *error = NULL;
  g_autofree char *text = process (&error);

  if (text != NULL)
    printf ("%s\n", text);
  else
    print_error (error);
}

static void
unload (const char *ignored)
{
  dlclose (handle);
}

static void
shell (const char *command)
{
  g_autoptr (GError) error = NULL;

  if (!g_spawn_command_line_sync (command, NULL, NULL, NULL, &error))
    printf ("%s\n", error->message);
}

static void
change_folder (const char *path)
{
  if (chdir (path) != 0)
    printf ("no %s\n", path);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    void (*run) (const char *argument);
  } steps[] = { { "load", load },   { "call", call },       { "wrapper", call_wrapper },
                { "keep", keep },   { "kept", call_kept },  { "unload", unload },
                { "shell", shell }, { "cd", change_folder } };

  for (int i = 1; i < argc; i++)
    {
      const char *argument = strchr (argv[i], '=') + 1;

      for (gsize k = 0; k < G_N_ELEMENTS (steps); k++)
        if (strncmp (argv[i], steps[k].name, strlen (steps[k].name)) == 0
            && argv[i][strlen (steps[k].name)] == '=')
          steps[k].run (argument);
    }
  return 0;
}
