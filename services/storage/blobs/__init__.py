"""Places for bytes: the adapters of `ports.Blobs`."""
