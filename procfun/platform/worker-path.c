/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/worker-path.h"

#include "procfun/base/environment.h"
#include "procfun/platform/module.h"
#include <stdlib.h>

#define WORKER "procfun-worker"

/* (nullable): the tree of the library may have been moved, or not be at its final place. A program
 * that is statically linked with the library says nothing about the folders of the library. */
static char *
find_beside_library (const char *name, GFileTest test)
{
  g_autoptr (Module) module = module_new_for_address (&worker_path_get);
  g_autofree char *library = module->path != NULL ? realpath (module->path, NULL) : NULL;
  g_autofree char *folder = library != NULL ? g_path_get_dirname (library) : NULL;
  g_autofree char *path
      = folder != NULL ? g_build_filename (folder, "procfun-" PROCFUN_ABI, name, NULL) : NULL;

  return path != NULL && g_file_test (path, test) ? g_steal_pointer (&path) : NULL;
}

const char *
worker_path_get (void)
{
  static char *path;
  const char *chosen = environment_get ("PROCFUN_WORKER");

  if (chosen != NULL)
    return chosen;
  if (g_once_init_enter (&path))
    {
      char *found = find_beside_library (WORKER, G_FILE_TEST_IS_EXECUTABLE);

      g_once_init_leave (&path, found != NULL ? found : g_strdup (PROCFUN_WORKERDIR "/" WORKER));
    }
  return path;
}

char *
worker_path_find_folder (const char *name)
{
  char *found = find_beside_library (name, G_FILE_TEST_IS_DIR);

  return found != NULL ? found : g_build_filename (PROCFUN_WORKERDIR, name, NULL);
}
