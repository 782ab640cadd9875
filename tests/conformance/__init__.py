"""What test suites of others, made for any server of the fediverse, say of ours; `make conformance` runs them."""
