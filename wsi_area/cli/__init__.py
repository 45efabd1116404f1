"""cli: thin; parse, call one function, exit code. The only room that prints."""
