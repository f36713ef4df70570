//! The memory store keeps every promise.

gateward_testkit::conformance!(gateward_testkit::MemoryStore::new());
