/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Set-up before main() of a file that is linked behind the functions. */

#include <glib.h>
#ifdef __cplusplus
#include <string>

static const std::string text ("long enough to need memory of its own, wherever that is");

struct Later
{
  int number;
  Later () : number (text.size () == 55 ? 42 : -1) {}
};

static Later later;

extern "C" int
later_value (void)
{
  return later.number;
}
#else
static int number;

__attribute__ ((constructor)) static void
set_number (void)
{
  number = 42;
}

int later_value (void);

int
later_value (void)
{
  return number;
}
#endif
