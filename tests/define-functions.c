/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/define-functions.h"

#include <string.h>

PROCFUN_DEFINE_FUNCTION (route_length, double, (Route, route), (Unit, unit))
{
  double length = 0;

  /* As taxis count. */
  for (gsize i = 1; i < route.places.length; i++)
    length += ABS (route.places.data[i].x - route.places.data[i - 1].x)
              + ABS (route.places.data[i].y - route.places.data[i - 1].y);
  return unit == UNIT_KILOMETRE ? length / 1000 : length;
}

PROCFUN_DEFINE_FUNCTION_WITH_ERROR (route_new, Route, (const char *, name),
                                    (ProcfunDoubles, coordinates))
{
  Route route = { NULL, { NULL, 0 } };

  if (coordinates.length % 2 != 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "“%s” ends without its y", name);
      return route;
    }
  route.name = g_strdup (name);
  route.places.length = coordinates.length / 2;
  route.places.data = g_memdup2 (coordinates.data, coordinates.length * sizeof (double));
  return route;
}

PROCFUN_DEFINE_FUNCTION (route_forget, void) {}
