"""Symbolic tensors, the nodes between them, and the walk through these, forward and back."""
