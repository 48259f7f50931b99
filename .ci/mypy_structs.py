"""A plugin for mypy that checks what `msgspec.structs.replace` changes.

By msgspec's own types, it takes any name and value. Mypy knows the fields of a struct, because it
checks them where one is made.
"""

from collections.abc import Callable

from mypy.plugin import FunctionSigContext, Plugin
from mypy.plugins.dataclasses import replace_function_sig_callback
from mypy.types import FunctionLike


class StructPlugin(Plugin):
    def get_function_signature_hook(
        self, fullname: str
    ) -> Callable[[FunctionSigContext], FunctionLike] | None:
        return _with_fields if fullname == "msgspec.structs.replace" else None


def _with_fields(call: FunctionSigContext) -> FunctionLike:
    """Return the signature of a call by its struct's fields, as mypy does for `dataclasses.replace`."""
    checked = replace_function_sig_callback(call)
    if checked is call.default_signature:
        return checked
    # `dataclasses.replace` takes all dataclasses, this one only structs.
    struct = call.default_signature.variables[0].upper_bound
    return checked.copy_modified(arg_types=[struct, *checked.arg_types[1:]])


def plugin(version: str) -> type[Plugin]:
    return StructPlugin
