"""PostgreSQL that speaks TLS, with certificates made for the purpose."""

from __future__ import annotations

import asyncio
import datetime
import ssl
import struct
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
NAME = "localhost"
"""The only host that the server's certificate is for: not its number."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """A server's, and the root that vouches for it."""

    root: Path
    certificate: Path
    key: Path


def make_certificates(directory: Path) -> Certificates:
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Root", root_key.public_key(), "Root", root_key, is_root=True)
    certificate = _certificate(NAME, key.public_key(), "Root", root_key, is_root=False)
    made = Certificates(directory / "root.crt", directory / "server.crt", directory / "server.key")
    made.root.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made


def _certificate(
    name: str, key: ec.EllipticCurvePublicKey, issuer: str, signer: ec.EllipticCurvePrivateKey, *, is_root: bool
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
    )
    if not is_root:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def binaries_with_tls() -> Path | None:
    """Those of an installed PostgreSQL that has TLS; the package's own has none."""
    for binaries in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        built = subprocess.run([binaries / "pg_config", "--configure"], capture_output=True, text=True, check=True)
        if (binaries / "initdb").exists() and ("--with-openssl" in built.stdout or "--with-ssl=" in built.stdout):
            return binaries
    return None


@dataclass(slots=True)
class TlsFront:
    """Ends TLS in front of a server that has none, as poolers and balancers do."""

    url: str
    context: ssl.SSLContext
    _ends: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.append(writer)
        if await reader.read(len(SSL_REQUEST)) != SSL_REQUEST:
            writer.close()  # without TLS nobody is let in
            return
        writer.write(b"S")
        try:
            await writer.start_tls(self.context)
        except (OSError, ssl.SSLError):
            return  # our certificate was not good enough
        address = urlsplit(self.url)
        assert address.hostname is not None
        far_reader, far_writer = await asyncio.open_connection(address.hostname, address.port)
        self._ends.append(far_writer)
        await asyncio.gather(_pass_on(reader, far_writer), _pass_on(far_reader, writer))

    def close(self) -> None:
        for end in self._ends:
            end.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # A connection that was cut has nothing more to say.
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def tls_front(url: str, certificates: Certificates) -> AsyncIterator[int]:
    """Yields its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    front = TlsFront(url, context)
    server = await asyncio.start_server(front.connect, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        front.close()
        await server.wait_closed()
