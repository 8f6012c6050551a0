"""STUB."""

from .errors import OptionError


class F:
    text = "f"


class A:
    def __init__(s, name):
        s.name = name
        s.formula = F()
        s.derivative = F()

    def stated(s, f, p):
        return f.text


def read_activation(text):
    name, _, p = text.partition(":")
    return A(name), tuple(map(float, p.split(":"))) if p else ()
