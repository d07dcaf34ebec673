/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/host-spec.h"

#include "procfun/base/intl.h"
#include "procfun/base/readable.h"
#include "procfun/child/command-line.h"
#include "procfun/core/context.h"
#include "procfun/platform/self.h"
#include "procfun/platform/worker-path.h"
#include "procfun/procfun-error.h"
#include "procfun/wire/setup.h"
#include <string.h>

#define PLACE "{}"

/* ADDRESS stands for what follows the colon, or for nothing. */
#define ADDRESS "{address}"

static const struct
{
  const char *scheme;
  const char *command;
  gboolean needs_address;
  gboolean has_options; /* in place of an address */
  gboolean quotes;
  gboolean is_here;
} schemes[] = {
  { "local", PLACE, FALSE, FALSE, FALSE, TRUE },
  { "exec", ADDRESS, TRUE, FALSE, FALSE, TRUE },
  { "ssh", "ssh -T -o BatchMode=yes -S none " ADDRESS " " PLACE, TRUE, FALSE, TRUE, FALSE },
  { "srun", "srun --ntasks=1 --unbuffered " ADDRESS " " PLACE, FALSE, TRUE, FALSE, FALSE },
  { "docker", "docker exec -i " ADDRESS " " PLACE, TRUE, FALSE, FALSE, FALSE },
  { "podman", "podman exec -i " ADDRESS " " PLACE, TRUE, FALSE, FALSE, FALSE },
  { "kubectl", "kubectl exec -i " ADDRESS " -- " PLACE, TRUE, FALSE, FALSE, FALSE },
  { "systemd", "systemd-run --user --pipe --wait --collect --quiet " ADDRESS " " PLACE, FALSE, TRUE,
    FALSE, TRUE },
  { "bwrap",
    "bwrap --ro-bind / / --dev /dev --proc /proc --unshare-all --die-with-parent " ADDRESS
    " " PLACE,
    FALSE, TRUE, FALSE, TRUE },
};

HostSpec *
host_spec_ref (HostSpec *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
host_spec_unref (HostSpec *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_free (self->name);
  g_strfreev (self->command);
  g_free (self->scheme);
  g_free (self->program);
  g_free (self);
}

static HostSpec *
make (const char *name)
{
  HostSpec *self = g_new0 (HostSpec, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->name = readable_line (name, -1);
  return self;
}

HostSpec *
host_spec_new (const char *name, const char *const *command)
{
  HostSpec *self = make (name);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  gboolean has_place = FALSE;

  for (gsize i = 0; command != NULL && command[i] != NULL; i++)
    {
      has_place = has_place || strstr (command[i], PLACE) != NULL;
      g_strv_builder_add (builder, command[i]);
    }
  if (!has_place)
    g_strv_builder_add (builder, PLACE);
  self->command = g_strv_builder_end (builder);
  self->scheme = g_strdup ("exec");
  return self;
}

/* Reading */

static gboolean
set_invalid (const char *text, GError **error)
{
  g_autofree char *readable = readable_line (text, -1);

  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, _ ("“%s” names no host"), readable);
  return FALSE;
}

/* Cuts “*16” off the end of @text. FALSE: there is none, or another text. */
static gboolean
cut_slots (char *text, guint *slots)
{
  char *star = strrchr (text, '*');
  guint64 n;

  if (star == NULL || !g_ascii_string_to_unsigned (star + 1, 10, 1, 65536, &n, NULL))
    return FALSE;
  *slots = (guint)n;
  *star = '\0';
  return TRUE;
}

/* Its index; the number of schemes: a module may know it. */
static gsize
find_scheme (const char *scheme)
{
  gsize i = 0;

  while (i < G_N_ELEMENTS (schemes) && strcmp (scheme, schemes[i].scheme) != 0)
    i++;
  return i;
}

/* The sign before the path of the program. Options have it, too, so behind them it follows a blank.
 * (nullable) */
static char *
find_path (char *rest, gboolean has_options)
{
  char *blank;

  if (!has_options || rest[0] != ':')
    return strchr (rest, '=');
  blank = g_strrstr (rest, " =");
  return blank != NULL ? blank + 1 : NULL;
}

/* Text after the scheme, without slots and program. */
static char *
cut_address (HostSpec *self, char *rest, gboolean has_options)
{
  char *equals;

  cut_slots (rest, &self->slots);
  equals = strcmp (self->scheme, "exec") != 0 ? find_path (rest, has_options) : NULL;
  if (equals != NULL)
    {
      self->program = g_strdup (equals + 1);
      *equals = '\0';
      cut_slots (rest, &self->slots);
    }
  return g_strstrip (*rest == ':' ? rest + 1 : rest);
}

/* “me@beta:2222” has the port in an option of its own. */
static void
add_ssh_address (GStrvBuilder *builder, const char *address)
{
  const char *colon = strrchr (address, ':');
  g_autofree char *host = NULL;
  guint64 port;

  if (colon != NULL && strchr (address, ':') == colon
      && g_ascii_string_to_unsigned (colon + 1, 10, 1, 65535, &port, NULL))
    {
      host = g_strndup (address, (gsize)(colon - address));
      g_strv_builder_add_many (builder, "-p", colon + 1, host, NULL);
    }
  else
    g_strv_builder_add (builder, address);
}

static gboolean
make_template (HostSpec *self, gsize i, const char *address, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) words = g_strsplit (schemes[i].command, " ", -1);
  g_auto (GStrv) given = NULL;

  if (strcmp (self->scheme, "ssh") != 0 && *address != '\0'
      && !g_shell_parse_argv (address, NULL, &given, error))
    {
      g_prefix_error (error, "%s: ", self->name);
      return FALSE;
    }
  for (gsize j = 0; words[j] != NULL; j++)
    if (strcmp (words[j], ADDRESS) != 0)
      g_strv_builder_add (builder, words[j]);
    else if (given != NULL)
      g_strv_builder_addv (builder, (const char **)given);
    else if (*address != '\0')
      add_ssh_address (builder, address);
  if (strcmp (self->scheme, "exec") == 0 && strstr (address, PLACE) == NULL)
    g_strv_builder_add (builder, PLACE);
  self->command = g_strv_builder_end (builder);
  self->quotes = schemes[i].quotes;
  self->is_here = schemes[i].is_here;
  return TRUE;
}

