/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Linked last: its constructors run after those of test-define-cxx.cc. */

#include <string>

extern const std::string greeting;
const std::string greeting = "Hello";
