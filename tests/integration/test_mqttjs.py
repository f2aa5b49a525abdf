# SPDX-License-Identifier: MIT
"""The contract as MQTT.js sees it, over TCP and WebSocket (tests/node/chat.mjs)."""
import os
import pathlib
import shutil
import subprocess

import pytest
import yaml

NODE_TESTS = pathlib.Path(__file__).resolve().parents[1] / "node"


@pytest.fixture(scope="module")
def run_node():
    """Runs one file of tests."""
    if shutil.which("node") is None or not (NODE_TESTS / "node_modules" / "mqtt").is_dir():
        pytest.fail("node or its modules are missing: ./banter test installs them")

    def run(name, **environment):
        done = subprocess.run(["node", "--test", name], cwd=NODE_TESTS, text=True,
                              capture_output=True, timeout=180, check=False,
                              env={**os.environ, **environment})
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
        assert "# fail 0" in done.stdout
    return run


def test_the_served_openapi_is_the_documented_one(banter):
    """Clients may fetch it from the server."""
    served = banter.request("GET", "/v1/openapi.json").ok()
    with open(NODE_TESTS.parents[1] / "schema" / "openapi.yaml", encoding="utf-8") as file:
        assert served == yaml.safe_load(file)


def test_mqttjs(banter, run_node):
    run_node("chat.mjs", BANTER_HTTP=banter.http, BANTER_MQTT=banter.address(),
             BANTER_WS=banter.ws)