/* An address that begins with “-” would be an option. */
static HostSpec *
parse (const char *text, GError **error)
{
  g_autoptr (HostSpec) self = make (text);
  const gsize length = strspn (text, G_CSET_a_2_z G_CSET_DIGITS "+-");
  g_autofree char *rest = g_strdup (text + length);
  const char *address;
  gsize i;

  self->scheme = g_strndup (text, length);
  i = find_scheme (self->scheme);
  if (length == 0 || strchr (":*=", rest[0]) == NULL)
    {
      set_invalid (text, error);
      return NULL;
    }
  if (i == G_N_ELEMENTS (schemes))
    {
      cut_address (self, rest, FALSE);
      if (rest[0] == ':')
        return g_steal_pointer (&self);
      set_invalid (text, error);
      return NULL;
    }
  address = cut_address (self, rest, schemes[i].has_options);
  if ((address[0] == '-' && !schemes[i].has_options)
      || (schemes[i].needs_address && address[0] == '\0') || (i == 0 && address[0] != '\0'))
    set_invalid (text, error);
  else if (make_template (self, i, address, error))
    return g_steal_pointer (&self);
  return NULL;
}

/* The commas of a command in quotes are its own. */
static char **
split (const char *text)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  const char *begin = text;
  char quote = '\0';

  for (const char *at = text;; at++)
    {
      if (*at == '\0' || (*at == ',' && quote == '\0'))
        {
          g_autofree char *part = g_strndup (begin, (gsize)(at - begin));

          g_strv_builder_add (builder, g_strstrip (part));
          begin = at + 1;
        }
      else if (quote != '\0' ? *at == quote : *at == '"' || *at == '\'')
        quote = quote != '\0' ? '\0' : *at;
      if (*at == '\0')
        return g_strv_builder_end (builder);
    }
}

GPtrArray *
host_spec_parse_list (const char *text, GError **error)
{
  g_autoptr (GPtrArray) specs = g_ptr_array_new_with_free_func ((GDestroyNotify)host_spec_unref);
  g_auto (GStrv) parts = split (text);

  for (gsize i = 0; parts[i] != NULL; i++)
    {
      HostSpec *spec = parse (parts[i], error);

      if (spec == NULL)
        return NULL;
      g_ptr_array_add (specs, spec);
    }
  return g_steal_pointer (&specs);
}

