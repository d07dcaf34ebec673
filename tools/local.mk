# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs here are installed, so each has an empty %C%_NAME_LDFLAGS instead of AM_LDFLAGS.
