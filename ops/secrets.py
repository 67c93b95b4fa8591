"""Secrets by reference: a spec names where a value is, never the value.

``secret://env/NAME`` is the variable ``CONTROLROOM_SECRET_NAME`` and no other: a spec must not reach the process's own
credentials. ``secret://file/PATH`` is a file below ``HOME/secrets``. Further kinds come from the entry-point group
``controlroom.secrets``: a function (home, name) → value, None where it has none.

A store remembers what it gave out so that :meth:`SecretStore.redact` can keep it out of logs, events and errors.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from ops.errors import BadInput, NotAllowed, SecretMissing

_SCHEME = "secret://"
_URL_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):([^/\s@]+)@")
_KEYWORD_PASSWORD = re.compile(
    r"\b(password|passwd|secret|token|api_?key)(\s*[=:](?!//)\s*)('[^']*'|\"[^\"]*\"|[^\s,;&]+)", re.IGNORECASE
)
HIDDEN = "***"
_SHORTEST = 4
"""Values shorter than this are not searched for: hiding every "1" would make logs unreadable and betray it as well."""


_SHORTEST_LINE = 8
"""Of a secret of several lines, a line shorter than this says nothing by itself, and may be anybody's."""

GROUP = "controlroom.secrets"


@cache
def resolvers() -> Mapping[str, EntryPoint]:
    """Installed resolvers of others, by kind; none of ours can be replaced."""
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in ("env", "file")}


class SecretStore:
    """Resolves references for one home. Implements ``pipelines.handler.Secrets``; threads may share it.

    Args:
        allowed: asked at the first reference; what it gives may be resolved, and what begins with an item that ends in
            ``*``. None allows everything: for whoever works at the machine itself.
    """

    def __init__(
        self,
        home: Path,
        environment: Mapping[str, str] | None = None,
        allowed: Callable[[], frozenset[str]] | None = None,
    ) -> None:
        self._home, self._folder = home, home / "secrets"
        self._allowed = None if allowed is None else cache(allowed)
        self._environment = os.environ if environment is None else environment
        self._given: set[str] = set()

    def resolve(self, reference: str) -> str:
        """The value behind ``secret://env/NAME`` or ``secret://file/PATH``; any other text is returned as it is.

        Raises:
            SecretMissing: nothing is stored under that reference, or it cannot be read.
            NotAllowed: it is none of the secrets of the run's project.
            BadInput: the reference is malformed or leads out of the secrets folder.
        """
        if not reference.startswith(_SCHEME):
            self._remember_password(reference)
            return reference
        kind, _, name = reference.removeprefix(_SCHEME).partition("/")
        if not name:
            raise BadInput(f"secret reference {reference} names nothing; write secret://env/NAME or secret://file/PATH")
        self._check(reference)
        match kind:
            case "env":
                value = self._from_environment(reference, name)
            case "file":
                value = self._from_file(reference, name)
            case _ if kind in resolvers():
                value = self._from_resolver(reference, kind, name)
            case _:
                known = ", ".join(["env", "file", *resolvers()])
                raise BadInput(f"secret reference {reference} is of unknown kind {kind}; known are {known}")
        self._remember(value)
        self._remember_password(value)
        return value

    def redact(self, text: str) -> str:
        """``text`` without any value that this store gave out, without passwords in URLs and in ``password=…``."""
        for value in sorted(self._given.copy(), key=len, reverse=True):
            if len(value) >= _SHORTEST:
                text = text.replace(value, HIDDEN)
        text = _URL_PASSWORD.sub(rf"\1:{HIDDEN}@", text)
        return _KEYWORD_PASSWORD.sub(rf"\1\2{HIDDEN}", text)

    @property
    def given(self) -> frozenset[bytes]:
        """What must not be found anywhere, as UTF-8: the values given out that are long enough to be searched for."""
        return frozenset(value.encode() for value in self._given.copy() if len(value) >= _SHORTEST)

    def _check(self, reference: str) -> None:
        if self._allowed is None:
            return
        for one in self._allowed():
            # `*` stands for a rest without steps upward: files are looked for below the secrets folder by their real path.
            if reference == one or (one.endswith("*") and reference.startswith(one[:-1]) and ".." not in reference):
                return
        raise NotAllowed(
            f"secret {reference} is none of this project's; the installation's operator allows it with "
            "`controlroom secret allow`",
            {"reference": reference},
        )

    def _from_resolver(self, reference: str, kind: str, name: str) -> str:
        value = resolvers()[kind].load()(self._home, name)
        if not value:
            raise SecretMissing(f"secret {reference} is not known to the resolver {kind}", {"reference": reference})
        return str(value)

    def _from_environment(self, reference: str, name: str) -> str:
        variable = f"CONTROLROOM_SECRET_{name}"
        if value := self._environment.get(variable):
            return value
        raise SecretMissing(f"secret {reference} is not set; export {variable}", {"reference": reference})

    def _from_file(self, reference: str, name: str) -> str:
        folder = self._folder.resolve()
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            raise BadInput(f"secret reference {reference} leads out of the secrets folder; name a file inside it")
        try:
            # Editors end a file with a newline; a secret that really ends with one is not known to exist.
            value = path.read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SecretMissing(
                f"secret {reference} cannot be read: {type(error).__name__}; write it to secrets/{name} in the home",
                {"reference": reference},
            ) from None
        if not value:
            raise SecretMissing(
                f"secret {reference} is empty; write the value to secrets/{name}", {"reference": reference}
            )
        return value

    def _remember(self, value: str) -> None:
        """Also as it stands in JSON, in a ``repr`` and in an address; and each line: what comes out is read by lines."""
        lines = [line.strip() for line in value.splitlines()]
        for text in (value, *(line for line in lines if len(line) >= _SHORTEST_LINE)):
            self._given.update(
                (
                    text,
                    json.dumps(text)[1:-1],
                    json.dumps(text, ensure_ascii=False)[1:-1],
                    repr(text)[1:-1],
                    quote(text, ""),
                )
            )

    def _remember_password(self, value: str) -> None:
        """Drivers quote parts of an address in their messages: the password in it is a secret by itself."""
        for password in _passwords(value):
            self._remember(password)
            self._remember(unquote(password))


def _passwords(value: str) -> Iterator[str]:
    """Of an address as a URL, and of one in libpq's keywords."""
    try:
        if "://" in value and (password := urlsplit(value).password):
            yield password
    except ValueError:
        return
    if "=" in value:
        for match in _KEYWORD_PASSWORD.finditer(value):
            yield match[3].strip("'\"")
