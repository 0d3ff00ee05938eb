"""How well the sanitiser tells streamers from attackers, beside its peers, and what building a prompt costs."""
