# SPDX-License-Identifier: LGPL-2.1-or-later
# What the introspection data alone does not give: modules for Python, which need the typelib and PyGObject ("import
# procfun"), one for gjs, and corrections for vapigen.

vala_bindings = %D%/vala/Procfun-1.0.metadata %D%/vala/Procfun-1.0-custom.vala
EXTRA_DIST += $(vala_bindings)

python_modules = %D%/python/procfun.py
python_overrides = %D%/python/gi/overrides/Procfun.py
EXTRA_DIST += $(python_modules) $(python_overrides)

if HAVE_PYTHON
pymoduledir = $(pythondir)
pymodule_DATA = $(python_modules)
pyoverridesdir = $(pythondir)/gi/overrides
pyoverrides_DATA = $(python_overrides)
endif

gjs_overrides = %D%/gjs/overrides/Procfun.js
EXTRA_DIST += $(gjs_overrides)

# Loaded with the typelib by gjs, which looks for it in all data folders.
if HAVE_INTROSPECTION
gjsoverridesdir = $(datadir)/gjs-1.0/overrides
gjsoverrides_DATA = $(gjs_overrides)
endif
