"""What touches Numba's internals (with `_refusals.py`): types, views, the pass that lifts captured values, code addresses."""

from __future__ import annotations

import functools
import re
import types as pytypes
from collections.abc import Callable, Mapping
from typing import Any

from llvmlite import ir as llvm
from numba import njit
from numba import types as types
from numba.core import cgutils, ir, ir_utils, postproc
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.dispatcher import Dispatcher
from numba.core.registry import cpu_target
from numba.core.typed_passes import NopythonTypeInference
from numba.core.untyped_passes import InlineClosureLikes, InlineInlinables, TranslateByteCode
from numba.core.withcontexts import objmode_context
from numba.extending import intrinsic
from numba.np import arrayobj

from . import _raises
from ._refusals import RETURNS_NOTHING, Refuse
from .errors import CompileError
from .excinfo import unpickle
from .snapshot import Snapshot, clear, declared

SCALARS: dict[str, types.Type] = {
    "bool": types.boolean,
    "i8": types.int8,
    "i16": types.int16,
    "i32": types.int32,
    "i64": types.int64,
    "u8": types.uint8,
    "u16": types.uint16,
    "u32": types.uint32,
    "u64": types.uint64,
    "f32": types.float32,
    "f64": types.float64,
    "c64": types.complex64,
    "c128": types.complex128,
}
LAYOUTS = {"C": "C", "F": "F", "any": "A"}


def array_type(element: str, ndim: int, layout: str, mutable: bool) -> types.Array:
    """The Numba type of an array parameter."""
    return types.Array(SCALARS[element], ndim, LAYOUTS[layout], readonly=not mutable)


def pointer_type(element: str) -> types.Type:
    """The Numba type of a bare pointer."""
    return types.voidptr if element == "void" else types.CPointer(SCALARS[element])


@functools.cache
def view(aryty: types.Array) -> Any:
    """An intrinsic that makes an array of a pointer to {data, shape[N], strides[N]}; it owns nothing."""

    @intrinsic
    def load_view(typingctx, pointer):
        def codegen(context, builder, signature, args):
            word = llvm.IntType(64)
            base = builder.bitcast(args[0], word.as_pointer())

            def load(index: int) -> Any:
                return builder.load(builder.gep(base, [word(index)]))

            array = context.make_array(aryty)(context, builder)
            size = word(context.get_abi_sizeof(context.get_data_type(aryty.dtype)))
            n = aryty.ndim
            shape = [load(1 + i) for i in range(n)]
            if aryty.layout == "A":
                strides = [load(1 + n + i) for i in range(n)]
            else:
                # Known to the optimiser, which a load would not be.
                strides = [size] * n
                step = size
                for i in reversed(range(n)) if aryty.layout == "C" else range(n):
                    strides[i] = step
                    step = builder.mul(step, shape[i])
            arrayobj.populate_array(
                array,
                data=builder.inttoptr(load(0), array.data.type),
                shape=cgutils.pack_array(builder, shape),
                strides=cgutils.pack_array(builder, strides),
                itemsize=size,
                meminfo=None,
            )
            return array._getvalue()

        return aryty(types.voidptr), codegen

    return load_view


@functools.cache
def load(scalar: types.Type) -> Any:
    """An intrinsic that reads a scalar through a pointer."""

    @intrinsic
    def load_scalar(typingctx, pointer):
        def codegen(context, builder, signature, args):
            data = context.get_data_type(scalar)
            return context.unpack_value(builder, scalar, builder.bitcast(args[0], data.as_pointer()))

        return scalar(types.voidptr), codegen

    return load_scalar


@functools.cache
def slot(index: int, through: bool) -> Any:
    """An intrinsic: the address of a slot of the bound data, or (through) the pointer that stands in it."""

    @intrinsic
    def load_slot(typingctx, env):
        def codegen(context, builder, signature, args):
            byte = llvm.IntType(8).as_pointer()
            base = builder.bitcast(args[0], byte.as_pointer())
            place = builder.gep(base, [llvm.IntType(64)(index)])
            return builder.load(place) if through else builder.bitcast(place, byte)

        return types.voidptr(types.voidptr), codegen

    return load_slot


