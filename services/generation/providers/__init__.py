"""Where pictures come from: one module a provider, named after it."""
