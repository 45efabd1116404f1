"""output: what the terminal shows: tables, progress, wrapped text, JSON."""
