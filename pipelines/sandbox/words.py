"""The words that may stand before a parenthesis; every other one is refused, known to the engine or not."""

from __future__ import annotations

# Each reads its arguments and nothing else: tests ask the engine whether it knows them all.
FUNCTIONS = frozenset(
    [
        "abs", "ceil", "ceiling", "div", "exp", "floor", "ln", "log", "log10", "log1p", "log2", "mod", "pi",
        "pow", "power", "round", "sign", "sqrt", "cbrt", "trunc", "truncate", "degrees", "radians", "acos",
        "acosd", "asin", "asind", "atan", "atand", "atan2", "atan2d", "cos", "cosd", "cot", "cotd", "sin",
        "sind", "tan", "tand", "bit_length", "concat", "concat_ws", "char_length", "character_length", "length",
        "octet_length", "ends_with", "initcap", "left", "lower", "lpad", "ltrim", "normalize", "regexp_like",
        "regexp_replace", "replace", "reverse", "right", "rpad", "rtrim", "split_part", "string_to_array",
        "starts_with", "strpos", "strptime", "substr", "substring", "trim", "upper", "bit_and", "bit_or",
        "bit_xor", "bitand", "bitor", "bitxor", "bit_count", "bitnot", "coalesce", "greatest", "ifnull", "if",
        "least", "nullif", "avg", "count", "corr", "covar", "covar_pop", "covar_samp", "first", "last", "max",
        "min", "median", "quantile_cont", "quantile_disc", "stddev", "stdev", "stddev_samp", "stdev_samp",
        "sum", "var", "variance", "var_samp", "first_value", "last_value", "nth_value", "lag", "lead",
        "row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "string_agg", "listagg",
        "group_concat", "array_agg", "array_contains", "array_get", "array_length", "array_lower", "array_mean",
        "array_reverse", "array_sum", "array_to_string", "array_unique", "array_upper", "unnest", "date",
        "date_part", "date_trunc", "day", "month", "year", "quarter", "week", "hour", "minute", "second",
        "extract", "now", "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp",
        "strftime", "timestamp", "time", "dayofweek", "dayofyear", "columns", "grouping", "grouping_id", "cast",
        "try_cast", "position", "overlay"
    ]
)  # fmt: skip
TABLE_FUNCTIONS = frozenset({"unnest", "generate_series", "range"})
WITH_FROM = frozenset({"extract", "substring", "trim", "overlay"})
"""Functions between whose parentheses the word FROM names no table."""

SYNTAX = frozenset(
    [
        "select", "distinct", "all", "from", "join", "where", "and", "or", "not", "in", "on", "having", "by",
        "when", "then", "else", "case", "as", "over", "using", "values", "exists", "any", "some", "union",
        "intersect", "except", "exclude", "rename", "filter", "sets", "rollup", "cube", "limit", "offset",
        "between", "like", "ilike", "qualify", "with", "array", "interval", "decimal", "numeric", "varchar",
        "char", "float", "is", "group"
    ]
)  # fmt: skip
ENDS_FROM = frozenset(
    [
        "select", "where", "group", "having", "order", "limit", "offset", "fetch", "union", "intersect",
        "except", "window", "qualify"
    ]
)  # fmt: skip
AFTER_TABLE = ENDS_FROM | {
    "join", "inner", "left", "right", "full", "outer", "cross", "natural", "semi", "anti", "asof", "on", "using", "tablesample",
}  # fmt: skip
"""Words that can follow a table's name and are no alias of it."""
CHANGES = frozenset(
    [
        "insert", "update", "delete", "merge", "into", "create", "drop", "truncate", "alter", "copy", "lateral"
    ]
)  # fmt: skip
"""Words of statements that change something; as a column's name each can be quoted."""
UNSTEADY = frozenset(
    ["now", "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "random", "uuid"]
)
"""Words whose value is another one tomorrow."""
