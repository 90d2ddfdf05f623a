#!/usr/bin/env python3
"""verify_certificate.py FOLDER [FINGERPRINT] checks a certificate with none of the code that made it: stdlib and openssl.

Exit 0 if the signatures of document, page and checkpoint hold, and the journal entry is that of the document and is included."""
import base64, hashlib, json, pathlib, subprocess, sys, tempfile


def fail(problem):
    sys.exit(f"REFUSED: {problem}")


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def signed(folder, data, signature):
    with tempfile.TemporaryDirectory() as scratch:
        for name, content in (("data", data), ("sig", signature)):
            (pathlib.Path(scratch) / name).write_bytes(content)
        command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", folder / "issuer.pub"]
        command += ["-in", f"{scratch}/data", "-sigfile", f"{scratch}/sig"]
        return subprocess.run(command, capture_output=True).returncode == 0


def root_above(leaf, index, size, siblings):
    hash, last = leaf, size - 1
    for sibling in siblings:
        if index % 2 or index == last:
            hash = sha256(b"\1", sibling, hash)
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            hash = sha256(b"\1", hash, sibling)
        index, last = index // 2, last // 2
    return hash if last == 0 else None


folder = pathlib.Path(sys.argv[1])
document, entry = ((folder / name).read_bytes() for name in ("certificate.json", "certificate.entry.json"))
for name in ("certificate.json", "certificate.html"):
    if not signed(folder, (folder / name).read_bytes(), (folder / f"{name}.sig").read_bytes()):
        fail(f"the signature does not fit {name}")
public = ["openssl", "pkey", "-pubin", "-in", folder / "issuer.pub", "-outform", "DER"]
fingerprint = hashlib.sha256(subprocess.run(public, capture_output=True, check=True).stdout[-32:]).hexdigest()
if len(sys.argv) > 2 and fingerprint != sys.argv[2].removeprefix("sha256:"):
    fail("the key is not the expected one")
event, digest = json.loads(entry), "sha256:" + hashlib.sha256(document).hexdigest()
if event["kind"] != "certificate_issued" or event["digest"] != digest:
    fail("the entry is not that of the document")
head, note = (folder / "certificate.tlog-proof").read_text(encoding="utf-8").split("\n\n", 1)
_, index, *siblings = head.split("\n")
text, signature = note.rsplit("\n\n", 1)
origin, size, root = text.split("\n")[:3]
if not signed(folder, text.encode() + b"\n", base64.b64decode(signature.split()[2])[4:]):
    fail("the signature does not fit the checkpoint")
siblings = map(base64.b64decode, siblings)
if root_above(sha256(b"\0", entry), int(index.removeprefix("index ")), int(size), siblings) != base64.b64decode(root):
    fail("the journal does not include the entry")
print(f"OK {json.loads(document)['outcome']}, entry {index.split()[1]} of {size} in {origin}, key sha256:{fingerprint}")
