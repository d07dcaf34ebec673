/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/launcher.h"

/**
 * SECTION:procfun-launcher
 * @title: ProcfunLauncher
 * @short_description: how a host is started
 * @include: procfun.h
 *
 * How a host is started.
 */

/**
 * ProcfunLauncher:
 *
 * How a host is started.
 *
 * The command that starts a host of a #ProcfunRemotePool, for what the lists of
 * procfun_remote_pool_new() do not say. In it, a word `{}` stands for the command line of the
 * program; where there is none, that is at the end.
 *
 * |[<!-- language="C" -->
 * const char *const command[] = { "ssh", "-T", "-i", key, "beta", "{}", NULL };
 * g_autoptr (ProcfunLauncher) launcher = procfun_launcher_new ("beta", command);
 *
 * procfun_launcher_set_quote (launcher, TRUE);
 * procfun_launcher_set_slots (launcher, 16);
 * procfun_remote_pool_add_launcher (hosts, launcher);
 * ]|
 *
 * The command must connect its standard input and output with those of the program, and leave them
 * as they are. It has a session of its own, and no other descriptors.
 *
 * Since: 0.1
 */
struct _ProcfunLauncher
{
  GObject parent_instance;

  char *name;
  char **command;
  gboolean quote;
  guint slots;
  char *program; /* (nullable) */
  gboolean upload;
};

G_DEFINE_FINAL_TYPE (ProcfunLauncher, procfun_launcher, G_TYPE_OBJECT)

enum
{
  PROP_NAME = 1,
  PROP_COMMAND,
  PROP_QUOTE,
  PROP_SLOTS,
  PROP_PROGRAM,
  PROP_UPLOAD,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

#define SLOTS_MAX 65536

static void
procfun_launcher_finalize (GObject *object)
{
  ProcfunLauncher *self = PROCFUN_LAUNCHER (object);

  g_free (self->name);
  g_strfreev (self->command);
  g_free (self->program);

  G_OBJECT_CLASS (procfun_launcher_parent_class)->finalize (object);
}

static void
procfun_launcher_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  ProcfunLauncher *self = PROCFUN_LAUNCHER (object);

