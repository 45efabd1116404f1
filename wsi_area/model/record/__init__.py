"""record: the parts of a result, as result.json has them: each field with its meaning, its unit, when it is empty."""
