"""YAML documents whose every node knows its line, read with libyaml where PyYAML has it: fifteen times as fast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cachegraph.errors import DecodeError, MissingExtraError
from cachegraph.lint.budget import ExpansionBudget
from cachegraph.lint.holes import without_holes
from cachegraph.loaders.limits import Limits

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, ScalarNode, SequenceNode

    Node = ScalarNode | SequenceNode | MappingNode

__all__ = ["Tree", "guarded", "parsed", "yaml_tree", "yaml_trees"]

_DEEPEST_MERGE = 100
_ELEMENT = 16  # characters that an element of a list counts as
_MERGE = "tag:yaml.org,2002:merge"


@contextmanager
def yaml_tree(file: str, text: str, limits: Limits) -> Iterator[tuple[Tree, ExpansionBudget]]:
    """Open the only document of a YAML file; see `yaml_trees`."""
    with guarded(file):
        trees, budget = parsed(file, text, limits, only=1)
        yield trees[0], budget


@contextmanager
def yaml_trees(file: str, text: str, limits: Limits) -> Iterator[tuple[list[Tree], ExpansionBudget]]:
    """Open YAML documents, of which there is always one, maybe empty.

    Raises
    ------
    cachegraph.errors.MissingExtraError
        The reader of YAML is not installed.
    cachegraph.errors.DecodeError
        Not YAML, or of another shape than asked for.
    """
    with guarded(file):
        yield parsed(file, text, limits)


@contextmanager
def guarded(file: str) -> Iterator[None]:
    """Tell what goes wrong while a document is looked at without its text, which may hold secrets.

    Raises
    ------
    cachegraph.errors.MissingExtraError
    cachegraph.errors.DecodeError
    """
    try:
        import yaml
    except ImportError as error:
        raise MissingExtraError("Reading a YAML file", "files") from error
    try:
        yield
    except (yaml.YAMLError, RecursionError) as error:
        # The reader's own words quote the file, and so what secrets it holds.
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}: {getattr(error, 'problem', '')}" if mark else ""
        raise DecodeError(f"{file}: not YAML{where}") from None
    except (ValueError, TypeError, AttributeError, KeyError) as error:  # a key that is a list, a tag that is none
        raise DecodeError(f"{file}: not YAML ({type(error).__name__})") from None


def parsed(file: str, text: str, limits: Limits, *, only: int = 0) -> tuple[list[Tree], ExpansionBudget]:
    """Read YAML documents, within `guarded`.

    Parameters
    ----------
    file, text : str
    limits : Limits
    only : int
        How many there may be: one, or 0 for any number.
    """
    import yaml

    budget = ExpansionBudget(file, limits)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(without_holes(text))
    nodes: list[Node | None] = []
    try:
        if only == 1:
            nodes.append(loader.get_single_node())
        else:
            while loader.check_node():
                nodes.append(loader.get_node())
    finally:
        loader.dispose()
    source = _Source(text)
    return [Tree(node, loader, budget, source) for node in nodes or [None]], budget


class _Source:
    """The lines of a file, split when they are first asked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: list[str] | None = None

    def lines(self, first: int, last: int) -> list[str]:
        """Give lines, counted from 0, without the last."""
        if self._lines is None:
            self._lines = self._text.split("\n")
        return self._lines[first:last]


