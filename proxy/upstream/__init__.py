"""One HTTP exchange with an upstream. `door` is what callers see; the rest is how."""
