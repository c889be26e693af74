"""The sentences that stand in the source of stream, door, hardware and ledger, as a page might be given them."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
VALUE = "§"  # stands for whatever a sentence is filled with
_SENTENCE = re.compile(rf"[^\W\d_]{{2,}}[,:;]? ([^\W\d_]{{2,}}|{VALUE})|{VALUE} [^\W\d_]{{2,}}")


class Found(NamedTuple):
    """One sentence."""

    path: str
    line: int
    text: str  # with VALUE for its values


def sentences(path: Path, within: Callable[[ast.AST], Iterator[ast.AST]] = ast.walk) -> Iterator[Found]:
    """Texts of two words or more that are no documentation and no words of a log.

    `within`: which nodes of a module are looked at.
    """
    tree = ast.parse(path.read_text())
    silent: set[int] = set(_silent(tree))
    for node in within(tree):
        if id(node) in silent or not isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
            continue
        silent |= {id(part) for part in ast.walk(node) if part is not node and not isinstance(part, ast.Call)}
        for text in _texts(node):
            if _SENTENCE.search(text):
                yield Found(str(path.relative_to(ROOT)), node.lineno, text)


def raised(tree: ast.AST) -> Iterator[ast.AST]:
    """What a module raises."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            yield from ast.walk(node.exc)


def check_names(path: Path) -> Iterator[Found]:
    """What the checks of the pre-flight are called."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Check" and node.args:
            for text in _texts(node.args[0]):
                if text != VALUE:
                    yield Found(str(path.relative_to(ROOT)), node.lineno, text)


def _texts(node: ast.expr) -> list[str]:
    """Every text that an expression may come to."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            texts = [_texts(part.value) if isinstance(part, ast.FormattedValue) else _texts(part) for part in parts]
            return ["".join(each) for each in itertools.product(*texts)]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return ["".join(each) for each in itertools.product(_texts(left), _texts(right))]
        case ast.BinOp(left=left, op=ast.Mult()):
            return [*_texts(left), ""]
        case ast.IfExp(body=body, orelse=other):
            return [*_texts(body), *_texts(other)]
        case ast.BoolOp(values=values):
            return [text for each in values for text in _texts(each)]
        case _:
            return [VALUE]


def _silent(tree: ast.AST) -> Iterator[int]:
    """What no page is given: documentation, and words of a log."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and (isinstance(node.value, ast.Constant) or _is_log(node.value)):
            yield from map(id, ast.walk(node))


def _is_log(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="log"))):
            return True
    return False
