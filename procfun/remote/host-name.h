/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A name of a host as calls and failures hold it: interned, readable and short. Names come from
 * other machines and from lists of hosts, so only so many are kept; later ones are “…”. From any
 * thread. @name: (nullable); then there is none. */
const char *host_name_keep (const char *name);

G_END_DECLS
