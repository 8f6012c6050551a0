"""Request -> the docstrings of a module's public functions."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from .notation import abbreviated
from .pretty import fits
from .request import Request
from .spec import Subscripts


@dataclass(frozen=True)
class Docstrings:
    """The docstrings of the public functions, as lines."""

    request: Request
    cotangent: str

    def _computed(self) -> str:
        """Write the spec, the bias and the activation: ``gelu(bi,ij->bj + j)``."""
        request, text = self.request, abbreviated(self.request.einsum)
        if request.bias is not None:
            text += f" + {''.join(request.bias.subscripts) or request.bias.name}"
        return f"{request.activation.function}({text})" if request.activation else text

    def _shapes(self) -> list[str]:
        """Say the shape of each operand and of the output, by index."""
        request = self.request
        shapes: dict[str, str] = {}
        for place in request.places:
            shapes.setdefault(f"{place.name}: ", _shape(place.subscripts))
        shapes[f"returns {request.output}: "] = _shape(request.einsum.output)
        texts = (f"{name}{shape}" for name, shape in shapes.items())
        return [line for text in texts for line in self._wrapped(text)]

    def _wrapped(self, text: str) -> list[str]:
        width = self.request.line_length // 2
        return textwrap.wrap(text, width, subsequent_indent="    ")

    def of_functions(self) -> dict[str, list[str]]:
        """Document the public functions, by name."""
        return {
            "forward": self._forward(),
            "backward": self._backward(),
            "vjp": self._vjp(),
            "jvp": self._jvp(),
            "hvp": self._hvp(),
            "double_backward": self._double_backward(),
        }

    def _forward(self) -> list[str]:
        return [
            f"Compute ``{self._computed()}``.",
            "",
            *self._shapes(),
            "",
            "``out`` is an array to write it into, which is then returned.",
            "",
            "Raises ValueError if the sizes of an index disagree.",
        ]

    def _backward(self) -> list[str]:
        *most, last = self.request.wrt
        plural, listed = ("s", f"{', '.join(most)} and {last}") if most else ("", last)
        head = f"Return the gradient{plural} of {listed}."
        if not fits(f'    """{head}', self.request.line_length):
            head = "Return the gradients of the operands in ``GRADIENTS``."
        return [
            head,
            "",
            *self._wrapped(f"{self.cotangent}: {_shape(self.request.einsum.output)}"),
            "returns a tuple of arrays, each shaped like its operand",
            "",
            "``out`` has an array, or None, for each gradient to be written into, or",
            "with ``accumulate`` to be added to; it may overlap the operands.",
        ]

    def _vjp(self) -> list[str]:
        return [
            "Return the output and its pullback, which keeps what it needs.",
            "",
            f"``pullback({self.cotangent})`` is ``backward({self.cotangent}, ...)``.",
            "It may be called again. It may read the operands: leave them as they are.",
        ]

    def _jvp(self) -> list[str]:
        return [
            "Return the output and its derivative along the tangents.",
            "",
            "primals, tangents: one array for each operand, shaped alike",
        ]

    def _hvp(self) -> list[str]:
        return [
            "Return the derivatives of the gradients along the tangents.",
            "",
            f"They are a Hessian-vector product: that of <{self.cotangent}, forward>.",
            "",
            "primals, tangents: one array for each operand, shaped alike",
            *self._wrapped(f"{self.cotangent}: {_shape(self.request.einsum.output)}"),
            "returns a tuple of arrays, shaped like the gradients",
        ]

    def _double_backward(self) -> list[str]:
        return [
            "Take cotangents of the gradients back to the arguments of ``backward``.",
            "",
            "A Hessian is symmetric, so they do as tangents: the first result is the",
            "tangent of the output, the others are a Hessian-vector product.",
            "",
            "cotangents: one array for each gradient, shaped alike",
            f"returns the gradient of {self.cotangent}, then those of the operands in",
            "    ``GRADIENTS``",
        ]


def _shape(subscripts: Subscripts) -> str:
    inner = ", ".join(subscripts) + ("," if len(subscripts) == 1 else "")
    return f"({inner})"
