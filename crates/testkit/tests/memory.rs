//! The in-memory store passes the conformance suite.

gateward_testkit::conformance!(gateward_testkit::MemoryStore::new());
