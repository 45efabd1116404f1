"""judge: findings about a result, agreement with truth, errors of areas."""