class Callees:
    """The functions that a compiled function calls, compiled with its checks.

    A jitted function is compiled again, with bounds checks unless it declines them itself: an index past the end must not
    corrupt memory because it stands in a helper. A plain function is compiled as if it were decorated. What is compiled
    are copies, as all of it was when the key was made.
    """

    def __init__(self, options: dict[str, Any], snapshot: Snapshot) -> None:
        self._options = options
        self._snapshot = snapshot
        # Keeps the originals too, so that their identities stay theirs. None for one that is being made.
        self._made: dict[int, tuple[Any, Any]] = {}

    def replacement(self, value: Any, typingctx: Any) -> Any:
        """What to call in place of a function; None for all else."""
        known = self._made.get(id(value))
        if known is not None:
            if known[1] is None:
                raise CompileError(f"{value.__name__} is the default of one of its own parameters: call it by its name")
            return known[1]
        if isinstance(value, Dispatcher):
            options = {key: v for key, v in value.targetoptions.items() if key != "nopython"}
            if options.get("boundscheck") is None:
                options["boundscheck"] = self._options["boundscheck"]
        elif isinstance(value, pytypes.FunctionType) and not known_to_numba(value, typingctx):
            options = dict(self._options)
        else:
            return None
        reading = self._snapshot.of(value)
        if reading is None:
            return None
        self._made[id(value)] = (value, None)
        copy = reading.copy()
        # A default that is a function is called too.
        defaults = [self.replacement(item, typingctx) or item for item in reading.defaults]
        copy.__defaults__ = tuple(defaults) or None
        keywords = {name: self.replacement(item, typingctx) or item for name, item in reading.kwdefaults.items()}
        copy.__kwdefaults__ = keywords or None
        signatures, variables = declared(value)
        made = njit(pipeline_class=lifting_compiler({}, set(), self), locals=dict(variables), **options)(copy)
        self._made[id(value)] = self._made[id(made)] = (value, made)
        if signatures:
            for signature in signatures:
                made.compile(signature)
            made.disable_compile()
        return made

    def clear(self) -> None:
        """Lets go of all that was compiled, and of what it referred to."""
        for _, made in self._made.values():
            if made is not None:
                clear(made.py_func)
        self._made.clear()


def known_to_numba(function: Any, typingctx: Any) -> bool:
    """Whether Numba has an implementation of its own for a Python function, which is not that function itself."""
    try:
        found: Any = typingctx.resolve_value_type(function)
    except Exception:
        return False
    return not any(_is_registered(template, function) for template in getattr(found, "templates", ()))


def _is_registered(template: Any, function: Any) -> bool:
    """Whether it is by `register_jitable` that Numba knows a function: then it is compiled as any plain one."""
    overload = getattr(template, "_overload_func", None)
    name = getattr(overload, "__qualname__", "")
    cells = getattr(overload, "__closure__", None) or ()
    return name.startswith("register_jitable.") and any(cell.cell_contents is function for cell in cells)


def lifting_compiler(
    lifted: Mapping[tuple[str, ...], str], escaped: set[str], callees: Callees | None = None
) -> type[CompilerBase]:
    """A compiler in which reads of captured names become reads of extra parameters.

    `lifted` maps a path (a global or captured name, then attributes of modules) to the parameter's name. Names that are
    still read inside functions which were not inlined are put into `escaped`.
    """

    def lift(name: str, lifted: Mapping[tuple[str, ...], str], escaped: set[str]) -> type[FunctionPass]:
        @register_pass(mutates_CFG=False, analysis_only=False)
        class Lift(FunctionPass):
            _name = name

            def __init__(self) -> None:
                FunctionPass.__init__(self)

            def run_pass(self, state: Any) -> Any:
                return lift_captured(state, lifted, escaped, callees)

        return Lift

    class LiftingCompiler(CompilerBase):
        def define_pipelines(self) -> list[Any]:
            manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
            manager.add_pass_after(lift("ringback_lift_captured", lifted, set()), TranslateByteCode)
            # Comprehensions and inner functions have globals of their own, seen only once they are inlined.
            manager.add_pass_after(lift("ringback_lift_inlined", lifted, escaped), InlineClosureLikes)
            # Inner functions that are passed on became jitted ones, and functions that are inlined (`inline="always"`) have
            # brought in what they call: all without our checks.
            manager.add_pass_after(lift("ringback_check_brought_in", {}, set()), InlineInlinables)
            manager.add_pass_after(Refuse, NopythonTypeInference)
            _raises.use(manager)
            manager.finalize()
            return [manager]

    return LiftingCompiler