  switch (id)
    {
    case PROP_NAME:
      g_value_set_string (value, self->name);
      break;
    case PROP_COMMAND:
      g_value_set_boxed (value, self->command);
      break;
    case PROP_QUOTE:
      g_value_set_boolean (value, self->quote);
      break;
    case PROP_SLOTS:
      g_value_set_uint (value, self->slots);
      break;
    case PROP_PROGRAM:
      g_value_set_string (value, self->program);
      break;
    case PROP_UPLOAD:
      g_value_set_boolean (value, self->upload);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
procfun_launcher_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  ProcfunLauncher *self = PROCFUN_LAUNCHER (object);

  switch (id)
    {
    case PROP_NAME:
      self->name = g_value_dup_string (value);
      break;
    case PROP_COMMAND:
      self->command = g_value_dup_boxed (value);
      break;
    case PROP_QUOTE:
      procfun_launcher_set_quote (self, g_value_get_boolean (value));
      break;
    case PROP_SLOTS:
      procfun_launcher_set_slots (self, g_value_get_uint (value));
      break;
    case PROP_PROGRAM:
      procfun_launcher_set_program (self, g_value_get_string (value));
      break;
    case PROP_UPLOAD:
      procfun_launcher_set_upload (self, g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
procfun_launcher_class_init (ProcfunLauncherClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
  const GParamFlags once = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->finalize = procfun_launcher_finalize;
  object_class->get_property = procfun_launcher_get_property;
  object_class->set_property = procfun_launcher_set_property;

  /**
   * ProcfunLauncher:name:
   *
   * Name of the host, as procfun_call_get_host() tells it.
   *
   * Since: 0.1
   */
  props[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, once);
  /**
   * ProcfunLauncher:command:
   *
   * The command, in which {} stands for that of the program.
   *
   * Since: 0.1
   */
  props[PROP_COMMAND] = g_param_spec_boxed ("command", NULL, NULL, G_TYPE_STRV, once);
  /**
   * ProcfunLauncher:quote:
   *
   * Whether a shell takes the command of the program apart once more, as ssh has it done. It is one
   * word then, in quotes where it needs them.
   *
   * Since: 0.1
   */
  props[PROP_QUOTE] = g_param_spec_boolean ("quote", NULL, NULL, FALSE, flags);
  /**
   * ProcfunLauncher:slots:
   *
   * Number of calls that the host runs at once; 0: that of its processors.
   *
   * Since: 0.1
   */
  props[PROP_SLOTS] = g_param_spec_uint ("slots", NULL, NULL, 0, SLOTS_MAX, 0, flags);
  /**
   * ProcfunLauncher:program:
   *
   * Path of the program on the host; %NULL: that of the pool.
   *
   * Since: 0.1
   */
  props[PROP_PROGRAM] = g_param_spec_string ("program", NULL, NULL, NULL, flags);
  /**
   * ProcfunLauncher:upload:
   *
   * Whether the file of the program, or of the library, is sent to the host when it is not there.
   * #ProcfunLauncher:program has no meaning then. See procfun_launcher_set_upload().
   *
   * Since: 0.1
   */
  props[PROP_UPLOAD] = g_param_spec_boolean ("upload", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
procfun_launcher_init (ProcfunLauncher *self)
{
}

/**
 * procfun_launcher_new:
 * @name: the name of the host
 * @command: (array zero-terminated=1): the command, of one word at least
 *
 * Makes a launcher.
 *
 * Returns: (transfer full): a new #ProcfunLauncher
 *
 * Since: 0.1
 */
ProcfunLauncher *
procfun_launcher_new (const char *name, const char *const *command)
{
  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (command != NULL && command[0] != NULL, NULL);

  return g_object_new (PROCFUN_TYPE_LAUNCHER, "name", name, "command", command, NULL);
}

HostSpec *
launcher_make_spec (ProcfunLauncher *self)
{
  HostSpec *spec
      = host_spec_new (self->name != NULL ? self->name : "", (const char *const *)self->command);

  spec->program = g_strdup (self->program);
  spec->slots = self->slots;
  spec->quotes = self->quote;
  spec->uploads = self->upload;
  return spec;
}

/**
 * procfun_launcher_get_name:
 * @self: a #ProcfunLauncher
 *
 * Gets #ProcfunLauncher:name.
 *
 * Returns: (transfer none): the name of the host
 *
 * Since: 0.1
 */
const char *
procfun_launcher_get_name (ProcfunLauncher *self)
{
  g_return_val_if_fail (PROCFUN_IS_LAUNCHER (self), NULL);

  return self->name;
}

/**
 * procfun_launcher_get_command:
 * @self: a #ProcfunLauncher
 *
 * Gets #ProcfunLauncher:command.
 *
 * Returns: (transfer none) (array zero-terminated=1): the words of the command
 *
 * Since: 0.1
 */
const char *const *
procfun_launcher_get_command (ProcfunLauncher *self)
{
  g_return_val_if_fail (PROCFUN_IS_LAUNCHER (self), NULL);

  return (const char *const *)self->command;
}

/**
 * procfun_launcher_set_quote:
 * @self: a #ProcfunLauncher
 * @quote: whether a shell takes the command apart once more
 *
 * Sets #ProcfunLauncher:quote, for pools that it is added to from now on.
 *
 * Since: 0.1
 */
void
procfun_launcher_set_quote (ProcfunLauncher *self, gboolean quote)
{
  g_return_if_fail (PROCFUN_IS_LAUNCHER (self));

  quote = quote != FALSE;
  if (self->quote == quote)
    return;
  self->quote = quote;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_QUOTE]);
}

/**
 * procfun_launcher_get_quote:
 * @self: a #ProcfunLauncher
 *
 * Gets #ProcfunLauncher:quote.
 *
 * Returns: whether a shell takes the command apart
 *
 * Since: 0.1
 */
gboolean
procfun_launcher_get_quote (ProcfunLauncher *self)
{
  g_return_val_if_fail (PROCFUN_IS_LAUNCHER (self), FALSE);

  return self->quote;
}

/**
 * procfun_launcher_set_slots:
 * @self: a #ProcfunLauncher
 * @n: how many calls the host runs at once; 0: as many as it has processors
 *
 * Sets #ProcfunLauncher:slots, for pools that it is added to from now on.
 *
 * Since: 0.1
 */
void
procfun_launcher_set_slots (ProcfunLauncher *self, guint n)
{
  g_return_if_fail (PROCFUN_IS_LAUNCHER (self));
  g_return_if_fail (n <= SLOTS_MAX);

  if (self->slots == n)
    return;
  self->slots = n;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_SLOTS]);
}

/**
 * procfun_launcher_get_slots:
 * @self: a #ProcfunLauncher
 *
 * Gets #ProcfunLauncher:slots.
 *
 * Returns: a number of calls; 0: that of its processors
 *
 * Since: 0.1
 */
guint
procfun_launcher_get_slots (ProcfunLauncher *self)
{
  g_return_val_if_fail (PROCFUN_IS_LAUNCHER (self), 0);

  return self->slots;
}

/**
 * procfun_launcher_set_program:
 * @self: a #ProcfunLauncher
 * @path: (nullable): a path on the host, or %NULL for that of the pool
 *
 * Sets #ProcfunLauncher:program, for pools that it is added to from now on.
 *
 * Since: 0.1
 */
void
procfun_launcher_set_program (ProcfunLauncher *self, const char *path)
{
  g_return_if_fail (PROCFUN_IS_LAUNCHER (self));

  if (g_strcmp0 (self->program, path) == 0)
    return;
  g_free (self->program);
  self->program = g_strdup (path);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_PROGRAM]);
}

