/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Engines of modules, by the scheme of their URL. */

#include "procfun/base/environment.h"
#include "procfun/base/intl.h"
#include "procfun/platform/self.h"
#include "procfun/platform/worker-path.h"
#include "procfun/procfun-error.h"
#include "procfun/remote/engine.h"
#include <string.h>

static GIOExtensionPoint *
get_extension_point (void)
{
  static GIOExtensionPoint *point;

  if (g_once_init_enter (&point))
    {
      GIOExtensionPoint *made = g_io_extension_point_register (PROCFUN_ENGINE_EXTENSION_POINT_NAME);

      g_io_extension_point_set_required_type (made, PROCFUN_TYPE_ENGINE);
      g_once_init_leave (&point, made);
    }
  return point;
}

/* A module would bring a second copy of the library, whose types are there already. */
static gboolean
is_hidden (void)
{
  return self_hides ("procfun_engine_get_type", (gconstpointer)procfun_engine_get_type);
}

static void
load_modules (void)
{
  static gsize is_loaded;
  const char *chosen = environment_get ("PROCFUN_ENGINES");
  g_autofree char *folder = NULL;
  GIOModuleScope *scope;

  if (environment_is_secure () || is_hidden () || !g_once_init_enter (&is_loaded))
    return;
  folder = chosen != NULL ? g_strdup (chosen) : worker_path_find_folder ("engines");
  scope = g_io_module_scope_new (G_IO_MODULE_SCOPE_BLOCK_DUPLICATES);
  g_io_modules_scan_all_in_directory_with_scope (folder, scope);
  g_io_module_scope_free (scope);
  g_once_init_leave (&is_loaded, 1);
}

/* (nullable) */
static GIOExtension *
find (const char *scheme)
{
  GIOExtensionPoint *point = get_extension_point ();
  GIOExtension *extension = g_io_extension_point_get_extension_by_name (point, scheme);

  if (extension != NULL)
    return extension;
  load_modules ();
  return g_io_extension_point_get_extension_by_name (point, scheme);
}

ProcfunEngine *
engine_new (const char *url, GError **error)
{
  g_autofree char *scheme = g_strndup (url, strcspn (url, ":"));
  GIOExtension *extension = find (scheme);
  g_autoptr (GTypeClass) klass = NULL;

  if (extension == NULL)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENGINE, _ ("no engine is there for “%s:”"),
                   scheme);
      return NULL;
    }
  klass = g_type_class_ref (g_io_extension_get_type (extension)); /* loads its module */
  return g_object_new (g_io_extension_get_type (extension), "url", url, NULL);
}
