"""Code that a configuration under test names: run by the python door, never imported."""
