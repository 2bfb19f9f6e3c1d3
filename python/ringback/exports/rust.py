"""The Rust module that is generated beside a library."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .. import _ringback
from ..callback import Callback, native_signature
from .manifest import documentation, parameter_names, printable

# As many as `ringback::Params` is implemented for.
_MOST_PARAMETERS = 12
_KEYWORDS = frozenset(
    """
    abstract as async await become box break const continue do dyn else enum extern false final fn for gen if impl in let loop
    macro match mod move mut override priv pub ref return static struct trait true try type typeof unsafe unsized use virtual
    where while yield
    """.split()  # noqa: SIM905 - one word a line is no easier to read
)
# No raw identifiers; and, as `callback!` names type parameters for parameters, what stands in the types of a module.
_NEVER = frozenset(
    """
    self Self super crate _ ringback num_complex std bool f32 f64 i8 i16 i32 i64 u8 u16 u32 u64
    """.split()  # noqa: SIM905 - as above
)
# Types that the module itself uses.
_OWN = frozenset({"Self", "Result", "Ok", "AsRef"})


def module(callbacks: dict[str, Callback], library: str, symbol: str, static: bool, blas: list[str]) -> str:
    """A documented type for each callback, and a struct of them all that loads or finds the library; `blas` as in a manifest."""
    title = type_name(library, "Library")
    if title in [type_name(name, "Function") for name in callbacks]:
        title += "Library"
    types: dict[str, str] = {}
    blocks = []
    # A parameter cannot have the name of a struct or of a variant.
    taken = {title, "Ok", "Err", "Some", *(type_name(name, "Function") for name in callbacks)}
    for name, callback in callbacks.items():
        declared = _declaration(name, callback, taken)
        if declared is None:
            blocks.append(
                f"// `{name}` is {native_signature(callback).text}, for which Rust has no callback type: see docs/export.md."
            )
        else:
            types[name] = type_name(name, "Function")
            blocks.append(declared)
    same = [name for name, type_ in types.items() if [*types.values(), title].count(type_) > 1]
    if same:
        raise ValueError(
            f"the names {', '.join(same)} give the same names of types in Rust: export them by other names"
        )
    members = list(zip(identifiers(types, set()), types.items(), strict=True))
    fields = "\n".join(
        f"    /// {_first_line(callbacks[name]) or f'The function `{name}`.'}\n    pub {member}: {type_},"
        for member, (name, type_) in members
    )
    got = "\n".join(f'            {member}: library.get("{name}")?,' for member, (name, _) in members)
    head = f"// Callbacks exported by Ringback as {library}; generated, do not edit.\n"
    return (
        "\n\n".join(
            [
                head.rstrip(),
                *blocks,
                f"/// All functions of the library.\n#[allow(dead_code, non_snake_case)]\n#[derive(Clone, Debug)]\npub struct {title} {{\n{fields}\n}}",
                f"#[allow(dead_code, unused_variables)]\nimpl {title} {{\n{_way_in(symbol, static, _linear_algebra(blas, static))}\n\n"
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


def _declaration(name: str, callback: Callback, taken: set[str]) -> str | None:
    signature = native_signature(callback)
    names = identifiers(parameter_names(callback), taken)
    written = [_parameter(p) for p in signature.parameters]
    if len(written) > _MOST_PARAMETERS or not all(written):
        return None
    pointers = any(p.kind == "pointer" for p in signature.parameters)
    passed = ", ".join(f"{n}: {t}" for n, t in zip(names, written, strict=True))
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
    said = _markdown(printable(documentation(callback))) or f"The function `{name}`."
    doc = "".join(f"    /// {line}".rstrip() + "\n" for line in said.split("\n"))
    kind = "unsafe struct" if pointers else "struct"
    return f"ringback::callback! {{\n{doc}    pub {kind} {type_name(name, 'Function')}({passed}){arrow}{where};\n}}"


def _extent(name: str, axis: int) -> str:
    return f"len({name})" if axis == 0 else f"dim({name}, {axis})"


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
    return _escaped(printable(documentation(callback)).split("\n")[0])


# Lines whose place on the line means something, and lines under titles.
_LAID_OUT = re.compile(r"^([ \t]|[-=~]{3})|```", re.M)


def _markdown(said: str) -> str:
    """A docstring for rustdoc, to which what is indented in it would be Rust to test, and what is in brackets a link."""
    paragraph, _, rest = said.partition("\n\n")
    if not _LAID_OUT.search(said):
        return _escaped(said)
    ticks = max((len(run) for run in re.findall(r"`+", said)), default=0)
    fence = "`" * max(3, ticks + 1)
    if _LAID_OUT.search(paragraph):
        return f"{fence}text\n{said}\n{fence}"
    return f"{_escaped(paragraph)}\n\n{fence}text\n{rest}\n{fence}"


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*<>\[\]|])|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)


def type_name(name: str, kind: str) -> str:
    """`log_density` as `LogDensity`; where the module could not use that, `kind` stands behind it."""
    made = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    return made + kind if made in _OWN or not made[:1].isalpha() else made


def identifiers(names: Iterable[str], taken: set[str]) -> list[str]:
    """Names as identifiers of Rust, all different, and none of those that are taken."""
    made: list[str] = []
    for name in names:
        identifier = f"{name}_" if name in _NEVER else f"r#{name}" if name in _KEYWORDS else name
        while identifier in made or identifier in taken:
            identifier += "_"
        made.append(identifier)
    return made
