"""TAXII 2.1 over a real node, as clients in the field do it."""
import base64
import random
import sys
import threading
import time
import urllib.parse
import uuid

from node import SEED, TLP, Node, Tap, check, equal, eventually, indicator

ROOT = "/taxii2/root/"


class Taxii:
    def __init__(self):
        n = self.n = Node()
        self.rng = random.Random(SEED)
        self.password = n.user("ann", "--role", "publisher")
        self.ann = ("ann", self.password)
        self.token = n.token("t", "--user", "ann", "--scope", "read,write")
        self.reader = n.token("r", "--user", "ann", "--scope", "read")
        self.objects = [indicator(self.rng) for _ in range(250)]
        n.load(self.objects)
        n.start()
        self.c = n.collections(self.token)[0]["id"]
        self.base = ROOT + "collections/%s/" % self.c

    def get(self, path, login=None, **kw):
        return self.n.http("GET", path, login or self.token, **kw)

    def is_error(self, a, status):
        equal(a.status, status, a.body[:100])
        j = a.json()
        check(j.get("title"), "an error has a title")
        equal(j.get("http_status"), str(status))
        check(a.headers["Content-Type"].startswith("application/taxii+json"), "no HTML")

    # -- resources

    def discovery(self):
        for path in ("/taxii2/", "/taxii2"):
            a = self.get(path)
            equal(a.status, 200, repr(a))
            check(a.json()["title"] and a.json()["api_roots"])
            equal(a.headers["Content-Type"], "application/taxii+json;version=2.1")
        j = self.get(ROOT).json()
        check("application/taxii+json;version=2.1" in j["versions"])
        check(isinstance(j["max_content_length"], int) and j["max_content_length"] > 0)
        for c in self.n.collections(self.token):
            check({"id", "title", "can_read", "can_write"} <= set(c))
            uuid.UUID(c["id"])
            equal(self.get(ROOT + "collections/%s/" % c["id"]).json()["id"], c["id"])

    def logins(self):
        pair = lambda u, p: "Basic " + base64.b64encode(("%s:%s" % (u, p)).encode()).decode()
        good = [pair("ann", self.password), "Bearer " + self.token, "Token " + self.token,
                "bearer " + self.token, pair("", self.token), pair("taxii", self.token)]
        bad = [pair("ann", "wrong wrong"), pair("nobody", self.password), "Bearer x",
               "Bearer " + self.token[:-1], "Basic !!!", "Digest abc", "Bearer", ""]
        for h in good:
            equal(self.get(ROOT + "collections/", login="-", headers={"Authorization": h}).status,
                  200, h[:10])
        for h in bad:
            a = self.get(ROOT + "collections/", login="-", headers={"Authorization": h})
            self.is_error(a, 401)
            check("Basic" in a.headers["WWW-Authenticate"], "the challenge")

    def media(self):
        for accept in ("application/json, text/plain, */*", "*/*", None, "application/*",
                       "application/taxii+json; version=2.1", "application/taxii+json",
                       "text/html;q=0.5, application/taxii+json;version=2.1;q=0.1"):
            equal(self.get(self.base + "objects/?limit=1", accept=accept).status, 200, accept)
        for accept in ("text/html", "application/taxii+json;version=2.0",
                       "application/taxii+json;version=2.1;q=0"):
            self.is_error(self.get(self.base + "objects/?limit=1", accept=accept), 406)
        equal(self.get(self.base + "objects/?limit=1",
                       headers={"Content-Type": "text/odd"}).status, 200)

    def methods(self):
        for path, bad in (("objects/", "PUT"), ("manifest/", "POST"), ("", "DELETE")):
            a = self.n.http(bad, self.base + path, self.token)
            self.is_error(a, 405)
            check("GET" in a.headers["Allow"])
        a = self.n.http("HEAD", self.base + "objects/?limit=3", self.token)
        equal((a.status, a.body), (200, b""))

    # -- paging

    def ids(self, found):
        return [o["id"] for o in found]

    def pages(self):
        want = {o["id"] for o in self.objects}
        for limit in (1, 7, 100, 249, 250, 251, 10000):
            got = self.ids(self.n.walk(self.token, self.c, limit))
            equal(len(got), len(set(got)), "repeated at limit %d" % limit)
            check(want <= set(got), "lost at limit %d" % limit)

    def full_while_more(self):
        query = "?limit=100"
        while True:
            a = self.get(self.base + "objects/" + query)
            j = a.json()
            check(a.headers["X-TAXII-Date-Added-First"] and a.headers["X-TAXII-Date-Added-Last"])
            if not j.get("more"):
                break
            equal(len(j["objects"]), 100, "a page is full while there is more")
            query = "?limit=100&next=" + j["next"]
        check("next" not in j or not j["more"])

    def next_alone_and_repeated(self):
        first = self.get(self.base + "objects/?limit=20&match[type]=indicator").json()
        alone = self.get(self.base + "objects/?next=" + first["next"] + "&limit=30").json()
        again = self.get(self.base + "objects/?limit=30&match[type]=indicator&next=" +
                         first["next"]).json()
        equal(self.ids(alone["objects"]), self.ids(again["objects"]))
        equal(len(alone["objects"]), 30, "the limit may change")
        check(all(o["type"] == "indicator" for o in alone["objects"]), "next carries its filters")
        self.is_error(self.get(self.base + "objects/?next=" + first["next"][:-2] + "AA"), 400)
        self.is_error(self.get(self.base + "objects/?next=nonsense"), 400)

    def long_filters(self):
        """What a longest query is given as its next it can bring beside its filters."""
        want = {o["id"] for o in self.objects if o["type"] == "indicator"}
        ids, filters = set(), "match[id]="
        for i in sorted(want):
            if len(filters) + len(i) + 4 * len(ids) > 4000:  # as the limit counts: 4 for each
                break
            filters += i + ","
            ids.add(i)
        check(len(ids) > 50)
        got, next = [], ""
        while True:
            a = self.get(self.base + "objects/?" + filters[:-1] + "&limit=20" + next)
            equal(a.status, 200, a.body[:100])
            got += self.ids(a.json()["objects"])
            if not a.json().get("more"):
                break
            next = "&next=" + a.json()["next"]
        equal(len(got), len(set(got)))
        equal(set(got), ids)

    def added_after(self):
        a = self.get(self.base + "objects/?limit=100")
        last = a.headers["X-TAXII-Date-Added-Last"]
        got = self.ids(a.json()["objects"])
        forms = [last, last[:-1].split(".")[0] + "." + last[:-1].split(".")[1] + "+00:00",
                 urllib.parse.quote(last[:-1] + "+00:00"), last[:-1] + "000Z"]
        for f in forms:
            rest = self.get(self.base + "objects/?limit=10000&added_after=" + f)
            equal(rest.status, 200, f)
            check(not set(self.ids(rest.json()["objects"])) & set(got), "nothing twice: " + f)
        # by dates cut to the millisecond, as clients do, nothing is lost
        seen, after = set(), "1970-01-01T00:00:00Z"
        for _ in range(200):
            p = self.get(self.base + "objects/?limit=37&added_after=" + after)
            objects = p.json().get("objects", [])
            if not objects:
                check(p.headers["X-TAXII-Date-Added-First"] is None, "no dates on an empty page")
                break
            seen |= set(self.ids(objects))
            after = p.headers["X-TAXII-Date-Added-Last"]
        check({o["id"] for o in self.objects} <= seen, "lost when polling by date")
        future = self.get(self.base + "objects/?added_after=2999-01-01T00:00:00Z")
        equal(future.status, 200, repr(future))
        check(isinstance(future.json(), dict), "an empty envelope is well-formed")

    def bad_parameters(self):
        for q in ("limit=0", "limit=-1", "limit=x", "limit=1&limit=2", "added_after=yesterday",
                  "added_after=2026-13-01T00:00:00Z", "match[version]=newest", "next=%00",
                  "limit=1e3"):
            a = self.get(self.base + "objects/?" + q)
            check(400 <= a.status < 500, "%s: %d" % (q, a.status))
            check(a.json().get("title"))
        # empty filters, unknown parameters: passed over
        for q in ("limit=", "match[type]=", "foo=bar", "match[nonsense]=x", "&&&"):
            equal(self.get(self.base + "objects/?" + q).status, 200, q)

    # -- objects

    def versions(self):
        o = indicator(self.rng, when="2026-01-01T00:00:00.000Z")
        times = ["2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z"]
        for t in times:
            self.n.post(self.token, self.c, [dict(o, modified=t)])
        path = self.base + "objects/%s/" % o["id"]
        mod = lambda q: [x["modified"] for x in self.get(path + q).json().get("objects", [])]
        equal(mod(""), times[2:])
        equal(mod("?match[version]=last"), times[2:])
        equal(mod("?match[version]=first"), times[:1])
        equal(sorted(mod("?match[version]=all")), times)
        equal(mod("?match[version]=" + times[1]), times[1:2])
        equal(sorted(mod("?match[version]=first,last")), [times[0], times[2]])
        v = self.get(path + "versions/").json()
        equal(sorted(v["versions"]), times)
        m = [x for x in self.get(self.base + "manifest/?match[version]=all&match[id]=" + o["id"])
             .json()["objects"]]
        equal(sorted(x["version"] for x in m), times)
        equal(mod("?match[spec_version]=2.0"), [])
        self.is_error(self.get(self.base + "objects/indicator--" + str(uuid.uuid4()) + "/"), 404)

    def post_status(self):
        good = [indicator(self.rng) for _ in range(3)]
        a = self.n.post(self.token, self.c, good + [{"type": "indicator", "id": "nonsense"}])
        equal(a.status, 202, repr(a))
        s = a.json()
        equal(s["status"], "complete")
        for what in ("success", "failure", "pending"):
            equal(s[what + "_count"], len(s.get({"success": "successes", "failure": "failures",
                                                 "pending": "pendings"}[what], [])), what)
        equal((s["success_count"], s["failure_count"]), (3, 1))
        check(s["failures"][0]["message"], "why it failed")
        again = self.get(ROOT + "status/%s/" % s["id"])
        equal(again.json()["success_count"], 3)
        equal(self.get(ROOT + "status/%s/" % s["id"], login=self.reader).status, 404)
        self.is_error(self.n.post(self.reader, self.c, good), 403)
        self.is_error(self.n.http("POST", self.base + "objects/", self.token, body=b"x",
                                  headers={"Content-Type": "text/plain"}), 415)
        a = self.n.http("POST", self.base + "objects/", self.token, body=b'{"objects":[',)
        check(a.status in (202, 400, 422), repr(a))
        bundle = b'{"type":"bundle","id":"bundle--%s","objects":[]}' % str(uuid.uuid4()).encode()
        a = self.n.http("POST", self.base + "objects/", self.token, body=bundle,
                        headers={"Content-Type": "application/stix+json;version=2.1"})
        equal(a.status, 202, repr(a))

    def delete(self):
        o = indicator(self.rng)
        self.n.post(self.token, self.c, [o])
        path = self.base + "objects/%s/" % o["id"]
        equal(self.get(path).status, 200)
        equal(self.n.http("DELETE", path, self.token).status, 200)
        self.is_error(self.get(path), 404)
        self.is_error(self.n.http("DELETE", path, self.token), 404)

    def while_others_write(self):
        """Pages under writing: nothing lost, nothing twice, also when one POST adds thousands."""
        stop = threading.Event()
        posted = []

        def write():
            rng = random.Random(SEED + 1)
            while not stop.is_set():
                batch = [indicator(rng) for _ in range(rng.choice((1, 20, 500)))]
                if self.n.post(self.token, self.c, batch).status == 202:
                    posted.extend(o["id"] for o in batch)

        w = threading.Thread(target=write)
        w.start()
        seen = []
        after = "1970-01-01T00:00:00Z"
        try:
            connection = self.n.connect()
            end = time.monotonic() + 6
            query = "?limit=64"
            while time.monotonic() < end:
                a = self.n.objects(self.token, self.c, query, connection)
                equal(a.status, 200, repr(a))
                j = a.json()
                seen += self.ids(j.get("objects", []))
                if a.headers["X-TAXII-Date-Added-Last"]:
                    after = a.headers["X-TAXII-Date-Added-Last"]
                query = ("?limit=64&next=" + j["next"] if j.get("more")
                         else "?limit=64&added_after=" + after)
        finally:
            stop.set()
            w.join()
        want = set(posted)

        def rest():
            nonlocal query, after
            a = self.n.objects(self.token, self.c, query)
            j = a.json()
            seen.extend(self.ids(j.get("objects", [])))
            if a.headers["X-TAXII-Date-Added-Last"]:
                after = a.headers["X-TAXII-Date-Added-Last"]
            query = ("?limit=64&next=" + j["next"] if j.get("more")
                     else "?limit=64&added_after=" + after)
            return want <= set(seen)

        eventually(rest, 60, "objects were lost between pages")
        mine = [i for i in seen if i in want]
        equal(len(mine), len(set(mine)), "an object came twice")
        return "%d objects posted meanwhile" % len(want)

    def next_survives(self):
        first = self.get(self.base + "objects/?limit=50").json()
        self.n.stop()
        self.n.start()
        self.n.run("user", "set", "ann", "--password-file", "-", stdin=b"another password\n")
        again = eventually(lambda: self.get(self.base + "objects/?limit=50&next=" + first["next"]))
        equal(again.status, 200, repr(again))
        check(not set(self.ids(again.json()["objects"])) & set(self.ids(first["objects"])))
        self.is_error(self.get(ROOT + "collections/", login=self.ann), 401)

    def removed(self):
        self.n.run("token", "remove", "r")
        eventually(lambda: self.get(ROOT + "collections/", login=self.reader).status == 401, 5,
                   "a removed token still works")


def main():
    t = Tap()
    x = Taxii()
    try:
        for name in ("discovery", "logins", "media", "methods", "pages", "full_while_more",
                     "next_alone_and_repeated", "long_filters", "added_after", "bad_parameters",
                     "versions", "post_status", "delete", "while_others_write", "next_survives", "removed"):
            t.test(name.replace("_", " "), getattr(x, name))
    finally:
        if t.bad:
            print("# " + x.n.tail().replace("\n", "\n# "))
        x.n.clean()
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
