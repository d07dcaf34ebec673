/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Entry points that GIO looks for in a module. */

#include "engines/nats/nats-engine.h"

G_MODULE_EXPORT void
g_io_module_load (GIOModule *module)
{
  g_type_module_use (G_TYPE_MODULE (module)); /* libnats has threads that cannot be unloaded */
  nats_engine_register (G_TYPE_MODULE (module));
}

G_MODULE_EXPORT void
g_io_module_unload (GIOModule *module)
{
}

G_MODULE_EXPORT char **
g_io_module_query (void)
{
  static const char *const points[] = { PROCFUN_ENGINE_EXTENSION_POINT_NAME, NULL };

  return g_strdupv ((char **)points);
}