class Tree:
    """A node of a YAML document that knows its line; what has another shape than asked for is empty."""

    __slots__ = ("_budget", "_entries", "_loader", "_node", "_source")

    def __init__(self, node: Node | None, loader: Any, budget: ExpansionBudget, source: _Source) -> None:  # noqa: ANN401 - of any type
        self._node = node
        self._loader = loader
        self._budget = budget
        self._source = source
        self._entries: dict[str, Tree] | None = None

    def __bool__(self) -> bool:
        return self._node is not None

    @property
    def identity(self) -> int:
        """The same for the same node, which an anchor may bring to several places."""
        return id(self._node)

    @property
    def line(self) -> int:
        """The line that its text begins on: a block's is the one after its ``|``."""
        node = self._node
        if node is None:
            return 0
        return int(node.start_mark.line) + 1 + self.is_block

    @property
    def is_block(self) -> bool:
        """Whether it is a text behind ``|`` or ``>``."""
        return getattr(self._node, "style", None) in ("|", ">")

    @property
    def is_folded(self) -> bool:
        """Whether it is a text behind ``>``, whose lines are joined."""
        return getattr(self._node, "style", None) == ">"

    @property
    def text(self) -> str:
        """The text of a single value; empty for anything else."""
        return str(self._node.value) if self._node is not None and self._node.id == "scalar" else ""

    @property
    def script(self) -> str:
        """The text as a shell reads it: lines that YAML joins keep their breaks, each behind a backslash."""
        node = self._node
        style = getattr(node, "style", None)
        if node is None or node.id != "scalar" or style not in (None, ">"):
            return self.text
        first, last = node.start_mark.line, node.end_mark.line
        if style == ">":
            lines = self._source.lines(first + 1, last)
        else:
            lines = self._source.lines(first, last + 1)
            lines[0] = lines[0][node.start_mark.column :]
        if len(lines) < 2:
            return self.text
        kept = [line.strip() for line in lines]
        while kept and not kept[-1]:
            kept.pop()
        # What is blank, commented out or already goes on means something else once it is joined.
        if (
            any(not line or line.startswith("#") or line.endswith("\\") for line in kept)
            or " ".join(kept) != node.value.strip()
        ):
            return self.text
        return " \\\n".join(kept)

    @property
    def tag(self) -> str:
        """The tag, such as ``!reference`` or ``tag:yaml.org,2002:str``."""
        return str(self._node.tag) if self._node is not None else ""

    @property
    def is_null(self) -> bool:
        """Whether nothing stands there: ``NAME:`` alone, or ``null``."""
        return self._node is None or self._node.tag == "tag:yaml.org,2002:null"

    @property
    def is_mapping(self) -> bool:
        """Whether it is a mapping."""
        return self._node is not None and self._node.id == "mapping"

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return self._node is not None and self._node.id == "sequence"

    def _mapping(self) -> dict[str, Tree]:
        if self._entries is None:
            node = self._node
            self._entries = {}
            if node is not None and node.id == "mapping":
                if any(key.tag == _MERGE for key, _ in node.value):
                    self._budget.count(_merged_size(node))
                    self._loader.flatten_mapping(node)  # puts in what `<<: *anchor` brings
                self._budget.count(len(node.value))
                for key, value in node.value:
                    self._entries[str(key.value)] = Tree(value, self._loader, self._budget, self._source)
        return self._entries

    def items(self) -> Iterator[tuple[str, Tree]]:
        """Give the entries of a mapping."""
        yield from self._mapping().items()

    def get(self, *keys: str) -> Tree:
        """Go down mappings, key by key."""
        tree = self
        for key in keys:
            found = tree._mapping().get(key)
            if found is None:
                return Tree(None, self._loader, self._budget, self._source)
            tree = found
        return tree

    def elements(self) -> list[Tree]:
        """Return the elements of a list; a single value is a list of one."""
        if self._node is not None and self._node.id == "sequence":
            self._budget.count(_ELEMENT * len(self._node.value))  # an anchor may be used often
            return [Tree(node, self._loader, self._budget, self._source) for node in self._node.value]
        return [self] if self.text else []


def _merged_size(node: Node) -> int:
    """Count the keys that a mapping has once all that ``<<`` brings is put in, without putting it in."""
    sizes: dict[int, int] = {}

    def size(of: Node, depth: int) -> int:
        if id(of) in sizes or depth > _DEEPEST_MERGE:
            return sizes.get(id(of), 0)
        sizes[id(of)] = 0  # one that merges itself
        if of.id == "sequence":
            total = sum(size(part, depth + 1) for part in of.value)
        elif of.id == "mapping":
            total = sum(size(value, depth + 1) if key.tag == _MERGE else 1 for key, value in of.value)
        else:
            total = 1
        sizes[id(of)] = total
        return total

    return size(node, 0)
