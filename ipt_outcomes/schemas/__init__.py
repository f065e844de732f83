"""The data dictionary (Frictionless Table Schema) and a validator that finds every fault of a table."""

from ipt_outcomes.schemas.keys import check_references
from ipt_outcomes.schemas.model import Alias, Field, ForeignKey, Rule, Schema, load_schema, schema_names
from ipt_outcomes.schemas.numbers import Decimal, parse_numbers, plain_text, to_text
from ipt_outcomes.schemas.package import check_tables, summarise
from ipt_outcomes.schemas.validate import FAILURE_COLUMNS, trimmed_text, validate

__all__ = [
    "FAILURE_COLUMNS",
    "Alias",
    "Decimal",
    "Field",
    "ForeignKey",
    "Rule",
    "Schema",
    "check_references",
    "check_tables",
    "load_schema",
    "parse_numbers",
    "plain_text",
    "schema_names",
    "summarise",
    "to_text",
    "trimmed_text",
    "validate",
]
