"""exports.tracing: a class map as its regions, in order: edges followed, rings closed, holes given to their region."""
