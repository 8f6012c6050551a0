"""What build backends call: one file a backend, and `kernels`, which they share."""
