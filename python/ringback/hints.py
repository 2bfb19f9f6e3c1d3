"""What to do about what Numba does not compile: told by what its message says."""

from __future__ import annotations

import re

INTERPRETER = "rb.interpreted(f) runs the function in the interpreter"
SPECIAL = (
    "math.erf, math.erfc, math.gamma and math.lgamma are compiled; how to call other functions of scipy.special from compiled "
    'code, docs/guide.md says under "Special functions"'
)

# What is compiled in place of what is not.
_INSTEAD = {
    "math.cbrt": "np.cbrt(x)",
    "math.comb": "math.gamma(n + 1) / (math.gamma(k + 1) * math.gamma(n - k + 1))",
    "math.factorial": "math.gamma(n + 1)",
    "math.fmod": "np.fmod(x, y)",
    "math.fsum": "sum(values)",
    "math.isclose": "np.isclose(x, y)",
    "math.prod": "a loop, or np.prod of an array",
    "numpy.clip": "min(max(x, low), high)",
    "numpy.fix": "np.trunc(x)",
    "numpy.heaviside": "1.0 if x > 0 else 0.0",
    "numpy.piecewise": "if and else",
    "numpy.polyval": "a loop: p = p * x + c",
    "numpy.select": "if and else",
    "all": "a loop, or np.all of an array",
    "any": "a loop, or np.any of an array",
    "clip": "min(max(x, low), high)",
    "log": "math.log(x) / math.log(base)",
    "select": "if and else",
    "erf": "math.erf(x)",
    "erfc": "math.erfc(x)",
    "gamma": "math.gamma(x)",
    "gammaln": "math.lgamma(x)",
}

_WRITE = re.compile(r"Cannot modify readonly|\b(setitem|i(add|sub|mul|truediv|floordiv|mod|pow))\(readonly")
_MODULE = re.compile(r"Unknown attribute '(\w+)' of type Module\(<module '([\w.]+)'[^\n]*")
_UNTYPED = re.compile(
    r"Untyped (?:global|freevar|free variable)[^\n]*? '(\w+)'[^\n]*\s*Cannot (?:determine Numba type of <class '([\w.]+)'>"
    r"|type (?:empty )?(list))"
)
_UNSUPPORTED = re.compile(r"Use of unsupported NumPy function '([\w.]+)'")
_NO_FORM = re.compile(r"No implementation of function Function\(<(?:function|built-in function|ufunc|class) '?([\w.]+)")
_FUNCTION = re.compile(
    r"Function\(<(?:built-in function|function|ufunc|class|intrinsic) '?([\w.<>]+?)'?(?: at 0x\w+)?>\)"
)

_COLLECTIONS = frozenset({"dict", "list", "set", "frozenset", "range", "collections.OrderedDict", "collections.deque"})


def plainer(reason: str) -> str:
    """Numba's reason without addresses and paths of modules."""
    reason = _MODULE.sub(r"Numba does not compile \2.\1", reason)
    return _FUNCTION.sub(r"\1", reason)


def for_result(found: str, signature: str) -> str:
    """Where a function returns another type than its signature says."""
    if found.startswith("complex") and signature == "f64(f64)":
        return "quad integrates a complex function with complex_func=True"
    if signature.startswith("["):
        return ""
    if re.fullmatch(r"array\(\w+, 0d, \w+\)", found):
        return (
            "np.where and the like make an array of a number: write `a if condition else b`, or take the number, "
            "np.where(condition, a, b).item()"
        )
    if found.startswith(("array", "UniTuple", "Tuple", "list")):
        return "one number is expected: return an element of it, or its sum"
    return ""


def for_text(text: str) -> str:
    """For all else that Numba says."""
    if "scipy 0.16+ is required" in text:
        return "Numba takes `@`, np.dot and np.linalg from SciPy, which is not installed: pip install scipy"
    if _WRITE.search(text):
        return (
            "the array is read-only: captured and bound data always are, parameters unless the signature says "
            "`mut [f64]`. Declare it so: rb.compile(f, 'f64([f64], mut [f64])').bind(scratch=array)"
        )
    if "Cannot determine Numba type of <class 'function'>" in text:
        return "compiled code can only call compiled functions: decorate the one that is called with numba.njit"
    if "reflected list" in text and "compile-time constants" in text:
        return "a list that is captured cannot be compiled: capture an array or a tuple, which are passed as data"
    if "OverloadSelector object" in text and "NumPyRandomGeneratorType" in text:
        return "a generator of random numbers cannot be captured: np.random.random() and the like are compiled"
    if "OverloadSelector object" in text:
        return "an instance of a jitclass cannot be captured: capture the numbers and arrays in it"
    if "exception_match" in text:
        return f"Numba compiles `except Exception` and bare `except`, but no chosen classes; {INTERPRETER}"
    if "use of yield in a closure" in text:
        return "write a list in place of the generator, sum([...]), or a loop"
    if "Cannot bind 'args=" in text and "*, " in text:
        return "Numba cannot call a function with parameters behind a `*`: take the `*` out of its definition"
    if "opcode (IMPORT_NAME)" in text:
        return "put the import at the top of the module"
    if "in a function that may escape" in text:
        return (
            "a function inside that reads variables of the one around it cannot be passed on; of an integral within an "
            "integral, run the outer function with rb.interpreted, or integrate over a box with `cubature`"
        )
    untyped = _UNTYPED.search(text)
    if untyped:
        return _for_object(untyped[1], untyped[2] or untyped[3])
    if "Untyped global name" in text or "Cannot determine Numba type" in text:
        return "compiled code can use numbers, arrays and compiled functions: pass what it needs as arguments"
    module = _MODULE.search(text)
    if module:
        name, attribute = f"{module[2]}.{module[1]}", module[1]
        special = module[2].startswith("scipy")
        return _for_function(attribute if special else name, SPECIAL if module[2] == "scipy.special" else "")
    function = _UNSUPPORTED.search(text) or _NO_FORM.search(text)
    if function and function[1] in _INSTEAD:
        return _for_function(function[1], "")
    if "Missing attribute" in text or "Unknown attribute" in text:
        return f"Numba does not know this attribute; {INTERPRETER}"
    return f"Numba does not compile this; {INTERPRETER}"


def _for_function(name: str, more: str) -> str:
    instead = _INSTEAD.get(name)
    if instead:
        return f"write {instead}"
    return f"{more}; {INTERPRETER}" if more else f"Numba does not compile this; {INTERPRETER}"


def _for_object(name: str, kind: str) -> str:
    """For what is captured, or read from the module, and is neither data nor compiled."""
    if kind == "numpy.ufunc":
        return _for_function(name, SPECIAL)
    if name in ("quad", "quad_many", "cubature", "monte_carlo"):
        return "of an integral within an integral, run the outer function with rb.interpreted"
    if kind in ("builtin_function_or_method", "type"):
        return _for_function(name, f"Numba does not compile {name}: use numbers and arrays in its place")
    if kind in _COLLECTIONS:
        return f"read from {name} before what the function needs, and capture these numbers, arrays and tuples"
    if kind.startswith("ringback."):
        return f"{name} runs in the interpreter, and compiled code does not: {INTERPRETER} that calls it too"
    if kind.rpartition(".")[2] in ("Decimal", "Fraction", "mpf") or kind.startswith("sympy.core.numbers."):
        return f"make a float of it before: float({name})"
    return (
        f"compiled code knows nothing of {name}: capture the numbers and arrays in it that the function needs, as in "
        f"`k = {name}.k`; {INTERPRETER}"
    )
