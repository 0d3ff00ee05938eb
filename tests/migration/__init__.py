"""From a database that an earlier release has left."""
