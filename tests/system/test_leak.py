"""Over real HTTP: each reader sees what a few plain lines say, and hidden is as absent, headers too."""
import itertools
import random
import re
import sys

from node import SEED, Node, Tap, check, equal, indicator

LABELS = ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"]
OWN = "ThaiCERT"
ORGS = {OWN: None, "bank": OWN, "grid": OWN, "one": OWN}  # constituents and whose they are
GROUPS = {"circle": {OWN, "bank"}, "secret": {OWN, "one"}}
PEOPLE = {  # organisation, staff, ceiling
    "an": (OWN, True, "RED"), "guest": (OWN, False, "RED"), "low": (OWN, True, "GREEN"),
    "teller": ("bank", True, "RED"), "clerk": ("bank", False, "AMBER"),
    "grid": ("grid", True, "RED"), "peer": ("one", True, "RED"),
}


def members(group):
    return {OWN} if group == "region" else GROUPS.get(group) or {group}


def sees(reader, label, group):
    """What TAXII shows: the table of the policy, and never RED."""
    if reader is None:
        return False  # the public collection is closed
    org, staff, ceiling = PEOPLE[reader]
    if label == "RED" or LABELS.index(label) > LABELS.index(ceiling):
        return False
    if label == "CLEAR" and group == "public":
        return True
    if org in members(group):
        return label != "AMBER+STRICT" or staff
    return label in ("CLEAR", "GREEN") and ORGS[org] in members(group)


class World:
    def __init__(self):
        self.rng = random.Random(SEED)
        self.node = Node(OWN)
        self.logins, self.objects, self.where = {}, {}, {}
        self.pairs = 0
        n = self.node
        for name in sorted(set(ORGS) - {OWN}):
            n.run("org", "add", name)
        for name, orgs in GROUPS.items():
            n.run("group", "add", name, *itertools.chain(*(("--add", o) for o in sorted(orgs))))
        for name, (org, staff, ceiling) in PEOPLE.items():
            password = n.user(name, "--role", "reader", "--org", org,
                              "--staff", "yes" if staff else "no", "--ceiling", ceiling)
            self.logins[name] = (name, password)

    def load(self):
        """Objects under each label and group; every fifth for two groups, and some later withdrawn."""
        default = {"CLEAR": "public", "GREEN": "region"}
        for label in LABELS[:4]:
            for group in (None, "circle", "secret"):
                batch = [indicator(self.rng, label) for _ in range(18)]
                args = ["--group", group] if group else []
                self.node.load(batch, *args)
                for o in batch:
                    self.objects[o["id"]] = o
                    self.where[o["id"]] = {(label, group or default.get(label, OWN))}
        for i in sorted(self.objects)[::5]:
            group = self.rng.choice(sorted(GROUPS))
            label = max((l for l, _ in self.where[i]), key=LABELS.index)
            self.node.run("publish", i, "--group", group)
            self.where[i].add((label, group))
        red = [indicator(self.rng, "RED") for _ in range(5)]
        self.node.load(red, "--person", "an")
        for o in red:
            self.objects[o["id"]] = o
            self.where[o["id"]] = {("RED", "an")}
        for i in sorted(self.objects)[::11]:
            self.node.run("withdraw", i)
            self.where[i] = set()

    def visible(self, reader, group=None):
        return {i for i, where in self.where.items()
                if any(sees(reader, l, g) for l, g in where if group in (None, g))}


def same(a, b, what):
    """Two answers that may differ in nothing but the moment."""
    def plain(x):
        return [(k.lower(), v) for k, v in x.headers.items() if k.lower() != "date"]

    equal(a.status, b.status, what)
    equal(plain(a), plain(b), what + ": headers")
    equal(a.body, b.body, what + ": body")


def collections(w):
    for name, login in w.logins.items():
        org = PEOPLE[name][0]
        want = {"all", "public", org} | {g for g, m in GROUPS.items() if org in m}
        want |= {"region"} if org == OWN else set()
        equal({c["alias"] for c in w.node.collections(login)}, want, name)


