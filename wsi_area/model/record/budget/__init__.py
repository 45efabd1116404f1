"""model: what makes an area uncertain, as the result of a slide has it."""
