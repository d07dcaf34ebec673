/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Structs, arrays of them and enumerations as arguments and results: each is defined once, and is
 * then a type of C and of the calls alike. What a result owns, its _clear() frees; g_auto() does it
 * at the end of the block. */

#include <procfun.h>
#include <stdio.h>

PROCFUN_DEFINE_ENUM (Unit, UNIT_METRE, UNIT_FOOT)
PROCFUN_DEFINE_STRUCT (Point, (double, x), (double, y))
PROCFUN_DEFINE_STRUCT (Box, (Point, from), (Point, to), (guint, n_points), (char *, label))

PROCFUN_DEFINE_FUNCTION (surround, Box, (PointArray, points), (Unit, unit))
{
  double scale = unit == UNIT_FOOT ? 0.3048 : 1;
  Box box = { { G_MAXDOUBLE, G_MAXDOUBLE }, { -G_MAXDOUBLE, -G_MAXDOUBLE }, 0, NULL };

  for (gsize i = 0; i < points.length; i++)
    {
      double x = points.data[i].x * scale;
      double y = points.data[i].y * scale;

      box.from = (Point){ MIN (box.from.x, x), MIN (box.from.y, y) };
      box.to = (Point){ MAX (box.to.x, x), MAX (box.to.y, y) };
    }
  box.n_points = (guint)points.length;
  box.label = g_strdup_printf ("around %u points, in metres", box.n_points);
  return box;
}

int
main (void)
{
  Point corners[] = { { 1, 2 }, { -4, 10 }, { 3.5, 0 } };
  PointArray points = { corners, G_N_ELEMENTS (corners) };
  g_autoptr (GError) error = NULL;
  g_auto (Box) box = surround_process (points, UNIT_FOOT, &error);

  if (error != NULL)
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  printf ("%s: (%.4f, %.4f) to (%.4f, %.4f)\n", box.label, box.from.x, box.from.y, box.to.x,
          box.to.y);
  return 0;
}
