"""What stands below the names in a class, which Python itself forgets."""

import ast
import inspect
import textwrap


def of(kind: type) -> dict[str, str]:
    """By attribute: the text below its definition. Those of the classes above it are included."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        if one.__module__.startswith("qsuper."):
            found |= _own(one)
    return found


def _own(kind: type) -> dict[str, str]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for statement, after in zip(tree.body, tree.body[1:], strict=False):
        name = _defined(statement)
        if name and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[name] = inspect.cleandoc(str(after.value.value))
    return found


def _defined(statement: ast.stmt) -> str | None:
    match statement:
        case ast.AnnAssign(target=ast.Name(name)) | ast.Assign(targets=[ast.Name(name)]):
            return name
    return None
