"""results: the uncertainty budgets of a slide: made from its result, and told as text."""
