# What a newcomer, an operator and the machine that tests every change call. `make` alone lists it.

# Outside the checkout, so that a fresh clone builds only what is new in it. One profile (dev) for the
# demo and the tests, so that nothing is built twice.
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/hostbook/target
# Where rustup puts its programs; a fresh login does not have them on its path yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

CARGO = cargo --locked
SETUP = integration-tests/setup.sh
PREFIX = /usr/local
HOSTS = 100000
PARTS =
FUZZ_TARGETS = dns-query dns-master
# Some tests have more sockets and files open at once than the 1024 that a shell usually allows.
MORE_FILES = [ "$$(ulimit -n)" = unlimited ] || [ "$$(ulimit -n)" -ge 8192 ] || ulimit -S -n 8192
SECONDS = 3600
PROGRAMS = hostbook hostbook-dhcpd hostbook-dnsd hostbook-config hostbook-load
UNITS = hostbook-dhcpd.service hostbook-dnsd.service hostbook-hooks.service hostbook-audit.service hostbook-audit.timer

.PHONY: help demo test test-long lint build release bench bench-config fuzz install

help:
	@echo 'make demo       builds, then shows the suite at work in private network namespaces'
	@echo 'make test       installs what the tests need (apt), then runs all of them'
	@echo 'make test-long  the same with the tests that take long, and far more random cases'
	@echo 'make bench      measures beside other servers at 100,000 hosts (HOSTS=, PARTS=), into docs/benchmarks'
	@echo 'make fuzz       feeds the ways in with hostile octets, an hour of core time each (SECONDS=)'
	@echo 'make bench-config  configuration push beside cdist, ansible and pyinfra (root, PyPI)'
	@echo 'make install    builds for speed and installs below $(PREFIX) (PREFIX=, DESTDIR=)'

build:
	$(CARGO) build --workspace --bins

demo:
	$(SETUP) demo
	$(MAKE) --no-print-directory build
	$(CARGO_TARGET_DIR)/debug/hostbook demo -i examples/lab

test: lint build
	$(MORE_FILES); $(CARGO) test --workspace --no-fail-fast

test-long: lint build
	$(SETUP) arm64
	$(MORE_FILES); PROPTEST_CASES=20000 $(CARGO) test --workspace --no-fail-fast -- --include-ignored

lint:
	$(SETUP) test
	cargo fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

release:
	$(SETUP) build
	$(CARGO) build --workspace --bins --release

# Beside the servers that others use, in namespaces; results go to docs/benchmarks. PARTS= chooses some of it.
bench: release
	$(SETUP) bench
	HOSTBOOK_TEST_PROGRAMS=$(CARGO_TARGET_DIR)/release \
	  $(CARGO_TARGET_DIR)/release/hostbook-bench --hosts $(HOSTS) --out docs/benchmarks $(PARTS)
	for loss in 0 10; do \
	  HOSTBOOK_TEST_PROGRAMS=$(CARGO_TARGET_DIR)/release unshare --user --map-root-user --net \
	    $(CARGO_TARGET_DIR)/release/hostbook-load crowd 10000 $$loss || exit; \
	done
	# tftpd-hpa changes its groups, which only root may.
	HOSTBOOK_TEST_PROGRAMS=$(CARGO_TARGET_DIR)/release unshare --net $$([ $$(id -u) = 0 ] || echo --user --map-root-user) \
	  $(CARGO_TARGET_DIR)/release/hostbook-measure-boot
	$(CARGO_TARGET_DIR)/release/hostbook-instructions $(HOSTS)

# The tests replay what it finds; `fuzz/run TARGET SECONDS minimise` takes it into the tree.
fuzz:
	$(SETUP) fuzz
	for target in $(FUZZ_TARGETS); do fuzz/run $$target $(SECONDS) || exit 1; done

bench-config:
	$(SETUP) test
	$(CARGO) bench -p hostbook-config --bench peers

# Only the copying needs rights: run it as yourself, it asks sudo where it must.
install: release
	@built=$(CARGO_TARGET_DIR)/release; to=$(DESTDIR)$(PREFIX); sudo=; \
	  mkdir -p $$to 2>/dev/null && [ -w $$to ] || sudo=sudo; \
	  set -ex; \
	  for name in $(PROGRAMS); do $$sudo install -D -m 755 $$built/$$name $$to/bin/$$name; done; \
	  for unit in $(UNITS); do \
	    sed 's#/usr/local/bin#$(PREFIX)/bin#' packaging/systemd/$$unit | \
	      $$sudo install -D -m 644 /dev/stdin $$to/lib/systemd/system/$$unit; \
	  done; \
	  $$sudo install -D -m 644 packaging/systemd/hostbook.sysusers $$to/lib/sysusers.d/hostbook.conf; \
	  $$sudo install -D -m 644 packaging/systemd/hostbook.default $$to/share/hostbook/hostbook.default
