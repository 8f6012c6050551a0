"""The derivation of a spec's gradients, for reading: one content, five formats.

formula      the mathematics of both notations, as a small tree
symbols      Request            -> the letter of each array in formulas
algebra      Einsum             -> a matrix formula, where it is one
roles        Einsum, operand    -> index sets, and what each does to the gradient
steps        Einsum, operand    -> the derivation of one gradient
tree, costs  Derivation         -> the contraction tree and what it costs
content      Derivation         -> Content, all of the above

Then each format writes the same content: text, latex, page (HTML), mermaid, and
record (JSON).
"""
