# SPDX-License-Identifier: MIT
"""A certificate authority of a test's own, and what it signs.

Files are named NAME.pem and NAME.key; keys are closed to all but their owner, to whom the directory
belongs, too."""
import pathlib
import shutil
import subprocess
import tempfile

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    def __init__(self, owner):
        """`owner` as shutil.chown() takes it: who reads the files besides the tests."""
        self._owner = owner
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="banter-test-ca-", dir="/tmp"))
        self.directory.chmod(0o755)
        self._openssl("req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=authority",
                      "-keyout", self.key("ca"), "-out", self.certificate("ca"))
        self._hand_over("ca")

    def certificate(self, name):
        return self.directory / f"{name}.pem"

    def key(self, name):
        return self.directory / f"{name}.key"

    def sign(self, name, common_name, alternative="IP:127.0.0.1"):
        """Makes a key and a certificate. Returns both paths."""
        request, extensions = self.directory / "request", self.directory / "extensions"
        extensions.write_text(f"subjectAltName={alternative}\n")
        self._openssl("req", "-new", *_KEY, "-subj", f"/CN={common_name}",
                      "-keyout", self.key(name), "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.certificate("ca"),
                      "-CAkey", self.key("ca"), "-CAcreateserial", "-days", "2",
                      "-extfile", extensions, "-out", self.certificate(name))
        self._hand_over(name)
        return self.certificate(name), self.key(name)

    def close(self):
        shutil.rmtree(self.directory)

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)

    def _hand_over(self, name):
        self.key(name).chmod(0o600)
        self.certificate(name).chmod(0o644)
        for path in (self.key(name), self.certificate(name)):
            shutil.chown(path, *self._owner)
