# Targets for people. `make help` lists them.

.PHONY: run test check fmt clippy doc deny unused openapi release timing help

# Build and start the service, with its data in ./data
run:
	cargo run --package gateward-server

# Run all tests, on SQLite and on Postgres
test:
	tests/with-postgres cargo test --workspace

# Everything that must hold before a change goes in
check: fmt clippy doc deny unused test

# Is the code formatted?
fmt:
	cargo fmt --all --check

# Do the lints hold?
clippy:
	cargo clippy --workspace --all-targets --all-features -- -D warnings

# Is the documentation of the code complete?
doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

# Are licences, sources and versions of the dependencies as deny.toml says? (cargo install cargo-deny)
deny:
	cargo fetch --quiet --locked
	cargo deny --offline check bans licenses sources

# Is every dependency used? (cargo install cargo-machete)
unused:
	cargo machete

# Write openapi.json
openapi:
	cargo run --quiet --package gateward-server -- openapi > openapi.json

# Build the program as it is shipped
release:
	cargo build --release --package gateward-server

# Does the response time reveal whether an email address has an account? (some minutes, on a quiet machine)
timing: release
	tests/with-postgres cargo run --quiet --package gateward-e2e --example timing -- target/release/gateward

# List the targets
help:
	@awk '/^# / { line = substr($$0, 3) } /^[a-z]+:/ { split($$0, name, ":"); printf "make %-8s %s\n", name[1], line }' Makefile
