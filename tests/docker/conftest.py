# SPDX-License-Identifier: MIT
"""Fixtures of the Docker tests: images built once, one stack for all tests of a module.

They use the clients of tests/integration/support, with a Stack in the place of a System. The engine
is whatever `docker` reaches; scripts/lib/docker.sh sees to that there is one.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

from stack import (  # noqa: E402 (after the path is set)
    IMAGES, Stack, build_images, docker, remove_images)


@pytest.fixture(scope="session")
def images():
    """Version (tag) of the images of this run, built from this checkout."""
    version = build_images()
    yield version
    remove_images(version)


@pytest.fixture(scope="session")
def next_version(images):
    """Tag of another version of the same images."""
    version = f"{images}-next"
    for image in IMAGES:
        docker("build", "--tag", f"{image}:{version}", "--label",
               f"org.opencontainers.image.version={version}", "-",
               input=f"FROM {image}:{images}\n")
    yield version
    remove_images(version)


@pytest.fixture(scope="module")
def node(images):
    """A node of this module's own, healthy; a test that hurts it must leave it running."""
    stack = Stack(images)
    try:
        stack.up()
        yield stack
    finally:
        stack.close()


@pytest.fixture(scope="module")
def certificates():
    """A directory with a certificate for 127.0.0.1 that signs itself, and its key."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="banter-test-tls-", dir="/tmp"))
    directory.chmod(0o755)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=banter", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", directory / "privkey.pem", "-out", directory / "fullchain.pem"],
        check=True, capture_output=True, timeout=60)
    (directory / "privkey.pem").chmod(0o644)
    yield directory
    shutil.rmtree(directory)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    stack = item.funcargs.get("node") if hasattr(item, "funcargs") else None
    if report.failed and stack is not None:
        report.sections.append(("Logs of the containers", stack.logs()))
