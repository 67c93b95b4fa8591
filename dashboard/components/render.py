"""Templates to HTML; whatever is put into one is escaped."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension

from dashboard.views.words import ago, exact, size, tone
from dashboard.views.zone import zone_name

HERE = Path(__file__).parent


class _OneLine(Extension):
    """Templates without line ends: ``st.html`` looks at each line of what it gets, at each rerun of each session."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002 - jinja2's
        return source.replace("\n", " ")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, extensions=[_OneLine])
    made.filters.update(tone=tone, size=size, ago=ago, exact=exact)
    made.globals.update(zone_name=zone_name)
    return made


def render(template: str, /, **values: object) -> str:
    """``components/<template>.html`` with these values; a value that it names and does not get raises."""
    return _environment().get_template(f"{template}.html").render(values)


def section(title: str, body: str = "", level: int = 2) -> str:
    """A part of a page: its heading, and what stands below it; alone, where that are elements of Streamlit's.

    One element for many parts: each one that Streamlit is given costs the browser, and its own headings and captions go
    through its Markdown there.
    """
    heading = f'<h{level} class="part">{escape(title)}</h{level}>'
    return f'<section aria-label="{escape(title)}">{heading}{body}</section>' if body else heading


def faint(text: str) -> str:
    """A sentence that explains what it stands beside."""
    return f'<div class="cr"><p class="faint said">{escape(text)}</p></div>'


@lru_cache(maxsize=1)
def stylesheet() -> str:
    """The stylesheet as an element of the page."""
    return f"<style>{(HERE / 'style.css').read_text()}</style>"
