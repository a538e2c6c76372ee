"""SQL conditions over the columns of an index, run by pyarrow."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
from sqlglot import exp

from gapdata.errors import ConfigError

_COMPARISONS: dict[type[exp.Expression], Callable[[Any, Any], pc.Expression]] = {
    exp.EQ: lambda a, b: a == b,
    exp.NEQ: lambda a, b: a != b,
    exp.LT: lambda a, b: a < b,
    exp.LTE: lambda a, b: a <= b,
    exp.GT: lambda a, b: a > b,
    exp.GTE: lambda a, b: a >= b,
    exp.And: lambda a, b: a & b,
    exp.Or: lambda a, b: a | b,
}


def filter_rows(table: pa.Table, condition: str) -> pa.Table:
    """The rows that meet the condition of a SQL WHERE clause: `task = 'counting' AND margin > 0.1`.

    Knows comparisons, AND, OR, NOT, IN, BETWEEN, LIKE, parentheses, texts in single quotes, numbers, TRUE, FALSE and
    LENGTH(column) of a list or text. Raises ConfigError for anything else, unknown columns and types that do
    not fit; nothing is run.
    """
    tree = _parse(condition)
    try:
        return table.filter(_translate(tree, table.schema))
    except (pa.ArrowTypeError, pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise ConfigError(f"condition {condition!r}: {str(error).splitlines()[0]}") from error


def _parse(condition: str) -> exp.Expression:
    try:
        statement = sqlglot.parse_one(f"SELECT * WHERE {condition}")
    except sqlglot.errors.SqlglotError as error:
        raise _not_sql(condition, str(error).splitlines()[0]) from error
    extra = {name for name, value in statement.args.items() if value} - {"expressions", "where"}
    if not isinstance(statement, exp.Select) or "where" not in statement.args or extra:
        raise _not_sql(condition, "expected one condition")
    tree: exp.Expression = statement.args["where"].this
    return tree


def _not_sql(condition: str, reason: str) -> ConfigError:
    return ConfigError(
        f"condition {condition!r}: not a SQL condition: {reason}; write it like \"task = 'counting' AND margin > 0.1\""
    )


def _translate(node: exp.Expression, schema: pa.Schema) -> pc.Expression:
    def inner(child: exp.Expression) -> pc.Expression:
        return _translate(child, schema)

    if type(node) in _COMPARISONS:
        return _COMPARISONS[type(node)](inner(node.this), inner(node.expression))
    match node:
        case exp.Paren():
            return inner(node.this)
        case exp.Not():
            return ~inner(node.this)
        case exp.Between():
            value = inner(node.this)
            return (value >= inner(node.args["low"])) & (value <= inner(node.args["high"]))
        case exp.In() if node.expressions:
            value = inner(node.this)
            return reduce(lambda a, b: a | b, [value == inner(item) for item in node.expressions])
        case exp.Like() if isinstance(node.expression, exp.Literal):
            return pc.match_like(inner(node.this), node.expression.this)
        case exp.Length() if isinstance(node.this, exp.Column):
            name = _column(node.this, schema)
            is_list = pa.types.is_list(schema.field(name).type)
            return (pc.list_value_length if is_list else pc.utf8_length)(pc.field(name))
        case exp.Column():
            return pc.field(_column(node, schema))
        case exp.Neg() if isinstance(node.this, exp.Literal):
            return pc.scalar(-_number(node.this))
        case exp.Literal():
            return pc.scalar(node.this if node.is_string else _number(node))
        case exp.Boolean():
            return pc.scalar(node.this)
    raise ConfigError(
        f"condition: {node.sql()!r} is not supported; use comparisons, AND, OR, NOT, IN, BETWEEN, LIKE and LENGTH"
    )


def _column(node: exp.Column, schema: pa.Schema) -> str:
    name = str(node.sql()).strip('"')
    if name not in schema.names:
        near = difflib.get_close_matches(name, schema.names, 1)
        hint = f"; did you mean {near[0]}?" if near else "; texts stand in single quotes"
        raise ConfigError(f"condition: no column {name!r} among {', '.join(schema.names)}{hint}")
    return name


def _number(node: exp.Literal) -> int | float:
    text = str(node.this)
    return int(text) if text.isdecimal() else float(text)
