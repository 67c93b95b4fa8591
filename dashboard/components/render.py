"""Templates to HTML; whatever is put into one is escaped."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dashboard.views.words import ago, size, tone

HERE = Path(__file__).parent


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.filters.update(tone=tone, size=size, ago=ago)
    return made


def render(template: str, /, **values: object) -> str:
    """``components/<template>.html`` with these values; a value that it names and does not get raises."""
    return _environment().get_template(f"{template}.html").render(values)


@lru_cache(maxsize=1)
def stylesheet() -> str:
    """The stylesheet as an element of the page."""
    return f"<style>{(HERE / 'style.css').read_text()}</style>"
