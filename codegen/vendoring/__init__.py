"""Kernels copied into other projects, and their upkeep."""
