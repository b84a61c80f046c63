# SPDX-License-Identifier: GPL-2.0
# Makefile - what can be built, run and tested; "make help" lists it
#
# Everything that is made goes to build/ (programs, modules) and out/ (results).
# Kernels and images of the lab VM are cached outside; see docs/vm.md.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all

# One version for all of Chalk: that of the module.
VERSION := $(shell sed -n 's/^MODULE_VERSION("\(.*\)").*/\1/p' kmod/main.c)

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

.PHONY: all help setup demo test test-all test-load check module modules fuzz clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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

# A host whose TCP is lwIP's, for tests that are skipped without liblwip-dev.
LWIP := /usr/include/lwip

.PHONY: test-programs
test-programs: $(if $(wildcard $(LWIP)/lwipopts.h),$(BIN)/lwip-host)

$(BIN)/lwip-host: selftests/net/lwip_host.c
	@mkdir -p $(@D)
	$(CC) $(CORE_CFLAGS) $(CFLAGS) -isystem $(LWIP) -pthread -o $@ $< -llwip

$(BIN)/%: userspace/examples/%.c userspace/examples/example.h uapi/chalk.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -Wall -Wextra -Werror $(CFLAGS) -Iuapi -o $@ $<

$(filter-out $(BIN)/chalk,$(TOOLS:userspace/chalk/%=$(BIN)/%)): $(BIN)/%: userspace/chalk/%
	@install -D $< $@

$(BIN)/chalk: userspace/chalk/chalk kmod/main.c
	@install -D $< $@
	@sed -i 's/@VERSION@/$(VERSION)/' $@

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
	@echo "Building the tools: some seconds the first time ..."
	@$(MAKE) --no-print-directory -s tools
	@echo "Building chalk.ko for the virtual machine's Linux 6.1: a minute the first time ..."
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
mutants: ## would the tests notice a wrong core? changes it in 500 ways; minutes
	@selftests/mutants/run

include install.mk

clean: ## remove build/ and out/ (not the cached kernels)
	rm -rf build out
