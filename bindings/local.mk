# SPDX-License-Identifier: LGPL-2.1-or-later
# The modules for Python, which need the typelib and PyGObject: "import procfun".

python_modules = %D%/python/procfun.py
python_overrides = %D%/python/gi/overrides/Procfun.py
EXTRA_DIST += $(python_modules) $(python_overrides)

if HAVE_PYTHON
pymoduledir = $(pythondir)
pymodule_DATA = $(python_modules)
pyoverridesdir = $(pythondir)/gi/overrides
pyoverrides_DATA = $(python_overrides)
endif
