"""The NATS server of a system that runs on one machine."""

import json
from pathlib import Path


def server_config(*, port: int, store_dir: Path, user: str, password: str) -> str:
    """The text of a nats-server configuration; it holds the password, so its file is for the owner alone."""
    return f"""\
host: "127.0.0.1"
port: {port}

jetstream {{
  store_dir: {json.dumps(str(store_dir))}
  # By default a message is acknowledged before it is on disk, and lost when the power fails.
  sync_interval: always
}}

authorization {{
  user: {json.dumps(user)}
  password: {json.dumps(password)}
}}
"""
