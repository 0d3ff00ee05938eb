"""How the sketch provider draws: colours, letters, shapes and one layout per asset type."""