def lift_captured(
    state: Any,
    lifted: Mapping[tuple[str, ...], str],
    escaped: set[str],
    callees: Callees | None,
) -> bool:
    """Replaces assignments from captured names by assignments from extra parameters, and callees by checked ones."""
    func_ir = state.func_ir
    changed = False
    names = {path[0] for path in lifted}
    definitions = ir_utils.build_definitions(func_ir.blocks)
    for block in func_ir.blocks.values():
        for statement in block.body:
            if isinstance(statement, ir.EnterWith):
                refuse_objmode(func_ir, statement)
            if not isinstance(statement, ir.Assign):
                continue
            value = statement.value
            if isinstance(value, (ir.Global, ir.FreeVar)):
                path, found = (value.name,), value.value
            elif (
                isinstance(value, ir.Expr)
                and value.op == "getattr"
                and (origin := _module_origin(value.value.name, definitions, frozenset()))
            ):
                base, module = origin
                path, found = (*base, value.attr), getattr(module, value.attr, None)
            else:
                if isinstance(value, ir.Expr) and value.op == "make_function":
                    escaped.update(names.intersection(all_names(value.code)))
                continue
            if path in lifted:
                scope: Any = statement.target.scope
                statement.value = scope.get(lifted[path])
                changed = True
            elif callees is not None:
                callee = callees.replacement(found, state.typingctx)
                if callee is not None and callee is not found:
                    statement.value = ir.Global(".".join(path), callee, statement.loc)
                    changed = True
    if changed:
        _restore_parameters(func_ir)
        func_ir._definitions = ir_utils.build_definitions(func_ir.blocks)
        if any(isinstance(s, ir.Del) for block in func_ir.blocks.values() for s in block.body):
            lifetimes = postproc.PostProcessor(func_ir)
            lifetimes.remove_dels()
            lifetimes.run()
    return changed


def _module_origin(
    name: str, definitions: Mapping[str, list[Any]], seen: frozenset[str]
) -> tuple[tuple[str, ...], Any] | None:
    """The path and the module that a variable holds, also where it has come through other blocks."""
    if name in seen:
        return None
    seen |= {name}
    origins: list[tuple[tuple[str, ...], Any] | None] = []
    for value in definitions.get(name, ()):
        if isinstance(value, (ir.Global, ir.FreeVar)):
            origins.append(((value.name,), value.value))
        elif isinstance(value, ir.Var):
            origins.append(_module_origin(value.name, definitions, seen))
        elif isinstance(value, ir.Expr) and value.op == "getattr":
            base = _module_origin(value.value.name, definitions, seen)
            origins.append(base and ((*base[0], value.attr), getattr(base[1], value.attr, None)))
        else:
            return None
    first = origins[0] if origins else None
    if first is None or not isinstance(first[1], pytypes.ModuleType):
        return None
    same = all(other is not None and other[0] == first[0] and other[1] is first[1] for other in origins)
    return first if same else None


def _restore_parameters(func_ir: Any) -> None:
    """Puts back parameters that nothing read before inlining, which Numba has removed as dead code."""
    first = func_ir.blocks[min(func_ir.blocks)]
    present = {s.value.name for s in first.body if isinstance(s, ir.Assign) and isinstance(s.value, ir.Arg)}
    for index, name in enumerate(func_ir.arg_names):
        if name.startswith("__captured_") and name not in present:
            place = first.loc
            first.body.insert(0, ir.Assign(ir.Arg(name, index, place), first.scope.get(name), place))


def refuse_objmode(func_ir: Any, statement: Any) -> None:
    """A `with objmode` block enters the interpreter, which no call of a callback may do."""
    definition: Any = ir_utils.get_definition(func_ir, statement.contextmanager)
    if isinstance(definition, ir.Expr) and definition.op == "call":
        definition = ir_utils.get_definition(func_ir, definition.func)
    manager = getattr(definition, "value", None)
    if isinstance(definition, ir.Expr) and definition.op == "getattr":
        manager = getattr(
            getattr(ir_utils.get_definition(func_ir, definition.value), "value", None), definition.attr, None
        )
    if manager is objmode_context:
        raise CompileError(
            f"a `with objmode` block ({statement.loc.filename}:{statement.loc.line}) runs in the interpreter, which compiled "
            f"callbacks never enter: use rb.interpreted(f) for the whole function, or take the block out"
        )


def all_names(code: Any) -> set[str]:
    """Global and captured names in a code object or a value of one, and in those nested in it."""
    code = getattr(code, "value", code)
    names = set(code.co_names) | set(code.co_freevars)
    for constant in code.co_consts:
        if isinstance(constant, pytypes.CodeType):
            names |= all_names(constant)
    return names


