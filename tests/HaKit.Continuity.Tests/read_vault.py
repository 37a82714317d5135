"""Restores the newest snapshot of a vault of format 1, independently of HaKit: read_vault.py FOLDER KEY_1_IN_BASE64 TARGET."""
import base64, hashlib, hmac, json, os, struct, sys
import brotli
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives import hashes

place, secret, target = sys.argv[1], base64.b64decode(sys.argv[2]), sys.argv[3]
key = AESGCM(HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"HaKit vault 1 seal").derive(secret))


def read(name):
    with open(os.path.join(place, name), "rb") as f:
        sealed = f.read()
    assert sealed[:3] == b"HV\x01" and struct.unpack("<I", sealed[4:8])[0] == int(name.rsplit(".", 1)[1]), name
    plain = key.decrypt(sealed[8:20], sealed[20:], name.encode() + sealed[:8])
    return brotli.decompress(plain) if sealed[3] & 1 else plain


id_key = base64.b64decode(json.loads(read("k/check.1"))["idKey"])


def verified(kind, object_id):
    plain = read(f"{kind}/{object_id}.1")
    assert hmac.new(id_key, kind.encode() + plain, hashlib.sha256).hexdigest() == object_id, object_id
    return plain


manifests = [json.loads(verified("s", n.rsplit(".", 1)[0])) for n in os.listdir(os.path.join(place, "s"))]
manifest = max(manifests, key=lambda m: m["number"])
for entry in manifest["entries"]:
    path = os.path.join(target, entry["path"])
    os.makedirs(path if entry.get("isFolder") else os.path.dirname(path), exist_ok=True)
    if "link" in entry:
        os.symlink(entry["link"], path)
    elif not entry.get("isFolder"):
        extents = entry.get("extents", [])
        with open(path, "wb") as f:
            for chunk, offset, length in zip(extents[::3], extents[1::3], extents[2::3]):
                f.write(verified("c", manifest["chunks"][chunk])[offset:offset + length])
