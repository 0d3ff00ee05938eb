"""The tests: unit, properties, conformance, contract, e2e; `CONTRIBUTING.md` says which is which."""
