# Development tasks. `make help` lists them.

.PHONY: run test soak mutants check fmt clippy doc deny unused packages openapi release timing bench help

# Build and start the server, with its data in ./data
run:
	cargo run --package gateward-server

# Short tests wait about half of the time, so twice as many run at once as there are cores. Some long
# tests measure time, so fewer of them do.

# Run the tests, on SQLite and on Postgres
test:
	RUST_TEST_THREADS=$$(($$(nproc) * 2)) tests/with-postgres cargo test --workspace -- --skip soak::

# How many times as many kills, restarts, races and fuzzed inputs the long tests make.
SOAK = 1

# Run the long tests: kills, restarts, storms, outages, races, browsers, the whole model of refresh, fuzzing
soak:
	RUST_TEST_THREADS=$$(($$(nproc) * 3 / 2)) GATEWARD_SOAK=$(SOAK) tests/with-postgres cargo test --workspace \
		--test e2e --test refresh_model -- soak:: promises::
	GATEWARD_SOAK=$(SOAK) tests/fuzz/run

# Which places of the program are changed, and how many.
SEED = 1
COUNT = 60

# Change the program in a sample of places, and list the changes that no test notices (SEED=1 COUNT=60; takes an hour)
mutants:
	tests/with-postgres tests/mutants $(SEED) $(COUNT)

# Run every check that a change must pass
check: fmt clippy doc deny unused test soak

# Check the formatting
fmt:
	cargo fmt --all --check

# Run the lints, and check the program without what its tests add to its dependencies
clippy:
	cargo clippy --workspace --all-targets --all-features -- -D warnings
	cargo check --package gateward-server

# Build the code documentation, warnings are errors
doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

# Check licences, sources and versions of the dependencies (needs cargo-deny)
deny:
	cargo fetch --quiet --locked
	cargo deny --offline check bans licenses sources

# Find unused dependencies (needs cargo-machete)
unused:
	cargo machete

# Install the packages of other projects that tests use, into target/
packages:
	tests/install-packages

# Write openapi.json
openapi:
	cargo run --quiet --package gateward-server -- openapi > openapi.json

# Build the release binary
release:
	cargo build --release --package gateward-server

# Check that response times do not reveal which email addresses have an account (takes minutes)
timing: release
	cargo build --package gateward-server
	tests/with-postgres cargo run --quiet --package gateward-e2e --example timing -- target/release/gateward

# Measure speed against what the hardware allows, in ten minutes (QUICK=1, ALGORITHM=eddsa, ONLY=me)
bench: release
	cargo build --release --package gateward-bench
	GATEWARD_TEST_POSTGRES_DURABLE=1 tests/with-postgres target/release/gateward-bench \
		$(if $(QUICK),--quick) $(if $(ALGORITHM),--algorithm $(ALGORITHM)) $(if $(ONLY),--only $(ONLY))

# List these targets
help:
	@awk '/^# / { line = substr($$0, 3) } /^[a-z]+:/ { split($$0, name, ":"); printf "make %-8s %s\n", name[1], line }' Makefile
