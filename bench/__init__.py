"""Evaluations and benchmarks; nothing in the product imports this."""
