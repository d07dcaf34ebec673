/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/crasher.h"

#include <stdexcept>

void
crasher_throw ()
{
  throw std::runtime_error ("nobody catches this");
}
