"""Stand-ins for what is outside: real servers over real sockets, that fail as they are told to."""
