# SPDX-License-Identifier: GPL-2.0
# Makefile - what can be built, run and tested; "make help" lists it
#
# Everything that is made goes to build/ (programs, modules) and out/ (results).
# Kernels and images of the lab VM are cached outside; see docs/vm.md.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all

PREFIX ?= /usr/local
CFLAGS ?= -O2 -g
CORE_CFLAGS := -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Werror
CORE := $(wildcard kmod/core/*.c) userspace/lib/core_shim.c
CORE_H := $(wildcard kmod/core/*.h)
BIN := build/bin

TOOLS := $(filter-out %_fixture.py,$(wildcard userspace/chalk/chalk*))
PRELOAD := $(BIN)/libchalk-preload.so
REPORT := $(filter %.js %.css %.html %.json,$(wildcard userspace/report/*))
REPORT := $(filter-out %/package.json %/package-lock.json,$(REPORT))
EXAMPLES := $(patsubst userspace/examples/%.c,$(BIN)/%,$(wildcard userspace/examples/*.c))

.PHONY: all help setup demo test test-all test-load check module modules fuzz install clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

all: tools ## the userspace programs, into build/bin

.PHONY: tools
tools: $(BIN)/chalk-sim $(PRELOAD) $(EXAMPLES) $(TOOLS:userspace/chalk/%=$(BIN)/%) \
	$(REPORT:userspace/%=build/%) build/report/uPlot.iife.min.js

$(BIN)/chalk-sim: $(wildcard userspace/sim/*.[ch]) $(CORE) $(CORE_H)
	@mkdir -p $(@D)
	$(CC) $(CORE_CFLAGS) $(CFLAGS) -Ikmod/core -o $@ $(filter %.c,$^)

$(BIN)/core-tests: $(wildcard kmod/tests/*.[ch] selftests/core/*.c selftests/core/kunit/*.h) $(CORE) $(CORE_H)
	@mkdir -p $(@D)
	$(CC) $(CORE_CFLAGS) -O1 -g -fsanitize=address,undefined \
		-fno-sanitize-recover=all -Ikmod/core -Iselftests/core -o $@ $(filter %.c,$^)

$(PRELOAD): $(wildcard userspace/preload/*.[ch]) uapi/chalk.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -Wall -Wextra -Werror $(CFLAGS) -Iuapi -shared -fPIC \
		-fvisibility=hidden -o $@ $(filter %.c,$^)

$(BIN)/%: userspace/examples/%.c userspace/examples/example.h uapi/chalk.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -Wall -Wextra -Werror $(CFLAGS) -Iuapi -o $@ $<

$(TOOLS:userspace/chalk/%=$(BIN)/%): $(BIN)/%: userspace/chalk/%
	@install -D $< $@

$(REPORT:userspace/%=build/%): build/%: userspace/%
	@install -D -m 644 $< $@

build/report/uPlot.iife.min.js: userspace/report/package-lock.json
	@userspace/report/fetch build/report

# The module for one kernel: KERNEL=6.1, 6.12 or debug of the lab VM; without
# it, the kernel that runs here. KDIR= names any other.
KERNEL ?= host
KDIR ?= /lib/modules/$(shell uname -r)/build

module: ## chalk.ko for the running kernel, or KERNEL=6.1|6.12|debug
	@selftests/build-module $(KERNEL) $(KDIR)

modules: ## chalk.ko for all kernels of the lab VM
	@for k in 6.1 6.12 debug; do $(MAKE) --no-print-directory module KERNEL=$$k; done

setup: ## install what demo, test and check need (asks apt for what is missing)
	@selftests/setup test

demo: ## a file crosses a bad network in a VM: see out/demo/
	@selftests/setup demo
	@$(MAKE) --no-print-directory -s tools
	@$(MAKE) --no-print-directory -s module KERNEL=6.1 >/dev/null
	@selftests/demo/demo

test: ## all tests; ends with "N passed, N failed"
	@selftests/setup test
	@$(MAKE) --no-print-directory -s tools $(BIN)/core-tests
	@selftests/test $(SUITES)

test-all: ## each test on each kernel, for before a release
	@$(MAKE) --no-print-directory -s test SUITES="all $(SUITES)"

N ?= 20
test-load: ## the tests on the real clock, N=20 times, beside two busy loops
	@selftests/setup test
	@$(MAKE) --no-print-directory -s tools $(BIN)/core-tests
	@selftests/test-load $(N) $(SUITES)

check: ## sparse, checkpatch, clang-format, clang, cppcheck, shellcheck, flake8
	@selftests/setup test
	@selftests/check

FUZZ_SECONDS ?= 60
fuzz: ## fuzz the parser and the core, FUZZ_SECONDS=60 each
	@selftests/setup test
	@selftests/core/fuzz/run $(FUZZ_SECONDS)

.PHONY: mutants
mutants: ## would the tests notice a wrong core? changes it in 400 ways; minutes
	@selftests/mutants/run

# Where python3 looks for packages under PREFIX, else the usual place there.
PYTHON ?= python3
PYTHONDIR ?= $(shell $(PYTHON) -c 'import site, sys; lib = sys.argv[1] + "/lib/"; \
	print(next((d for d in site.getsitepackages() if d.startswith(lib)), \
		lib + "python%d.%d/site-packages" % sys.version_info[:2]))' $(PREFIX))
AT = $(DESTDIR)$(PREFIX)

install: tools ## tools, library, header, Python package, under PREFIX=/usr/local
	install -d $(AT)/bin $(AT)/libexec/chalk/report $(AT)/lib/chalk $(AT)/include \
		$(DESTDIR)$(PYTHONDIR)/chalk
	install $(BIN)/chalk $(AT)/bin
	install $(BIN)/chalk-* $(AT)/libexec/chalk
	install -m 644 $(BIN)/chalk_*.py $(AT)/libexec/chalk
	install -m 644 build/report/*.* $(AT)/libexec/chalk/report
	install -m 644 $(PRELOAD) $(AT)/lib/chalk
	install -m 644 uapi/chalk.h $(AT)/include
	install -m 644 $(wildcard userspace/python/chalk/*.py) userspace/python/chalk/py.typed \
		$(DESTDIR)$(PYTHONDIR)/chalk

clean: ## remove build/ and out/ (not the cached kernels)
	rm -rf build out
