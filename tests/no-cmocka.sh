#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Stands for the unit tests where configure found no cmocka: a check that tests nothing must not pass.
echo "no unit test was built: install libcmocka-dev (Debian), libcmocka-devel (Fedora), cmocka-dev (Alpine), configure again"
exit 1
