"""One population for all who try; each test ends with the population as it was."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import psycopg
import pytest

from tests.attack.population import Population, populate
from tests.attack.tally import Tally
from tests.postgres import Databases


@pytest.fixture(scope="package")
def population(databases: Databases, template: str) -> Iterator[Population]:
    with databases.clone(template) as url:
        yield populate(url)


@pytest.fixture
def tally(population: Population, request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Counts the attempts of a test, and afterwards looks whether any of them changed anything."""
    with psycopg.connect(population.url, autocommit=True) as owner:
        kept = Tally(owner)
        before = kept.everything()
        yield kept
        after = kept.everything()
    changed = [table for table in before if before[table] != after[table] and table not in kept.allowed]
    said = f"{request.node.name}: {kept.attempts:,} attempts, {len(kept.leaks)} leaks, {len(changed)} changed tables"
    sys.stderr.write(f"\n{said}\n")
    assert not kept.leaks, "\n".join(kept.leaks[:20])
    assert changed == []
