#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The OCI distribution spec 1.1 asked of a live registry over HTTP, rule by rule, in the order of its conformance suite: pull, push, content
discovery, content management. builder/cache_server/registry/conformance.md is the table of rules: each test that it names has to exist, and
each case here has to stand in it.

    registry_conformance.py --mybuild BINARY --work DIR     against a `mybuild serve` of its own
    registry_conformance.py --registry HOST:PORT [--token T] --repository NAME     against any other: what it does not pass is listed"""
import argparse
import json
import os
import re
import sys
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from cache_server_client import Client, sha, start  # noqa: E402

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TABLE = os.path.join(CHECKOUT, "builder/cache_server/registry/conformance.md")
MANIFEST, INDEX = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"
OCTETS, NOWHERE = {"Content-Type": "application/octet-stream"}, sha("what nobody has pushed")
cases = {}


def case(function):
    cases[function.__name__] = function
    return function


class Registry:
    """Words for what the suite does. Each case has a repository of its own."""

    def __init__(self, address, token, repository):
        self.address, self.token, self.root = address, token, repository
        self.client, self.base = None, ""

    def begin(self, name):
        self.client = Client(self.address, self.token)
        self.base = f"/v2/{self.root}/{name.replace('_', '-')}"

    def ask(self, method, path, body=None, headers=None, want=None):
        """`path` in the repository, or as an answer gave it."""
        target = path if path.startswith("/") else f"{self.base}/{path}"
        accept = {"Accept": f"{MANIFEST}, {INDEX}"} if "/manifests/" in target else {}
        status, got, text = self.client.ask(method, target, body, {**accept, **(headers or {})})
        if want:
            assert status in (want if isinstance(want, tuple) else (want,)), f"{method} {target}: {status}, not {want}: {text[:200]!r}"
        if status >= 400 and method != "HEAD" and text:
            assert got["content-type"].startswith("application/json"), f"{method} {target}: an error of {got['content-type']}"
            errors = json.loads(text)["errors"]
            assert errors and all(re.fullmatch("[A-Z_]+", each["code"]) for each in errors), f"{method} {target}: {errors}"
        return got, text

    def code(self, method, path, body=None, headers=None, want=None):
        return json.loads(self.ask(method, path, body, headers, want)[1])["errors"][0]["code"]

    def begin_upload(self):
        return self.here(self.ask("POST", "blobs/uploads/", b"", want=202)[0]["location"])

    @staticmethod
    def here(location):
        """May be absolute or relative, and have a query."""
        return re.sub("^https?://[^/]*", "", location)

    @staticmethod
    def with_digest(location, digest):
        return f"{location}{'&' if '?' in location else '?'}digest={digest}"

    def push(self, data):
        location = self.with_digest(self.begin_upload(), sha(data))
        got, _ = self.ask("PUT", location, data, OCTETS, want=201)
        return self.here(got["location"])

    def image(self, layer=b"a layer", **more):
        """Pushes what it names; the text of its manifest."""
        blobs = [b"{}"] + ([layer] if layer is not None else [])
        for data in blobs:
            self.push(data)
        parts = [{"mediaType": kind, "digest": sha(data), "size": len(data)} for kind, data in
                 zip(("application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar"), blobs)]
        return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": parts[0], "layers": parts[1:], **more}, indent=1).encode()

    def put(self, reference, text, kind=MANIFEST, want=201):
        return self.ask("PUT", f"manifests/{reference}", text, {"Content-Type": kind}, want)[0]

    def tags(self, query=""):
        got, text = self.ask("GET", "tags/list" + query, want=200)
        return json.loads(text)["tags"], got

    def referrers(self, digest, query=""):
        got, text = self.ask("GET", f"referrers/{digest}{query}", want=200)
        assert got["content-type"] == INDEX, got
        index = json.loads(text)
        assert index["schemaVersion"] == 2 and index["mediaType"] == INDEX, index
        return index["manifests"], got

    def refer_to(self, subject, **more):
        text = self.image(None, subject={"mediaType": MANIFEST, "digest": subject, "size": 1}, **more)
        assert self.put(sha(text), text)["oci-subject"] == subject, "OCI-Subject"
        return text


# --- pull ------------------------------------------------------------------------------------------------------------------

@case
def the_base_address_answers(r):
    r.ask("GET", "/v2/", want=200)
    r.ask("PUT", "/v2/", b"", want=(404, 405))


@case
def blobs_that_are_not_there(r):
    r.ask("HEAD", f"blobs/{NOWHERE}", want=404)
    assert r.code("GET", f"blobs/{NOWHERE}", want=404) in ("BLOB_UNKNOWN", "NAME_UNKNOWN")


@case
def blobs_come_as_they_were_pushed(r):
    data = bytes(range(256)) * 500
    location = r.push(data)
    for path in (location, f"blobs/{sha(data)}"):
        got, text = r.ask("GET", path, want=200)
        assert text == data and got.get("docker-content-digest", sha(data)) == sha(data), got
        got, text = r.ask("HEAD", path, want=200)
        assert int(got["content-length"]) == len(data) and not text, got


@case
def blobs_come_in_parts(r):
    data = bytes(range(256)) * 5
    r.push(data)
    for wanted, part in (("100-199", data[100:200]), ("1000-", data[1000:]), ("-5", data[-5:]), ("0-0", data[:1])):
        got, text = r.ask("GET", f"blobs/{sha(data)}", headers={"Range": "bytes=" + wanted}, want=206)
        assert text == part and got["content-range"].endswith(f"/{len(data)}"), (wanted, got)
    r.ask("GET", f"blobs/{sha(data)}", headers={"Range": "bytes=5000-"}, want=416)


@case
def manifests_that_are_not_there(r):
    for reference in (NOWHERE, ".INVALID_MANIFEST_NAME", "none"):
        r.ask("HEAD", f"manifests/{reference}", want=404)
        r.ask("GET", f"manifests/{reference}", want=404)


@case
def manifests_come_as_they_were_pushed(r):
    text = r.image()
    location = r.here(r.put("v1", text)["location"])
    for path in ("manifests/v1", f"manifests/{sha(text)}", location):
        got, back = r.ask("GET", path, want=200)
        assert back == text, "byte for byte"
        assert got["content-type"] == MANIFEST and got.get("docker-content-digest", sha(text)) == sha(text), got
        got, _ = r.ask("HEAD", path, want=200)
        assert int(got["content-length"]) == len(text) and got["content-type"] == MANIFEST, got


@case
def a_digest_that_is_none_is_a_bad_request(r):
    for bad in ("sha256:totallywrong", "sha256:" + "A" * 64, "sha256:"):
        assert r.code("GET", f"blobs/{bad}", want=400) == "DIGEST_INVALID"
    r.image()
    assert r.code("PUT", "manifests/sha256:totallywrong", b"{}", {"Content-Type": MANIFEST}, want=400) == "DIGEST_INVALID"


@case
def names_and_tags_have_a_grammar(r):
    text = r.image()
    for tag in ("a", "_", "A" * 128, "v1.2-3_x"):
        r.put(tag, text)
    for tag in (".a", "-a", "a" * 129, "a%2bb"):
        r.ask("PUT", f"manifests/{tag}", text, {"Content-Type": MANIFEST}, want=(400, 404))
    for name in ("Upper", "a..b", "a%20b", "-a", "a/"):
        assert r.code("GET", f"/v2/{name}/tags/list", want=(400, 404)) in ("NAME_INVALID", "NAME_UNKNOWN"), name


# --- push ------------------------------------------------------------------------------------------------------------------

@case
def uploads_may_be_a_stream(r):
    upload = r.begin_upload()
    got, _ = r.ask("PATCH", upload, iter([b"one ", b"stream"]), OCTETS, want=202)
    assert got["range"] == "0-9", got
    got, _ = r.ask("PUT", r.with_digest(r.here(got["location"]), sha("one stream")), b"", want=201)
    assert r.ask("GET", r.here(got["location"]), want=200)[1] == b"one stream"


@case
def uploads_may_be_one_post(r):
    got, _ = r.ask("POST", f"blobs/uploads/?digest={sha('at once')}", b"at once", OCTETS, want=(201, 202))
    if "uploads" not in got["location"]:
        assert r.ask("GET", r.here(got["location"]), want=200)[1] == b"at once"


@case
def uploads_may_be_a_post_and_a_put(r):
    r.ask("HEAD", f"blobs/{sha('monolithic')}", want=404)
    assert r.ask("GET", r.push(b"monolithic"), want=200)[1] == b"monolithic"


@case
def uploads_of_other_bytes_are_refused(r):
    assert r.code("PUT", r.with_digest(r.begin_upload(), sha("this")), b"that", OCTETS, want=400) == "DIGEST_INVALID"
    r.ask("HEAD", f"blobs/{sha('this')}", want=404)
    r.ask("PUT", r.begin_upload(), b"without a digest", OCTETS, want=400)


@case
def uploads_come_in_chunks_in_order(r):
    def chunk(place, data, first, want=202):
        return r.ask("PATCH", place, data, {**OCTETS, "Content-Range": f"{first}-{first + len(data) - 1}"}, want)[0]
    upload = r.begin_upload()
    assert chunk(upload, b"67890", 5, 416)["range"] == "0-0", "the second comes first"
    got = chunk(upload, b"12345", 0)
    assert got["range"] == "0-4", got
    chunk(r.here(got["location"]), b"12345", 0, 416)
    got, _ = r.ask("GET", r.here(got["location"]), want=204)
    assert got["range"] == "0-4", got
    got = chunk(r.here(got["location"]), b"67890", 5)
    assert got["range"] == "0-9", got
    last = r.with_digest(r.here(got["location"]), sha("1234567890abc"))
    got, _ = r.ask("PUT", last, b"abc", {**OCTETS, "Content-Range": "10-12"}, want=201)
    assert r.ask("GET", r.here(got["location"]), want=200)[1] == b"1234567890abc"


@case
def uploads_can_be_cancelled(r):
    upload = r.begin_upload()
    r.ask("DELETE", upload, want=(202, 204))
    assert r.code("PUT", r.with_digest(upload, sha("x")), b"x", OCTETS, want=404) == "BLOB_UPLOAD_UNKNOWN"


@case
def blobs_are_mounted_from_other_repositories(r):
    r.push(b"mounted")
    source = r.base[len("/v2/"):]
    r.base += "-2"
    got, _ = r.ask("POST", f"blobs/uploads/?mount={sha('mounted')}&from={source}", b"", want=201)
    assert r.here(got["location"]) == f"{r.base}/blobs/{sha('mounted')}", got
    assert r.ask("GET", r.here(got["location"]), want=200)[1] == b"mounted"


@case
def a_mount_that_cannot_be_is_an_upload(r):
    got, _ = r.ask("POST", f"blobs/uploads/?mount={NOWHERE}&from={r.root}/nowhere", b"", want=202)
    r.ask("PUT", r.with_digest(r.here(got["location"]), sha("instead")), b"instead", OCTETS, want=201)
    r.ask("POST", f"blobs/uploads/?mount={sha('instead')}", b"", want=(201, 202))


@case
def manifests_may_have_no_layers(r):
    r.put("empty", r.image(None))


@case
def manifests_may_have_any_config_and_fields(r):
    text = json.loads(r.image())
    text["config"]["mediaType"], text["artifactType"], text["x-unknown"] = "application/vnd.none.of.ours", "application/vnd.art", [1]
    back = json.dumps(text).encode()
    r.put("artifact", back)
    assert r.ask("GET", "manifests/artifact", want=200)[1] == back


@case
def manifests_of_missing_blobs_are_refused(r):
    text = json.loads(r.image())
    text["layers"].append({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": NOWHERE, "size": 3})
    assert r.code("PUT", "manifests/v1", json.dumps(text), {"Content-Type": MANIFEST}, want=(400, 404)) == "MANIFEST_BLOB_UNKNOWN"


@case
def manifests_that_are_none_are_refused(r):
    r.push(b"{}")
    for text in ("", "nonsense", "[]", "{}", '{"schemaVersion": 2, "mediaType": "text/plain"}'):
        assert r.code("PUT", "manifests/v1", text, {"Content-Type": MANIFEST}, want=400) == "MANIFEST_INVALID", text


@case
def manifests_may_be_four_mebibytes(r):
    text = json.loads(r.image())
    text["annotations"] = {"filler": "x" * ((4 << 20) - len(json.dumps(text)) - 100)}
    r.put("large", json.dumps(text))
    text["annotations"]["filler"] += "x" * 4096
    r.put("larger", json.dumps(text), want=413)


@case
def indexes_are_manifests(r):
    text = r.image()
    r.put(sha(text), text)
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [{"mediaType": MANIFEST, "digest": sha(text), "size": len(text)}]}).encode()
    r.put("index", index, INDEX)
    got, back = r.ask("GET", "manifests/index", want=200)
    assert back == index and got["content-type"] == INDEX, got


@case
def a_tag_moves_with_each_push(r):
    first, second = r.image(), r.image(annotations={"of": "the second"})
    r.put("v1", first)
    r.put("v1", second)
    assert r.ask("GET", "manifests/v1", want=200)[1] == second
    assert r.ask("GET", f"manifests/{sha(first)}", want=200)[1] == first


# --- content discovery -----------------------------------------------------------------------------------------------------

@case
def tags_are_listed_in_order_and_in_pages(r):
    text = r.image()
    for tag in ("test3", "TEST1", "test1", "a", "test0"):
        r.put(tag, text)
    wanted, got = r.tags()
    assert sorted(wanted) == ["TEST1", "a", "test0", "test1", "test3"] and "link" not in got, (wanted, got)
    assert wanted in (sorted(wanted), sorted(wanted, key=lambda tag: (tag.lower(), tag))), "lexical order, with or without case"
    assert r.tags("?last=test0")[0] == wanted[wanted.index("test0") + 1:]
    seen, query = [], "?n=2"
    while query:
        page, got = r.tags(query)
        assert len(page) <= 2, page
        seen += page
        link = got.get("link", "")
        assert not link or link.endswith('>; rel="next"'), link
        query = "?" + link[1:link.index(">")].split("?")[1] if link else ""
    assert seen == wanted, seen
    assert r.tags("?n=0")[0] == [] and "link" not in r.tags("?n=0")[1]
    assert r.code("GET", "/v2/" + r.root + "/nothing/tags/list", want=404) == "NAME_UNKNOWN"


@case
def who_refers_to_nothing_known_is_listed(r):
    assert r.referrers(NOWHERE)[0] == []
    text = r.refer_to(NOWHERE, artifactType="application/vnd.sig")
    assert [each["digest"] for each in r.referrers(NOWHERE)[0]] == [sha(text)]


@case
def referrers_are_described(r):
    subject = r.image()
    r.put("v1", subject)
    signature = r.refer_to(sha(subject), artifactType="application/vnd.sig", annotations={"of": "me"})
    by_config = r.refer_to(sha(subject))
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "subject": {"mediaType": MANIFEST, "digest": sha(subject), "size": 1}})
    assert r.put(sha(index), index, INDEX)["oci-subject"] == sha(subject)
    found = {each["digest"]: each for each in r.referrers(sha(subject))[0]}
    assert found.keys() == {sha(signature), sha(by_config), sha(index)}, found
    assert found[sha(signature)] == {"mediaType": MANIFEST, "digest": sha(signature), "size": len(signature), "artifactType": "application/vnd.sig",
                                     "annotations": {"of": "me"}}
    assert found[sha(by_config)]["artifactType"] == "application/vnd.oci.image.config.v1+json"
    assert "artifactType" not in found[sha(index)] and found[sha(index)]["mediaType"] == INDEX
    some, got = r.referrers(sha(subject), "?artifactType=application/vnd.sig")
    assert [each["digest"] for each in some] == [sha(signature)] and got["oci-filters-applied"] == "artifactType", got
    r.ask("GET", "referrers/nonsense", want=400)


# --- content management ----------------------------------------------------------------------------------------------------

@case
def a_tag_is_deleted_alone(r):
    text = r.image()
    r.put("v1", text)
    r.put("v2", text)
    r.ask("DELETE", "manifests/v1", want=202)
    r.ask("GET", "manifests/v1", want=404)
    r.ask("DELETE", "manifests/v1", want=404)
    assert r.tags()[0] == ["v2"] and r.ask("GET", f"manifests/{sha(text)}", want=200)[1] == text


@case
def a_manifest_is_deleted_with_its_tags(r):
    text, other = r.image(), r.image(annotations={"other": ""})
    r.put("v1", text)
    r.put("other", other)
    signature = r.refer_to(sha(text))
    r.ask("DELETE", f"manifests/{sha(text)}", want=202)
    for reference in ("v1", sha(text)):
        r.ask("GET", f"manifests/{reference}", want=404)
    r.ask("DELETE", f"manifests/{sha(text)}", want=404)
    assert r.tags()[0] == ["other"]
    assert len(r.referrers(sha(text))[0]) == 1, "what refers to it stays"
    r.ask("DELETE", f"manifests/{sha(signature)}", want=202)
    assert r.referrers(sha(text))[0] == []


@case
def a_blob_is_deleted(r):
    r.push(b"to be deleted")
    r.ask("DELETE", f"blobs/{sha('to be deleted')}", want=202)
    r.ask("GET", f"blobs/{sha('to be deleted')}", want=404)
    r.ask("DELETE", f"blobs/{sha('to be deleted')}", want=404)


@case
def a_method_that_is_not_meant_is_unsupported(r):
    for path in (f"blobs/{NOWHERE}", "manifests/v1", "tags/list", f"referrers/{NOWHERE}"):
        assert r.code("POST", path, b"", want=405) == "UNSUPPORTED", path


# --- the table -------------------------------------------------------------------------------------------------------------

def faults_of_table():
    """What it names and there is not, and the cases that it does not name."""
    with open(TABLE, encoding="utf-8") as file:
        named = set(re.findall(r"`(\w+[.]\w+)`", file.read()))
    known = {"walk." + name for name in cases}
    for folder in ("cache_server", "cache_server_http", "cache_service"):
        for name in os.listdir(os.path.join(CHECKOUT, "tests", folder)):
            with open(os.path.join(CHECKOUT, "tests", folder, name), encoding="utf-8") as file:
                known |= {".".join(pair) for pair in re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", file.read(), re.M)}
    known |= {"e2e." + name[:-3] for name in os.listdir(os.path.join(CHECKOUT, "tests/e2e"))}
    return [f"the table names {name}, which there is not" for name in sorted(named - known)] + \
           [f"{name} does not stand in the table" for name in sorted(known - named) if name.startswith("walk.")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--mybuild", "--work", "--registry", "--token"):
        parser.add_argument(name, default="")
    parser.add_argument("--repository", default="main/conformance")
    options = parser.parse_args()
    process, faults = None, [] if options.registry else faults_of_table()
    address, token = options.registry, options.token
    if not address:
        process, address, token = start(options.mybuild, os.path.join(options.work, "conformance-root"))
    registry = Registry(address, token, options.repository)
    for name, function in cases.items():
        registry.begin(name)
        try:
            function(registry)
        except Exception as error:  # of one rule; the others count all the same
            line = traceback.extract_tb(error.__traceback__)[1].lineno
            faults.append(f"{name}, line {line}: {type(error).__name__} {error}")
    if process:
        process.terminate()
        process.wait(10)
    print("\n".join(faults))
    print(f"registry conformance, {len(cases)} cases: {len(faults)} wrong")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
