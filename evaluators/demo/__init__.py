"""The proof that needs no keys: fake models with planted faults behind the real proxy, queue, worker and report."""