def pages(w):
    """Walking gives exactly what may be seen, with every limit, and heads that fit."""
    for name, login in w.logins.items():
        for c in w.node.collections(login):
            group = None if c["alias"] == "all" else c["alias"]
            found = [o["id"] for o in w.node.walk(login, c["id"], w.rng.choice([1, 7, 50, 1000]))
                     if o["type"] == "indicator"]
            equal(len(found), len(set(found)), "each once")
            equal(set(found), w.visible(name, group), "%s in %s" % (name, c["alias"]))
            w.pairs += len(w.objects)
    return "%d pairs" % w.pairs


def heads(w):
    for name, login in w.logins.items():
        c = next(c["id"] for c in w.node.collections(login) if c["alias"] == "all")
        r = w.node.http("GET", "/taxii2/root/collections/%s/manifest/?limit=10000" % c, login)
        dates = [o["date_added"] for o in r.json()["objects"]]
        first, last = (r.headers["X-TAXII-Date-Added-" + x] for x in ("First", "Last"))
        equal(first, min(dates), name)
        check(last >= max(dates) and last[:19] == max(dates)[:19], "%s: %s" % (last, max(dates)))
        check(re.search(r"\.\d{3}(000)?Z$", last), "rounded to the millisecond: " + last)
        r = w.node.objects(login, c, "?added_after=" + last)
        equal(r.body, b"{}", "nothing after the last")
        check(r.headers["X-TAXII-Date-Added-First"] is None, "an empty page has no dates")


def by_id(w):
    """What is hidden is answered as what never was, byte for byte."""
    absent = "indicator--ffffffff-ffff-4fff-8fff-ffffffffffff"
    for name, login in w.logins.items():
        root = "/taxii2/root/collections/%s/objects/" % next(
            c["id"] for c in w.node.collections(login) if c["alias"] == "all")
        seen, k = w.visible(name), w.node.connect()
        for end in ("/", "/versions/"):
            none = w.node.http("GET", root + absent + end, login, connection=k)
            equal(none.status, 404, "absent")
            for i in w.objects:
                r = w.node.http("GET", root + i + end, login, connection=k)
                w.pairs += 1
                if i in seen:
                    equal(r.status, 200, "%s %s" % (name, i))
                else:
                    same(r, none, "%s %s" % (name, i))
        none = w.node.http("DELETE", root + absent + "/", login, connection=k)
        for i in sorted(set(w.objects) - seen)[:20]:
            same(w.node.http("DELETE", root + i + "/", login, connection=k), none, "DELETE " + i)
        k.close()
    return "%d pairs" % w.pairs


def nobody(w):
    """Without a login every path below the root says the same, whatever is there."""
    c = w.node.collections(w.logins["an"])[0]["id"]
    i = next(iter(w.objects))
    answers = [w.node.http("GET", "/taxii2/root/collections/%s/objects/%s/" % pair)
               for pair in ((c, i), (c, i[:-4] + "ffff"), (c[:-4] + "ffff", i))]
    equal(answers[0].status, 401, "no login")
    for r in answers[1:]:
        same(r, answers[0], "without a login")
    for name, login in w.logins.items():
        for other in sorted(GROUPS):
            if PEOPLE[name][0] in GROUPS[other]:
                continue
            get = lambda g: w.node.http("GET", "/taxii2/root/collections/%s/" % g, login)
            same(get(other), get("nowhere"), "%s asks for %s" % (name, other))


def main():
    t = Tap()
    w = World()
    try:
        t.test("what is loaded", w.load)
        w.node.start()
        t.test("collections", collections, w)
        t.test("pages", pages, w)
        t.test("dates", heads, w)
        t.test("objects by id", by_id, w)
        t.test("nobody, and groups of others", nobody, w)
    finally:
        w.node.clean()
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
