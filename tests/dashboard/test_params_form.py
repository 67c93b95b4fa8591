"""The form of a pipeline's parameters: each is asked for as its spec types it, and what was not given is not made up."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def asked() -> None:
    import streamlit as st

    from dashboard.components.params import typed
    from pipelines.spec import Param

    params = {
        "batch": Param(type="integer", description="rows at a time"),
        "tries": Param(type="integer", default=3),
        "far": Param(type="integer", default=2**60),
        "share": Param(type="number", default=0.001),
        "full": Param(type="boolean"),
        "dry": Param(type="boolean", default=False),
        "day": Param(type="date"),
        "size": Param(type="choice", choices=["s", "l"]),
    }
    st.session_state["given"] = typed(params, "of")


def test_what_nobody_gave_is_left_out_and_defaults_stand_as_they_are() -> None:
    page = AppTest.from_function(asked).run()
    assert not page.exception
    assert page.session_state["given"] == {"tries": "3", "far": str(2**60), "share": "0.001", "dry": "false"}
    assert page.number_input(key="param_of_batch").help == "rows at a time"


def test_what_is_typed_comes_out_as_the_text_that_a_run_is_started_with() -> None:
    page = AppTest.from_function(asked).run()
    page.number_input(key="param_of_batch").set_value(1_000_000)
    page.selectbox(key="param_of_full").select("false")
    page.checkbox(key="param_of_dry").check()
    page.selectbox(key="param_of_size").select("l")
    page.run()
    given = page.session_state["given"]
    assert (given["batch"], given["full"], given["dry"], given["size"]) == ("1000000", "false", "true", "l")
