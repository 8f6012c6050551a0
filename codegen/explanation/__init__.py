"""The derivation of a spec's gradients, for reading: one content, five formats.

formula          the mathematics of both notations, as a small tree
symbols          Request            -> the letter of each array in formulas
graph, algebra   Einsum             -> a matrix formula, where it is one
roles            Einsum, operand    -> index sets, and what each does to the gradient
place, steps     Einsum, operand    -> the derivation of one gradient
shared           Places             -> the gradient of one array in several places
tree, costs      Derivation         -> the contraction tree and what it costs
layers           Program            -> what follows the einsum: a bias, a function
content          the type of all of the above
operand, compose Derivation         -> Content

Then each format writes the same content: text, latex, page (HTML), mermaid, and
record (JSON).
"""
