/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program's header that C and C++ files include. */

#pragma once

#include <procfun.h>

PROCFUN_DEFINE_STRUCT (Place, (double, x), (double, y))
PROCFUN_DEFINE_STRUCT (Route, (char *, name), (PlaceArray, places))
PROCFUN_DEFINE_ENUM (Unit, UNIT_METRE, UNIT_KILOMETRE)

PROCFUN_DECLARE_FUNCTION (route_length, double, (Route, route), (Unit, unit))
PROCFUN_DECLARE_FUNCTION_WITH_ERROR (route_new, Route, (const char *, name),
                                     (ProcfunDoubles, coordinates))
PROCFUN_DECLARE_FUNCTION (route_forget, void)
