"""STUB."""


def function_name(op):
    return "_" + op.function + (f"_d{op.order}" if op.order else "")


def applied(op, arg):
    return f"{function_name(op)}({', '.join([arg, *map(str, op.parameters)])})"


S = {
    "_tanh": "def _tanh(x: Array) -> Array:\n    return np.asarray(np.tanh(x))",
    "_tanh_d1": "def _tanh_d1(x: Array) -> Array:\n    return np.asarray(1 - np.tanh(x) ** 2)",
    "_tanh_d2": "def _tanh_d2(x: Array) -> Array:\n    t = np.tanh(x)\n    return np.asarray(-2 * t * (1 - t**2))",
}


def function_sources(names, *, erf="numpy"):
    return [S[n] for n in dict.fromkeys(names)]


def function_imports(names, *, erf="numpy"):
    return []
