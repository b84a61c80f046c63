# SPDX-License-Identifier: GPL-2.0
# install.mk - make install, modules_install, uninstall; userspace/install does it
#
# PREFIX is where programs find Chalk, DESTDIR the root of the file system that a
# package is made of, PYTHONDIR where PYTHON looks for packages below PREFIX.

PREFIX ?= /usr/local
PYTHON ?= python3
export DESTDIR PREFIX PYTHON PYTHONDIR VERSION

.PHONY: install modules_install uninstall

install: ## tools, library, headers, Python package, manual; PREFIX=/usr/local
	@userspace/install check
	@$(MAKE) --no-print-directory -s tools
	@userspace/install tools

modules_install: ## chalk.ko where modprobe finds it
	@userspace/install check
	@$(MAKE) --no-print-directory -s module
	@userspace/install modules build/$(KERNEL)

uninstall: ## all of that, gone
	@userspace/install remove
