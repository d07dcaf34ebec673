/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/deaths.h"

#include <stdexcept>

void
deaths_throw ()
{
  throw std::runtime_error ("nobody catches this");
}
