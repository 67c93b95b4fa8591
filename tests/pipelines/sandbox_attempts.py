"""Ways out of SQL: what was tried of Polars 2.1 and of engines like it. ``{file}`` and ``{url}`` lead to the canaries."""

from __future__ import annotations

READERS = ["read_csv", "read_parquet", "read_ipc", "read_json", "scan_csv", "scan_parquet", "read_delta", "scan_delta"]
PLACES = ["{file}", "file://{file}", "{folder}/*.csv", "{url}/a.csv", "s3://bucket/a.csv", "hf://datasets/a/b"]
POSITIONS = [
    "select * from {reader}",
    "with c as (select * from {reader}) select * from c",
    "with recursive c as (select 1 as n union all select n + 1 from c where n < (select max(b) from {reader})) select * from c",
    "select * from t where id in (select b from {reader})",
    "select (select max(b) from {reader}) from t",
    "select * from t where exists (select * from {reader})",
    "select id, name from t union all select 1, a from {reader}",
    "select id from t intersect select b from {reader}",
    "select * from t join {reader} r on true",
    "select * from t left join {reader} as r on r.b = t.id",
    "select * from t cross join {reader}",
    "select * from t, {reader}",
    "select * from (t cross join {reader})",
    "select * from ((select * from {reader})) x",
    "select * from t, lateral (select * from {reader}) x",
    "select * from t, lateral {reader} x",
    "select * from table({reader})",
    "select * from t order by (select max(b) from {reader})",
    "select id from t group by id having id > (select min(b) from {reader})",
    "select case when exists (select 1 from {reader}) then 1 end from t",
    "select sum(id) over (partition by (select max(b) from {reader})) from t",
    "select * from t limit (select b from {reader})",
    "select * from t qualify id > (select max(b) from {reader})",
    "select * from t as {reader}",
    "with {reader} as (select 1 as a) select * from t",
    "select coalesce(id, (select max(b) from {reader})) from t",
    "(select * from {reader})",
    "select {reader}",
    "from {reader}",
    "from {reader} select *",
]
DISGUISES = [
    "select * from READ_CSV('{file}')",
    "select * from Read_Csv ('{file}')",
    "select * from \"read_csv\"('{file}')",
    "select * from `read_csv`('{file}')",
    "select * from [read_csv]('{file}')",
    "select * from read_csv/**/('{file}')",
    "select * from read_csv /* /* nested */ */ ('{file}')",
    "select * from read_csv -- '\n('{file}')",
    "select * from read_csv\n\t\r('{file}')",
    "select * from read_csv\u00a0('{file}')",
    "select * from\u00a0read_csv('{file}')",
    "select * from\u2003read_csv('{file}')",
    "select * from ｒｅａｄ_csv('{file}')",
    "select * from re\u200bad_csv('{file}')",
    "select * from\x00 read_csv('{file}')",
    "\ufeffselect * from read_csv('{file}')",
    "select 'a\\'' || (select max(a) from read_csv('{file}')) from t",
    'select "a""(" from read_csv(\'{file}\')',
    "select $$ $$ from read_csv('{file}')",
    "select * from read_csv($${file}$$)",
    "select * from read_csv(e'{file}')",
    "select * from read_csv(U&'{file}')",
    "select * from main.read_csv('{file}')",
    "select * from pg_catalog.public.read_csv('{file}')",
    "select 1 /* */ from /* */ read_csv /* */ ( /* */ '{file}' )",
    "select * from t where name = '' or id in (select b from read_csv('{file}')) --'",
    "select * from (select * from t) as x, read_csv('{file}') as y",
    "select * from t as read_csv, read_csv('{file}')",
    "with read_csv as (select 1 as a) select * from read_csv('{file}')",
]
AS_TABLES = [
    "select * from '{file}'",
    'select * from "{file}"',
    "select * from `{file}`",
    'select * from "file://{file}"',
    'select * from "{url}/a.parquet"',
    "select * from {url}",
    'select * from t join "{file}" x on true',
    "select * from t, '{file}'",
    'select * from "gold"."../../other/gold/t"',
    "select * from gold.secret",
    "select * from other",
    "select * from information_schema.tables",
    "select * from pg_catalog.pg_shadow",
    "select * from sqlite_master",
    "select * from self",
    "select * from df",
    "select * from t where id in (select id from other)",
    "with other2 as (select * from other) select * from other2",
]
STATEMENTS = [
    "show tables", "create table x as select * from t", "create view v as select 1", "drop table t", "truncate table t",
    "delete from t", "update t set id = 1", "insert into t values (1)", "explain select * from t", "describe t",
    "copy t to '{file}'", "copy (select 1) to '{file}'", "set x = 1", "attach '{file}'", "load httpfs", "install httpfs",
    "pragma database_list", "call f()", "execute immediate 'select 1'", "values (1)", "table t", "from t", "begin",
    "select 1; drop table t", "select 1;; select 2", "select * into x from t", "select * from t for update",
    "select * from t into outfile '{file}'", "with x as (delete from t returning *) select * from x",
    "with x as (insert into t values (1) returning 1) select * from x", "with x as (select 1) delete from t",
    "", ";", "--", "/*", "select 'open", 'select "open', "select (1", "select 1)", "select [1)",
]  # fmt: skip
FUNCTIONS = [
    "getenv('HOME')", "env('HOME')", "pg_read_file('/etc/passwd')", "current_setting('x')", "set_config('a', 'b', true)",
    "load_file('{file}')", "read_text('{file}')", "read_blob('{file}')", "glob('*')", "query('select 1')", "version()",
    "system('id')", "shell('id')", "pg_sleep(10)", "dblink('x', 'y')", "lo_import('{file}')", "http_get('{url}')",
    "url('{url}')", "file('{file}')", "load_extension('x')", "eval('1')", "randomblob(1000000000)", "repeat('x', 1000000000)",
    "json_extract('[1]', '$')", "xmlparse('x')", "upper('x')('y')", "abs.read_csv('{file}')", "uuid()",
]  # fmt: skip
PLACEHOLDERS = [
    "select $1",
    "select ?",
    "select :a",
    "select @x",
    "select @@version",
    "select #x",
    "select {{a: 1}}",
    "select a\\b",
]


def attempts(file: str, folder: str, url: str) -> list[str]:
    """Every attempt, with its places filled in."""
    readers = [f"{name}('{place}')" for name in READERS for place in PLACES]
    texts = [f"select * from {reader}" for reader in readers]
    texts += [position.replace("{reader}", "read_csv('{file}')") for position in POSITIONS]
    texts += [position.replace("{reader}", "read_parquet('{url}/p')") for position in POSITIONS]
    texts += [*DISGUISES, *AS_TABLES, *STATEMENTS, *PLACEHOLDERS]
    texts += [f"select {call} from t" for call in FUNCTIONS]
    return [text.replace("{file}", file).replace("{folder}", folder).replace("{url}", url) for text in texts]
