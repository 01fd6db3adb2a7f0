"""Files stay small, and none is called after what it is not about."""

import ast
import io
import tokenize

MAX_CODE, MAX_LINES, MAX_EXAMPLE, MAX_CATALOGUE = 400, 700, 80, 250
BANNED = {"utils.py", "common.py", "misc.py", "helpers.py"}
SKIP = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
SKIP |= {tokenize.ENCODING, tokenize.ENDMARKER}


def code_lines(text):
    """Count the lines that hold code: no blanks, comments or docstrings."""
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in SKIP:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                if isinstance(first.value.value, str):
                    lines.difference_update(range(first.lineno, first.end_lineno + 1))
    return len(lines)


def too_big(source):
    code, every = code_lines(source.text), len(source.text.splitlines())
    if code > MAX_CODE:
        yield f"{source.path}: {code} lines of code, at most {MAX_CODE}"
    if every > MAX_LINES:
        yield f"{source.path}: {every} lines, at most {MAX_LINES}"


def badly_named(source):
    if source.path.name.lstrip("_") in BANNED:
        yield f"{source.path}: say in the name what the file is about"


def test_files_are_small(sources):
    assert "\n".join(line for source in sources for line in too_big(source)) == ""


def test_names_say_something(sources):
    assert "\n".join(line for source in sources for line in badly_named(source)) == ""


def test_card_and_catalogue_stay_small(sources):
    parts = {"imbkit._core.card", "imbkit._core.catalog"}
    sizes = [code_lines(source.text) for source in sources if source.module in parts]
    assert len(sizes) == 2
    assert sum(sizes) <= MAX_CATALOGUE


def test_examples_are_short_and_named_by_what_they_plot(root):
    for path in (root / "examples").rglob("*.py"):
        assert path.name.startswith("plot_"), path
        assert len(path.read_text("utf-8").splitlines()) < MAX_EXAMPLE, path


def test_a_big_or_badly_named_file_is_noticed(plant):
    code = "x = 1\n" * (MAX_CODE + 1)
    assert len(list(too_big(plant(code)))) == 1
    assert len(list(too_big(plant("\n" * (MAX_LINES + 1))))) == 1
    assert list(too_big(plant("x = 1\n" * MAX_CODE + "# why\n\n"))) == []
    assert list(badly_named(plant("", path="imbkit/metrics/_utils.py")))
    assert not list(badly_named(plant("", path="imbkit/metrics/_counts.py")))


def test_docstrings_and_comments_are_not_code():
    text = '"""One.\n\nTwo."""\n\n# why\nx = """a\nb"""\n\ndef f():\n    """Say."""\n    return x\n'
    assert code_lines(text) == 4
