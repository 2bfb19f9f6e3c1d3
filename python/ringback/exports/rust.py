"""The Rust module that is generated beside a library."""

from __future__ import annotations

import re

from .. import _ringback
from ..callback import Callback, native_signature
from .manifest import documentation, parameter_names

# As many as `ringback::Params` is implemented for.
_MOST_PARAMETERS = 12
_KEYWORDS = frozenset(
    """
    abstract as async await become box break const continue do dyn else enum extern false final fn for gen if impl in let loop
    macro match mod move mut override priv pub ref return static struct trait true try type typeof unsafe unsized use virtual
    where while yield
    """.split()  # noqa: SIM905 - one word a line is no easier to read
)
# No raw identifiers.
_NEVER = frozenset({"self", "Self", "super", "crate", "_"})


def module(callbacks: dict[str, Callback], library: str, symbol: str, static: bool, blas: list[str]) -> str:
    """A documented type for each callback, and a struct of them all that loads or finds the library; `blas` as in a manifest."""
    types: dict[str, str] = {}
    blocks = []
    for name, callback in callbacks.items():
        declared = _declaration(name, callback)
        if declared is None:
            blocks.append(
                f"// `{name}` is {native_signature(callback).text}, for which Rust has no callback type: see docs/export.md."
            )
        else:
            types[name] = camel(name)
            blocks.append(declared)
    title = camel(library)
    if title in types.values():
        title += "Library"
    names = [*types.values(), title]
    if len(set(names)) < len(names):
        raise ValueError(
            f"the names {', '.join(types)} give the same names of types in Rust: export them by other names"
        )
    fields = "\n".join(
        f"    /// {_first_line(callbacks[name]) or f'The function `{name}`.'}\n    pub {field(name)}: {type_},"
        for name, type_ in types.items()
    )
    got = "\n".join(f'            {field(name)}: library.get("{name}")?,' for name in types)
    head = f"// Callbacks exported by Ringback as {library}; generated, do not edit.\n"
    return (
        "\n\n".join(
            [
                head.rstrip(),
                *blocks,
                f"/// All functions of the library.\n#[allow(dead_code)]\n#[derive(Clone, Debug)]\npub struct {title} {{\n{fields}\n}}",
                f"#[allow(dead_code)]\nimpl {title} {{\n{_way_in(symbol, static, _linear_algebra(blas, static))}\n\n"
                f"    fn of(library: &ringback::Library) -> Result<Self, ringback::LibraryError> {{\n"
                f"        Ok({title} {{\n{got}\n        }})\n    }}\n}}",
            ]
        )
        + "\n"
    )


def _linear_algebra(blas: list[str], static: bool) -> str:
    """What the documentation says of libraries that are needed."""
    if blas in ([], ["builtin"]):
        return ""
    what = f"Linear algebra comes from `{'`, `'.join(blas)}`"
    if static:
        lines = "".join(f'    /// println!("cargo::rustc-link-lib={link_name(name)}");\n' for name in blas)
        return f"    /// {what}, which `build.rs` has to link too:\n    /// ```ignore\n{lines}    /// ```\n    ///\n"
    return f"    /// {what}, which has to be where this is loaded.\n    ///\n"


def link_name(name: str) -> str:
    """A library as a linker is told of it: `libopenblas.so.0` as `openblas`, if that is what it is called elsewhere."""
    return re.sub(r"^:?lib(.*?)\.(so|a)\b.*$", r"\1", name)


def _way_in(symbol: str, static: bool, linear_algebra: str) -> str:
    if not static:
        return (
            "    /// Loads the library, and checks that this CPU can run it and that the functions have these types.\n"
            f"    ///\n{linear_algebra}"
            "    /// # Errors\n    /// [`ringback::LibraryError`].\n"
            "    pub fn open(path: impl AsRef<std::path::Path>) -> Result<Self, ringback::LibraryError> {\n"
            "        Self::of(&ringback::Library::open(path)?)\n    }"
        )
    return (
        "    /// The library that is linked into this program, once it is checked that this CPU can run it.\n"
        f"    ///\n{linear_algebra}"
        "    /// # Errors\n    /// [`ringback::LibraryError`].\n"
        "    pub fn linked() -> Result<Self, ringback::LibraryError> {\n"
        '        unsafe extern "C" {\n'
        f"            static {symbol}: ringback::abi::LibraryTable;\n        }}\n"
        f"        // SAFETY: the symbol is the table of the library that this file was generated with.\n"
        f"        let library = unsafe {{ ringback::Library::linked(&raw const {symbol}) }}?;\n"
        "        Self::of(&library)\n    }"
    )


def _declaration(name: str, callback: Callback) -> str | None:
    signature = native_signature(callback)
    names = parameter_names(callback)
    written = [_parameter(p) for p in signature.parameters]
    if len(written) > _MOST_PARAMETERS or not all(written):
        return None
    pointers = any(p.kind == "pointer" for p in signature.parameters)
    passed = ", ".join(f"{field(n)}: {t}" for n, t in zip(names, written, strict=True))
    result = signature.result
    arrow = ""
    if result.element is not None:
        element = _element(result.element)
        arrow = f" -> {element}" if result.kind == "scalar" else f" -> [{element}; {result.length}]"
    ties = []
    for (first, axis), *others in signature.ties if not pointers else ():
        ties += [
            f"{_extent(names[first], axis)} == {_extent(names[other], other_axis)}" for other, other_axis in others
        ]
    where = f"\n        where {', '.join(ties)}" if ties else ""
    said = documentation(callback) or f"The function `{name}`."
    doc = "".join(f"    /// {line}".rstrip() + "\n" for line in said.split("\n"))
    kind = "unsafe struct" if pointers else "struct"
    return f"ringback::callback! {{\n{doc}    pub {kind} {camel(name)}({passed}){arrow}{where};\n}}"


def _extent(name: str, axis: int) -> str:
    return f"len({field(name)})" if axis == 0 else f"dim({field(name)}, {axis})"


def _element(name: str) -> str:
    complex_ = {"c64": "num_complex::Complex<f32>", "c128": "num_complex::Complex<f64>", "void": "std::ffi::c_void"}
    return complex_.get(name, name)


def _parameter(parameter: _ringback.Parameter) -> str | None:
    element = _element(parameter.element)
    if parameter.kind == "scalar":
        return element
    if parameter.kind == "pointer":
        return f"*mut {element}"
    if parameter.mutable and element == "bool":
        return None
    if parameter.ndim == 1 and parameter.layout == "C":
        return f"&mut [{element}]" if parameter.mutable else f"&[{element}]"
    layout = {"C": "C", "F": "F", "any": "Strided"}[parameter.layout or "C"]
    view = "ViewMut" if parameter.mutable else "View"
    return f"ringback::view::{view}<'_, {element}, {parameter.ndim}, ringback::view::{layout}>"


def _first_line(callback: Callback) -> str:
    return documentation(callback).split("\n")[0]


def camel(name: str) -> str:
    """`log_density` as `LogDensity`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_")) or name


def field(name: str) -> str:
    """A name as an identifier of Rust."""
    if name in _NEVER or not re.fullmatch(r"\w+", name):
        return f"{name}_"
    return f"r#{name}" if name in _KEYWORDS else name