/**
 * procfun_launcher_get_program:
 * @self: a #ProcfunLauncher
 *
 * Gets #ProcfunLauncher:program.
 *
 * Returns: (transfer none) (nullable): a path, or %NULL for that of the pool
 *
 * Since: 0.1
 */
const char *
procfun_launcher_get_program (ProcfunLauncher *self)
{
  g_return_val_if_fail (PROCFUN_IS_LAUNCHER (self), NULL);

  return self->program;
}

/**
 * procfun_launcher_set_upload:
 * @self: a #ProcfunLauncher
 * @upload: whether the program is sent to a host that does not have it
 *
 * Sets #ProcfunLauncher:upload, for pools that it is added to from now on.
 *
 * The host keeps the file as `~/.cache/procfun/HASH`, or in the folder of `XDG_CACHE_HOME`, where
 * HASH is the SHA-256 of its content, and checks that before each start; files of earlier builds
 * stay until somebody removes them. It needs a shell, `sha256sum` and `mktemp`, the libraries that
 * the program is linked with, and for a library `procfun-worker` at the same path as here. The time
 * of the upload counts for #ProcfunRemotePool:connect-timeout. Calls of a script, whose file is not
 * all of it, fail with %PROCFUN_ERROR_INVALID.
 *
 * Since: 0.1
 */
void
procfun_launcher_set_upload (ProcfunLauncher *self, gboolean upload)
{
  g_return_if_fail (PROCFUN_IS_LAUNCHER (self));

  upload = upload != FALSE;
  if (self->upload == upload)
    return;
  self->upload = upload;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_UPLOAD]);
}

/**
 * procfun_launcher_get_upload:
 * @self: a #ProcfunLauncher
 *
 * Gets #ProcfunLauncher:upload.
 *
 * Returns: whether the program is sent to a host that does not have it
 *
 * Since: 0.1
 */
gboolean
procfun_launcher_get_upload (ProcfunLauncher *self)
{
  g_return_val_if_fail (PROCFUN_IS_LAUNCHER (self), FALSE);

  return self->upload;
}
