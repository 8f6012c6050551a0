"""eingrad: einsum specs in, standalone modules with their gradients out."""
