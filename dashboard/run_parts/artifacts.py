"""What a run stored: links that download, and a look at one of them."""

from __future__ import annotations

import streamlit as st

from dashboard.components.gate import refreshed
from dashboard.components.render import render
from dashboard.data.links import LIFETIME_SECONDS, Named, link
from dashboard.data.source import artifact_store, link_key, person, reads
from dashboard.views.preview import kind_of, part_of, preview
from dashboard.views.words import size
from ops.errors import NotFound, StorageFailed
from ops.model import RunId
from ops.views import ArtifactRow

# Links are made anew long before they are over, however long the page stays open.
LINK_SECONDS = LIFETIME_SECONDS / 4


@refreshed(LINK_SECONDS)
def artifacts(run_id: RunId) -> None:
    who = person()
    rows = reads(who).artifacts(run_id)
    links = {row.artifact_id: link(link_key(), Named(run_id, row.artifact_id, row.sha256), who.subject) for row in rows}
    st.html(render("artifacts", artifacts=[(row, links[row.artifact_id]) for row in rows]))
    shown = {
        f"{row.name} · {row.phase or 'run'} · {size(row.byte_size)}": row for row in rows if kind_of(row) != "none"
    }
    if not shown:
        return
    name = st.selectbox("Look at", list(shown), index=None, key="artifact", placeholder="an artifact")
    if name in shown:
        look(shown[str(name)], links[shown[str(name)].artifact_id])


def look(row: ArtifactRow, address: str) -> None:
    """Some of its bytes. The row was read as the person at the page, so it is theirs to see."""
    data, (first, most) = b"", part_of(row)
    try:
        if most:
            with artifact_store().open(row.uri) as file:
                file.seek(first)
                data = file.read(most)
    except (NotFound, StorageFailed) as error:
        st.warning(f"{error.message} ({error.code})")
        return
    st.html(render("preview", preview=preview(row, data), name=row.name, link=address))
