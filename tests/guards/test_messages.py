"""Errors are imbkit's own, and every one of them says who, what, got and what to do."""

import ast
import builtins

import pytest

from imbkit import exceptions

OURS = set(exceptions.__all__)
# Python or the command line asks for exactly these.
PERMITTED = {"AttributeError", "NotFittedError", "StopIteration", "SystemExit"}
# For deprecations, and what scikit-learn's users filter on.
CATEGORIES = {
    "ConvergenceWarning",
    "DataConversionWarning",
    "FutureWarning",
    "UndefinedMetricWarning",
}
BUILTIN = {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}


def bad_errors(source):
    for function, node in _with_function(source.tree):
        where = f"{source.path}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Assert):
            yield f"{where}: assert; raise an error of imbkit's instead"
        elif isinstance(node, ast.Raise) and node.exc is not None:
            name = _name(node.exc)
            abstract = name == "NotImplementedError" and _is_abstract(function)
            if name in BUILTIN - PERMITTED and not abstract:
                yield f"{where}: raises a bare {name}"
            elif name in OURS and not isinstance(node.exc, ast.Call):
                yield f"{where}: {name} without message(...)"
        elif isinstance(node, ast.Call) and _name(node) in OURS:
            if not _says_all(node.args[0] if node.args else None, function):
                yield f"{where}: {_name(node)} without message(...)"
        elif isinstance(node, ast.Call) and _name(node) == "warn":
            if not _says_all(node.args[0] if node.args else None, function):
                yield f"{where}: a warning without message(...)"
            kinds = [*node.args[1:2], *(k.value for k in node.keywords if k.arg == "category")]
            if not {_name(kind) for kind in kinds} & (OURS | CATEGORIES):
                yield f"{where}: a warning without a category of imbkit's"


def _with_function(tree, function=None):
    """Yield (enclosing function, node) for every node."""
    for child in ast.iter_child_nodes(tree):
        yield function, child
        inner = child if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
        yield from _with_function(child, inner)


def _name(node):
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _is_abstract(function):
    return function is not None and any(
        _name(decorator) == "abstractmethod" for decorator in function.decorator_list
    )


def _says_all(argument, function):
    """Whether an argument is message(...), or a variable that the function set to one."""
    if isinstance(argument, ast.Call):
        return _name(argument) == "message"
    if not isinstance(argument, ast.Name) or function is None:
        return False
    values = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == argument.id
    ]
    return bool(values) and all(_name(value) == "message" for value in values)


def test_every_error_says_who_what_got_and_what_to_do(sources):
    rest = [source for source in sources if source.module != "imbkit.exceptions"]
    assert "\n".join(line for source in rest for line in bad_errors(source)) == ""


def test_every_error_and_warning_class_has_a_familiar_base():
    for name in exceptions.__all__:
        cls = getattr(exceptions, name)
        assert issubclass(cls, ValueError | OSError | ImportError | UserWarning), name
        assert cls.__doc__


BAD = [
    "assert x > 0",
    "raise ValueError('x')",
    "raise ValueError",
    "raise TypeError(message('a', 'b'))",
    "raise DataError('no')",
    "raise DataError",
    "raise exceptions.DataError(f'no {x}')",
    "def f():\n    text = 'no'\n    raise DataError(text)",
    "def f():\n    return OutputError('no')",
    "def f():\n    raise NotImplementedError",
    "warnings.warn('late', LeakWarning)",
    "warnings.warn(message('a', 'b'))",
    "warnings.warn(message('a', 'b'), UserWarning)",
]
GOOD = [
    "raise DataError(message('a', 'b'))",
    "def f():\n    text = message('a', 'b')\n    raise DataError(text) from error",
    "try:\n    f()\nexcept KeyError as error:\n    raise",
    "@abstractmethod\ndef f():\n    raise NotImplementedError",
    "def __getattr__(name):\n    raise AttributeError(name)",
    "warnings.warn(message('a', 'b'), LeakWarning, stacklevel=2)",
    "warnings.warn(message('a', 'b'), category=FutureWarning)",
]


@pytest.mark.parametrize("text", BAD)
def test_a_bad_error_is_noticed(plant, text):
    assert list(bad_errors(plant(text)))


@pytest.mark.parametrize("text", GOOD)
def test_a_good_error_is_not(plant, text):
    assert list(bad_errors(plant(text))) == []
