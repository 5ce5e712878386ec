"""Filter expressions: Python-like text to a small frozen tree, parsed and never evaluated.

``params.SVC.C > 0.1 and status == 'complete' and 'draft' not in tags`` becomes a tree of
the nodes below; what the names mean is for the catalog to say. Every node is either true
or false of an entity, never unknown: a value that is missing, or a parameter of another
type, equals nothing and is neither less nor greater, and ``!=`` is exactly the contrary of ``==``.

Grammar, loosest binding first::

    expression  = conjunction {"or" conjunction}
    conjunction = negation {"and" negation}
    negation    = "not" negation | "(" expression ")" | comparison
    comparison  = operand operator operand {operator operand}
                | name ["not"] "in" "(" [value {"," value}] ")"
                | value ["not"] "in" name
                | name ["not"] ("like" | "ilike") string
                | name "is" ["not"] "None"
    operator    = "==" | "!=" | "<" | "<=" | ">" | ">="
    operand     = name | value
    name        = part {"." part}, a part with unusual characters in `backticks`
    value       = number | string | "True" | "False" | "None"
"""

from .expressions import (
    METRIC_PARTS,
    And,
    Comparison,
    Contains,
    Expression,
    In,
    IsNone,
    Like,
    Name,
    Not,
    Or,
    Value,
    equal,
)
from .parsing import parse, parse_name

__all__ = [
    "METRIC_PARTS",
    "And",
    "Comparison",
    "Contains",
    "Expression",
    "In",
    "IsNone",
    "Like",
    "Name",
    "Not",
    "Or",
    "Value",
    "equal",
    "parse",
    "parse_name",
]
