/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Prime factors of many numbers, by as many processes as there are CPUs; one number makes the
 * function crash, and costs no other. */

#include <procfun.h>
#include <stdio.h>

PROCFUN_DEFINE_FUNCTION (factorise, char *, (int, n))
{
  GString *factors = g_string_new (NULL);
  volatile int count = 0;

  for (int divisor = 2; n > 1; divisor++)
    for (; n % divisor == 0; n /= divisor, count++)
      g_string_append_printf (factors, "%s%d", count > 0 ? " * " : "", divisor);
  if (count == 0)
    g_string_append_printf (factors, "%d", n / count); /* which crashes */
  return g_string_free (factors, FALSE);
}

/* Asked for numbers as the workers need them. */
static GVariant *
next_number (gpointer user_data)
{
  int *n = user_data;

  return *n > 1 ? g_variant_new ("(i)", --*n) : NULL;
}

int
main (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (0);
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, factorise_function ());
  int n = 1000;
  guint64 index;

  procfun_map_set_iterator (map, next_number, &n, NULL);
  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  do
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) factors = procfun_map_next (map, &index, NULL, &error);

      if (factors != NULL && index < 3)
        printf ("%d = %s\n", (int)(999 - index), g_variant_get_string (factors, NULL));
      else if (error != NULL)
        printf ("element %d: %s\n", (int)index,
                g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED) ? "crashed"
                                                                              : error->message);
    }
  while (index != G_MAXUINT64);
  printf ("%d numbers were factorised\n", (int)procfun_map_get_n_done (map));
  return 0;
}