def compile_shim(
    function: Callable[..., Any],
    source: str,
    names: dict[str, Any],
    parameters: list[types.Type],
    result: types.Type,
    options: dict[str, Any],
    pipeline: type[CompilerBase],
    result_expected: bool = True,
) -> Shim:
    """Compiles a function inside a shim of Ringback's calling convention."""
    inner = njit(pipeline_class=pipeline, **options)(function)
    scope = {**names, "inner": inner}
    exec(compile(source, f"<ringback shim of {function.__name__}>", "exec"), scope)
    # The shim itself indexes nothing; only ties raise in it.
    shim_options = {key: value for key, value in options.items() if key not in ("locals", "debug")}
    shim = njit(result(*parameters), **shim_options)(scope["shim"])
    (compiled,) = inner.overloads.values()
    nothing = compiled.metadata.get(RETURNS_NOTHING)
    if nothing is not None and isinstance(compiled.signature.return_type, types.Optional) and result_expected:
        raise CompileError(
            f"cannot compile {function.__name__} ({nothing}): it returns nothing here, and elsewhere a result of type "
            f"{compiled.signature.return_type.type}: let every path return one, or raise"
        )
    return Shim(inner, shim)


class Shim:
    """A compiled shim: its address, its texts, and all that keeps it alive."""

    def __init__(self, inner: Any, shim: Any) -> None:
        self.inner = inner
        self.shim = shim
        self._result = shim.overloads[shim.signatures[0]]
        self.name: str = self._result.fndesc.llvm_func_name
        # Kinds of the slots of bound data, and the form for a block of points, where there is one.
        self.slots: list[str] = []
        self.block: Any = None
        # Not kept on disk; what pointblock.py has made of it.
        self.key: str | None = None
        self.points: dict[Any, Any] = {}

    @functools.cached_property
    def address(self) -> int:
        """Where Numba's own linker puts it, for what is not loaded from an object."""
        return self._result.library.get_pointer_to_function(self.name)

    def llvm(self) -> str:
        """The optimised LLVM text."""
        return self._result.library.get_llvm_str()

    def asm(self) -> str:
        """The assembly text."""
        return self._result.library.get_asm_str()

    def exceptions(self) -> dict[bytes, str]:
        """One line for each exception that the code can raise, by the bytes of its pickle."""
        return describe_exceptions(self.llvm())


_PICKLE = re.compile(r'@\.?const\.pickledata\.[0-9a-f]+ = [^\n]*?c"((?:[^"\\]|\\[0-9A-Fa-f]{2}|\\\\)*)"')
_ESCAPE = re.compile(rb"\\([0-9A-Fa-f]{2}|\\)")


def describe_exceptions(text: str) -> dict[bytes, str]:
    """Finds the pickled exceptions among the constants of a module."""
    found = {}
    for match in _PICKLE.finditer(text):
        raw = match.group(1).encode("latin-1")
        pickle = _ESCAPE.sub(lambda m: b"\\" if m.group(1) == b"\\" else bytes([int(m.group(1), 16)]), raw)
        try:
            exception, arguments, place = unpickle(pickle)
            found[pickle] = one_line(exception, arguments, place)
        except Exception:
            continue
    return found


def lapack_bits() -> int:
    """The bits of the whole numbers in arrays that compiled code hands to LAPACK: 64 in some builds of Numba."""
    from numba.np import linalg

    whole: Any = getattr(linalg, "F_INT_nbtype", types.int32)
    return whole.bitwidth


def one_line(exception: Any, arguments: Any, place: Any) -> str:
    """`ValueError: negative start (in logp, model.py:12)`."""
    known = [str(a) if isinstance(a, (str, int, float)) else "…" for a in arguments or ()]
    text = f"{exception.__name__}: {', '.join(known)}"
    if place:
        text += f" (in {place[0]}, {place[1].rsplit('/', 1)[-1]}:{place[2]})"
    # A file's name need not be UTF-8: Python has a surrogate then for each byte.
    return text.replace("\n", " ").encode("utf-8", "replace").decode()


def provide_symbols() -> None:
    """Makes Numba's own functions known to LLVM's linker, for code that was compiled in another process."""
    # Numba does so when it is about to compile.
    context: Any = cpu_target.target_context
    context.refresh()
