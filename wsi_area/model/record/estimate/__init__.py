"""model: what was drawn for an estimate, and what it came to, as the result of a slide says it."""
