"""Settings: typing errors are refused, and what isn't this program's is left alone."""

from __future__ import annotations

import pytest

from kb.errors import SettingsInvalid
from kb.settings import load_settings

# Of a Service that is called kb, in every container beside it.
KUBERNETES = {
    "KB_PORT": "tcp://10.3.0.7:8000",
    "KB_SERVICE_HOST": "10.3.0.7",
    "KB_SERVICE_PORT": "8000",
    "KB_SERVICE_PORT_HTTP": "8000",
    "KB_PORT_8000_TCP": "tcp://10.3.0.7:8000",
    "KB_PORT_8000_TCP_PROTO": "tcp",
    "KB_PORT_8000_TCP_PORT": "8000",
    "KB_PORT_8000_TCP_ADDR": "10.3.0.7",
}


def test_what_kubernetes_sets_for_a_service_of_this_name_is_passed_by() -> None:
    assert load_settings({**KUBERNETES, "KB_THREADS": "3"}) == load_settings({"KB_THREADS": "3"})


@pytest.mark.parametrize("name", ["KB_PORTS", "KB_SERVICE", "KB_SERVICE_HOSTS", "KB_PORT_TCP"])
def test_a_typing_error_is_refused(name: str) -> None:
    with pytest.raises(SettingsInvalid, match=name):
        load_settings({name: "8001"})


@pytest.mark.parametrize("port", ["http", "80a", "0"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(SettingsInvalid, match="KB_PORT"):
        load_settings({"KB_PORT": port})
