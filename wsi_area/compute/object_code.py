"""compute: native functions on their way from numba to the processor: a module of LLVM, an object file, an address.

A module is whole: it needs nothing but itself, neither Python nor numba. As bitcode without vectors it is good for
every processor of one architecture, and is what a wheel carries; llvmlite makes of it, in a sixth of the time that
numba takes for all, the object file for the processor at hand.
"""

import logging
from importlib import import_module
from typing import Any

from llvmlite import binding

from wsi_area.compute.native import SYMBOL
from wsi_area.compute.processor import processor

_LOG = logging.getLogger(__name__)
_KEPT_ALIVE: list[object] = []  # machine code lives as long as what loaded it


def compiled_by_numba(module: str, name: str, arguments: str) -> Any:
    """Return a function as numba's ``cfunc``, its arguments spelt as numba's types."""
    from numba import cfunc, types  # whoever finds an object file, or bitcode, must not pay for numba

    numba_types = [
        types.CPointer(getattr(types, word[:-1])) if word.endswith("*") else getattr(types, word)
        for word in arguments.split()
    ]
    # a division by zero gives 0 and raises nothing, so that no exception is prepared that needs numba
    return cfunc(types.void(*numba_types), error_model="numpy")(getattr(import_module(module), name))


def module_of(compiled: Any) -> Any:
    """Return what numba compiled as a module of LLVM in which one symbol can be seen from outside."""
    module = binding.parse_assembly(compiled.inspect_llvm())
    module.get_function(compiled.native_name).name = SYMBOL
    for part in (*module.functions, *module.global_variables):
        if not part.is_declaration and part.name != SYMBOL:
            part.linkage = "internal"  # so that whatever is not reached is thrown away
    return module


def bitcode_of(module: Any) -> bytes | None:
    """Return a module as bitcode, for any processor of this architecture; None where it needs more than itself.

    It is made simple and not fast: vectors and unrolled loops are for the processor that runs it.
    """
    how = binding.create_pipeline_tuning_options(speed_level=1)
    how.loop_vectorization = how.slp_vectorization = how.loop_unrolling = False
    _optimise(module, _machine("generic", ""), how)
    return bytes(module.as_bitcode()) if _is_whole(module) else None


def module_from(bitcode: bytes) -> Any:
    """Return the module that bitcode holds.

    Raises
    ------
    RuntimeError
        This llvmlite cannot read it.
    """
    return binding.parse_bitcode(bitcode)


def object_of(module: Any) -> bytes | None:
    """Return a module as an object file for this processor; None where it needs more than itself."""
    machine = _machine(*processor())
    _optimise(module, machine, binding.create_pipeline_tuning_options(speed_level=2))
    return bytes(machine.emit_object(module)) if _is_whole(module) else None


def _optimise(module: Any, machine: Any, how: Any) -> None:
    passes = binding.create_pass_builder(machine, how)
    passes.getModulePassManager().run(module, passes)


def _is_whole(module: Any) -> bool:
    outside = [part.name for part in (*module.functions, *module.global_variables) if part.is_declaration]
    if all(symbol.startswith("llvm.") for symbol in outside):
        return True
    _LOG.warning("machine code that needs %s cannot be kept on disk", ", ".join(outside))
    return False


def _machine(name: str, features: str) -> Any:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_triple(binding.get_process_triple())
    return target.create_target_machine(cpu=name, features=features, opt=3, jit=True)


def address_by_llvm(code: bytes) -> int:
    """Return the address of the function of an object file, loaded into this process by LLVM."""
    machine = _machine(*processor())
    nothing = binding.parse_assembly("")
    nothing.triple = machine.triple
    engine = binding.create_mcjit_compiler(nothing, machine)
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _KEPT_ALIVE.append(engine)
    return int(engine.get_function_address(SYMBOL))


def address_by_numba(compiled: Any) -> int:
    """Return the address of numba's own copy of a function, good in this process only: it needs numba while it runs."""
    _KEPT_ALIVE.append(compiled)
    return int(compiled.address)
