# SPDX-License-Identifier: Apache-2.0
"""Certificates made with the openssl command, for a served Weir."""
import ssl
import subprocess


class Authority:
    """A certificate authority in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.ca = folder / "ca.crt"
        self._run("req", "-x509", *self._new_key("ca"), "-out", self.ca, "-subj", "/CN=test CA", "-days", "2",
                  "-addext", "basicConstraints=critical,CA:TRUE")

    def issue(self, name, alternatives="DNS:localhost,IP:127.0.0.1"):
        """Paths of a certificate and its key, named after `name`; those that are there are replaced."""
        certificate, request = self.folder / f"{name}.crt", self.folder / f"{name}.csr"
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternatives}\n")
        self._run("req", *self._new_key(f"{name}"), "-out", request, "-subj", f"/CN={name}")
        self._run("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.folder / "ca.key", "-CAcreateserial",
                  "-extfile", extensions, "-out", certificate, "-days", "2")
        return certificate, self.folder / f"{name}.key"

    def client(self, certificate=None, version=None):
        """What a client needs to trust this authority, and to show its own certificate."""
        context = ssl.create_default_context(cafile=self.ca)
        if certificate:
            context.load_cert_chain(*certificate)
        if version:
            context.minimum_version = context.maximum_version = version
            context.set_ciphers("DEFAULT@SECLEVEL=0")
        return context

    def _new_key(self, name):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.folder / f"{name}.key"

    def _run(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=30)
