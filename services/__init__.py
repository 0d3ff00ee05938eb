"""The three services; they never import each other and meet only in the protos."""