gboolean
host_spec_is_list (const char *text)
{
  const gsize length = strspn (text, G_CSET_a_2_z G_CSET_DIGITS "+-");

  for (gsize i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (strlen (schemes[i].scheme) == length && strncmp (text, schemes[i].scheme, length) == 0)
      return TRUE;
  return length > 0 && text[length] == ':';
}

/* The command line */

/* Our own file may be out of reach of another machine by a name that only this process has. */
static char *
find_program (const HostSpec *self, const char *program)
{
  char *path = NULL;

  if (self->program != NULL)
    return g_strdup (self->program);
  if (program != NULL)
    return g_strdup (program);
  if (!self->is_here)
    path = g_file_read_link ("/proc/self/exe", NULL);
  return path != NULL ? path : self_get_executable (FALSE);
}

/* A program that serves functions of its own when it says so is started as this one was. */
static void
add_own_command (GStrvBuilder *builder)
{
  g_auto (GStrv) argv = self_read_command_line ();

  for (gsize i = 0; argv[i] != NULL && strcmp (argv[i], SETUP_HOST_IN_MAIN) != 0; i++)
    g_strv_builder_add (builder, argv[i]);
  g_strv_builder_add (builder, SETUP_HOST_IN_MAIN);
}

/* The program, and what makes a host of it. */
static void
add_program (GStrvBuilder *builder, const HostSpec *self, const char *program, const char *library)
{
  g_autofree char *path = NULL;

  if (library != NULL)
    g_strv_builder_add_many (builder, program != NULL ? program : worker_path_get (),
                             COMMAND_LINE_HOST, self->program != NULL ? self->program : library,
                             NULL);
  else if (program == NULL && self->program == NULL && procfun_context_serves ())
    add_own_command (builder);
  else
    {
      path = find_program (self, program);
      g_strv_builder_add_many (builder, path, COMMAND_LINE_HOST, NULL);
    }
}

/* Its path is known on the host alone. */
static void
add_uploaded (GStrvBuilder *builder, const UploadFile *file, const char *program,
              const char *library)
{
  g_auto (GStrv) shell = upload_file_make_command (file, library != NULL);

  g_strv_builder_addv (builder, (const char **)shell);
  if (library != NULL)
    g_strv_builder_add (builder, program != NULL ? program : worker_path_get ());
  g_strv_builder_add (builder, COMMAND_LINE_HOST);
}

static char **
make_program_command (const HostSpec *self, const char *program, const char *library,
                      const UploadFile *file)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  g_strv_builder_add_many (builder, "env", COMMAND_LINE_VARIABLE "=1", NULL);
  if (file != NULL)
    add_uploaded (builder, file, program, library);
  else
    add_program (builder, self, program, library);
  if (self->slots > 0)
    {
      g_autofree char *slots = g_strdup_printf (COMMAND_LINE_SLOTS_PREFIX "%u", self->slots);

      g_strv_builder_add (builder, slots);
    }
  return g_strv_builder_end (builder);
}

static char *
quote (char *const *words)
{
  GString *line = g_string_new (NULL);

  for (gsize i = 0; words[i] != NULL; i++)
    {
      g_autofree char *word = g_shell_quote (words[i]);

      g_string_append_printf (line, "%s%s", i > 0 ? " " : "", word);
    }
  return g_string_free (line, FALSE);
}

static char *
fill_in (const char *word, const char *line)
{
  g_auto (GStrv) parts = g_strsplit (word, PLACE, -1);

  return g_strjoinv (line, parts);
}

char **
host_spec_make_command (const HostSpec *self, const char *program, const char *library,
                        const UploadFile *file)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) words = NULL;
  g_autofree char *line = NULL;

  words = make_program_command (self, program, library, file);
  line = quote (words);
  for (gsize i = 0; self->command[i] != NULL; i++)
    if (strcmp (self->command[i], PLACE) == 0 && !self->quotes)
      g_strv_builder_addv (builder, (const char **)words);
    else
      {
        g_autofree char *word = fill_in (self->command[i], line);

        g_strv_builder_add (builder, word);
      }
  return g_strv_builder_end (builder);
}
