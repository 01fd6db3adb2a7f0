"""Reference pages and the method table, made from the catalogue."""

import inspect
import shutil
from importlib import import_module
from pathlib import Path

import _pictures

from imbkit._core.catalog import FAMILIES, Entry, catalog

TITLES = {
    "method": "Methods",
    "class": "Classes",
    "function": "Functions and metrics",
    "object": "Other names",
    "unknown": "Names that need an extra",
}


def write_pages(folder: Path) -> None:
    """Write an index, the method table, one page a family and one a public name."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "pictures").mkdir(parents=True)
    pages = {"index": _index_page(), "methods": _method_table(), "exceptions": _exceptions_page()}
    for family in FAMILIES:
        entries = catalog(family)
        pages[family] = _family_page(family, entries)
        shown = [entry for entry in entries if entry.obj is not None]
        pages.update({_path(entry): _entry_page(entry, folder) for entry in shown})
    for name, text in pages.items():
        (folder / f"{name}.rst").write_text(text, "utf-8")


def _index_page() -> str:
    return _page(
        "API reference",
        "Every public name, by family.",
        _contents(["methods", *FAMILIES, "exceptions"]),
        _heading("The package itself", "-"),
        ".. autofunction:: imbkit.show_versions",
        ".. autofunction:: imbkit.warmup",
    )


def _method_table() -> str:
    rows = [
        (_link(entry), entry.family, entry.summary, entry.card.paper, entry.extra or "none")
        for entry in catalog()
        if entry.card is not None
    ]
    return _page(
        "Methods",
        "Every class that learns, decides or changes data, from the cards of the classes.",
        _table(("method", "family", "what it does", "source", "extra"), rows),
    )


def _family_page(family: str, entries: list[Entry]) -> str:
    parts = []
    if all(entry.obj is not None for entry in entries):
        parts.append(inspect.getdoc(import_module(f"imbkit.{family}")) or "")
    if FAMILIES[family]:
        parts.append(f'Needs an extra: ``pip install "imbkit[{FAMILIES[family]}]"``')
    for kind, title in TITLES.items():
        rows = [(_link(entry), entry.summary) for entry in entries if entry.kind == kind]
        if rows:
            parts += [_heading(title, "-"), _table(("name", "what it is"), rows)]
    paths = [_path(entry) for entry in entries if entry.obj is not None]
    return _page(f"imbkit.{family}", *parts, _contents(paths, hidden=True))


def _entry_page(entry: Entry, folder: Path) -> str:
    if getattr(entry.obj, "__module__", "").startswith("imblearn."):
        return _foreign_page(entry)
    options = []
    if inspect.ismodule(entry.obj):
        directive = "automodule"
        options = [f"   :members: {', '.join(entry.obj.__all__)}"]
    elif inspect.isclass(entry.obj):
        directive = "autoclass"
        members = ", ".join(_own_members(entry.obj))
        options = [f"   :members: {members}"] if members else []
    else:
        directive = "autofunction" if callable(entry.obj) else "autodata"
    lines = [f".. {directive}:: imbkit.{entry.family}.{entry.name}", *options]
    picture = _picture(entry, folder / "pictures") if _pictures.is_drawn(entry) else ""
    return _page(entry.name, picture, "\n".join(lines))


def _foreign_page(entry: Entry) -> str:
    home = entry.obj.__module__.partition("._")[0]
    path = f"{home}.{entry.name}"
    url = f"https://imbalanced-learn.org/stable/references/generated/{path}.html"
    return _page(
        entry.name,
        f"imbalanced-learn's own class, handed on so that one line of imports can be changed: "
        f"`{path} <{url}>`__. It carries no companions; see :doc:`/guide/migrating`.",
    )


def _picture(entry: Entry, folder: Path) -> str:
    name = _pictures.draw(entry, folder)
    alt = f"Map of the rows that {entry.name} keeps, removes, repeats and makes"
    lines = [
        f".. figure:: pictures/{name}",
        f"   :alt: {alt}",
        "",
        f"   {_pictures.caption(entry)}",
    ]
    return "\n".join(lines)


def _exceptions_page() -> str:
    module = import_module("imbkit.exceptions")
    classes = [f".. autoexception:: imbkit.exceptions.{name}" for name in module.__all__]
    return _page("imbkit.exceptions", inspect.getdoc(module) or "", *classes)


def _own_members(cls: type) -> list[str]:
    """Return the public methods and properties that imbkit wrote, not those it inherits."""
    names = []
    for name, value in inspect.getmembers_static(cls):
        owner = next((base for base in cls.__mro__ if name in vars(base)), object)
        written = isinstance(value, property) or callable(getattr(value, "__func__", value))
        written = written or (hasattr(value, "__get__") and hasattr(value, "fn"))
        ours = owner.__module__.startswith("imbkit") and not name.startswith("_")
        if ours and written and not inspect.isclass(value):
            names.append(name)
    return names


def _path(entry: Entry) -> str:
    return f"imbkit.{entry.family}.{entry.name}"


def _link(entry: Entry) -> str:
    if entry.obj is None:
        return f"``{entry.name}``"
    return f":doc:`{entry.name} <{_path(entry)}>`"


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([_heading(title, "="), *filter(None, parts)]) + "\n"


def _heading(title: str, line: str) -> str:
    return f"{title}\n{line * len(title)}"


def _contents(pages: list[str], *, hidden: bool = False) -> str:
    options = ["   :hidden:"] if hidden else ["   :maxdepth: 1"]
    return "\n".join([".. toctree::", *options, "", *(f"   {page}" for page in pages)])


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in [head, *rows]:
        for mark, cell in zip(["*", *" " * (len(row) - 1)], row, strict=True):
            lines.append(f"   {mark} - {cell}".rstrip())
    return "\n".join(lines)
