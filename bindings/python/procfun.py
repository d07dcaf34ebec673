# SPDX-License-Identifier: LGPL-2.1-or-later
"""Functions that run in processes of their own. The names are those of ``gi.repository.Procfun``."""

import gi

gi.require_version("Procfun", "1.0")
from gi.repository import Procfun as _Procfun


def __getattr__(name):
    return getattr(_Procfun, name)


def __dir__():
    return dir(_Procfun)
