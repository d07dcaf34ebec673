/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/deeds.h"

#include <stdexcept>

void
deeds_throw ()
{
  throw std::runtime_error ("nobody catches this");
}
