"""Who signed, and on what it is repeated: signatures of Ed25519, another target, files of older versions."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import thermoc as tc
from thermoc.certificates import recheck
from thermoc.certificates.document import digest

ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")


MODEL = """
import numpy as np
import thermoc as tc
with tc.Network("sample", dt=0.3) as net:
    tc.output("m", tc.memory(np.array([0.0, 0.5]), 0.7, 1.3))
"""


def keys(folder: Path, name: str) -> tuple[Path, Path]:
    """Write a private key and its public part."""
    private = ed25519.Ed25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    secret, public = folder / f"{name}.key", folder / f"{name}.pub"
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(private.private_bytes(pem, form, serialization.NoEncryption()))
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(private.public_key().public_bytes(pem, form))
    return secret, public


def certificate(ticks: int = 40) -> tc.Certificate:
    with tc.Network("memory", dt=0.3) as net:
        tc.output("m", tc.memory(np.array([0.0, 0.5]), 0.7, 1.3))
    return tc.certify(tc.compile(net).run(ticks=ticks, batch=4, seed=3))


def test_a_signature_says_who(tmp_path: Path):
    secret, public = keys(tmp_path, "mine")
    _, others = keys(tmp_path, "other")
    certificate().save(tmp_path / "c.json", key=secret)
    assert recheck(tmp_path / "c.json", key=public).laws
    assert recheck(tmp_path / "c.json").laws  # a signature is checked where there is one
    with pytest.raises(tc.ThermocError, match=r"T407.*signed with another key"):
        recheck(tmp_path / "c.json", key=others)


def test_what_is_not_signed_is_not_taken_for_signed(tmp_path: Path):
    _, public = keys(tmp_path, "mine")
    certificate().save(tmp_path / "c.json")
    with pytest.raises(tc.ThermocError, match=r"T407.*is not signed"):
        recheck(tmp_path / "c.json", key=public)


@pytest.mark.parametrize("change", ["a law", "the signature", "the key"])
def test_a_signature_is_of_one_certificate(tmp_path: Path, change: str):
    secret, _ = keys(tmp_path, "mine")
    other, _ = keys(tmp_path, "other")
    certificate(41).save(tmp_path / "other.json", key=other)
    certificate().save(tmp_path / "c.json", key=secret)
    document, wrong = (json.loads((tmp_path / name).read_text()) for name in ("c.json", "other.json"))
    if change == "a law":
        document["laws"][1]["samples"] += 1
        document["sha256"] = digest(document)
    else:
        name = {"the signature": "signature", "the key": "key"}[change]
        document["signature"][name] = wrong["signature"][name]
    (tmp_path / "c.json").write_text(json.dumps(document))
    with pytest.raises(tc.ThermocError, match=r"T407.*signature is not of it"):
        recheck(tmp_path / "c.json")


def test_a_file_that_is_no_key_is_refused(tmp_path: Path):
    _, public = keys(tmp_path, "mine")
    (tmp_path / "x.key").write_text("a key")
    for wrong in (tmp_path / "x.key", tmp_path / "none.key", public):
        with pytest.raises(tc.ThermocError, match=r"T404.*no Ed25519 key"):
            certificate().save(tmp_path / "c.json", key=wrong)
    assert not (tmp_path / "c.json").exists()


def test_another_target_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    certificate().save(tmp_path / "c.json")
    assert recheck(tmp_path / "c.json", on="onnx").document["target"] == "onnx"
    with pytest.raises(tc.ThermocError, match="T302"):
        recheck(tmp_path / "c.json", on="abacus")
    module = sys.modules["thermoc.certificates.recheck"]  # the package has a function of this name
    monkeypatch.setattr(module, "_near", lambda array, other: False)
    with pytest.raises(tc.ThermocError, match=r"T407.*its run on onnx is another"):
        recheck(tmp_path / "c.json", on="onnx")


@pytest.mark.slow
def test_keys_of_openssl_are_read(tmp_path: Path):
    secret = tmp_path / "a.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", secret], check=True)
    with open(tmp_path / "a.pub", "w") as public:
        subprocess.run(["openssl", "pkey", "-in", secret, "-pubout"], check=True, stdout=public)
    certificate().save(tmp_path / "c.json", key=secret)
    assert recheck(tmp_path / "c.json", key=tmp_path / "a.pub").laws


def test_the_command_line_signs_and_asks_who_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from cli.shell import app
    from typer.testing import CliRunner

    secret, public = keys(tmp_path, "mine")
    monkeypatch.chdir(tmp_path)
    certificate_ = "sample.certificate.json"
    Path("net.py").write_text(MODEL)
    run = ["run", "net.py:net", "--ticks", "40", "--certify", "--sign", str(secret)]
    CliRunner().invoke(app, run)
    assert json.loads(Path(certificate_).read_text())["signature"]
    done = CliRunner().invoke(app, ["certify", certificate_, "--key", str(public), "--on", "onnx"])
    assert "and on onnx too" in done.output and "signed by" in done.output
    done = CliRunner().invoke(app, [*run[:4], "--sign", str(secret)])
    assert done.exit_code == 1 and "T404" in str(done.output) + str(done.exception)
