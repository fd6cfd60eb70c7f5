"""The sample's story, typed as a newcomer would: what each person sees, and what is taken back."""
import os
import random
import sys

from node import SEED, Node, Tap, check, equal, eventually

SAMPLE = os.path.join(os.environ.get("JAGA_SOURCE", "."), "sample")
PAGE = "indicator--ee764c14-ee1d-4a4d-b400-b4a27f0af11c"
PROXY = "indicator--4ee96f62-8b29-4b38-b6ab-24dc53a4675a"
LOG = "note--e7094918-f0f3-462b-b734-b65743fbca60"
C2 = "indicator--8552b749-3cd4-46d1-a45c-e2b8ec84407e"
PERSON = "identity--c73aa69d-aff3-43b4-a32f-fb1c79f32877"


class Story:
    def __init__(self):
        self.n = n = Node("Samut CERT (fictional)")
        n.run("org", "add", "bank-a", "--title", "Bank Sinar Laut", "--member", "own")
        n.run("group", "add", "banking", "--past", "yes", "--add", "own", "--add", "bank-a")
        self.somchai = ("somchai", n.user("somchai", "--role", "analyst", "--exercise", "yes"))
        self.bank = ("bank", n.user("bank", "--role", "reader", "--org", "bank-a"))
        self.admin = ("root", n.user("root", "--role", "admin"))
        self.siem = n.token("siem", "--user", "somchai", "--ceiling", "TLP:AMBER+STRICT",
                            "--staff", "yes")

    def imports(self):
        n = self.n
        for f, args in (("1-public", ["--group", "public"]), ("2-region", []),
                        ("3-banking", ["--group", "banking"]), ("4-incident", []),
                        ("5-person", ["--person", "somchai"]), ("6-exercise", ["--exercise"])):
            r = n.json("import", os.path.join(SAMPLE, f + ".json"), *args)
            counts = r["counts"]
            check(counts.get("new", 0) > 0 and not counts.get("refused"), "%s: %r" % (f, counts))

    def sees(self, login):
        n = self.n
        found = set()
        for c in n.collections(login):
            if "EXERCISE" not in c["title"]:
                found |= {o["id"] for o in n.walk(login, c["id"], 7)}
        return found

    def labels(self):
        staff, bank, admin = self.sees(self.siem), self.sees(self.bank), self.sees(self.admin)
        check(PAGE in staff and C2 in staff, "staff sees the page and the command and control")
        check(PAGE in bank and C2 in bank, "the bank sees what its group sees")
        check(not any(i.startswith("incident--") for i in bank), "the incident is the team's own")
        check(any(i.startswith("incident--") for i in staff), "staff sees the incident")
        check(PERSON not in staff and PERSON not in bank, "RED goes to no token")
        equal(admin, set(), "admin alone sees no object")

    def red_in_a_session(self):
        page = self.n.http("GET", "/object/" + PERSON, self.somchai, accept="text/html")
        equal(page.status, 200, "the person named sees it on the pages")
        check(b"Somchai K." in page.body)
        equal(self.n.http("GET", "/object/" + PERSON, self.bank, accept="text/html").status, 404)

    def exercise_apart(self):
        # Marking definitions go along into every audience that uses them, on both sides.
        live = {i for i in self.sees(self.somchai) if not i.startswith("marking-definition--")}
        ex = [c for c in self.n.collections(self.somchai) if "EXERCISE" in c["title"]]
        check(ex, "who takes part gets exercise collections")
        inside = {o["id"] for c in ex for o in self.n.walk(self.somchai, c["id"])}
        check(inside and not (inside & live), "exercise and live never mix")
        check(not [c for c in self.n.collections(self.bank) if "EXERCISE" in c["title"]])

    def revoke(self):
        self.n.run("revoke", PROXY)
        c = self.n.collections(self.bank)[0]["id"]
        r = self.n.http("GET", "/taxii2/root/collections/%s/objects/%s/" % (c, PROXY), self.bank)
        equal(r.status, 200)
        check(r.json()["objects"][0].get("revoked") is True, "the new version says revoked")

    def withdraw(self):
        c = self.n.collections(self.bank)[0]["id"]
        path = "/taxii2/root/collections/%s/objects/%s/" % (c, LOG)
        equal(self.n.http("GET", path, self.bank).status, 200)
        # Marks of who was served are written once a second.
        eventually(lambda: any(m["principal"] == "bank" for m in self.n.json("who", LOG)["served"]),
                   5, "no mark that the bank was served")
        said = self.n.json("withdraw", LOG)
        check(said["erased"] >= 1, "something is erased")
        check(any(s["principal"] == "bank" for s in said["served"]), "who was served is told: %r" % said)
        equal(self.n.http("GET", path, self.bank).status, 404)
        check(LOG not in self.sees(self.siem))

    def reading(self):
        n = self.n
        check(PAGE in n.run("search", "parcel-th[.]example"))
        check(C2 in n.run("search", "--value", "203.0.113.0/24"))
        check("TLP" in n.run("who", PAGE))
        check("does not see" in n.run("why", C2, "root"))
        check(PAGE in n.run("--json", "get", PAGE))
        check("published" in n.run("show", PAGE))
        check(n.run("log", PROXY).strip())
        check(n.run("export", "--format", "ids").count("--") > 10)
        check("batch" in n.run("report", "1") or n.run("report", "1"))

    def verify(self):
        check("all is well" in self.n.run("verify"))


def main():
    t = Tap()
    s = Story()
    try:
        t.test("import without a running node", s.imports)
        s.n.start()
        t.test("who sees what", s.labels)
        t.test("RED in a person's session", s.red_in_a_session)
        t.test("exercise apart", s.exercise_apart)
        t.test("revoke", s.revoke)
        t.test("withdraw", s.withdraw)
        t.test("reading commands", s.reading)
        t.test("verify while it runs", s.verify)
        t.test("an orderly end", lambda: equal(s.n.stop(), 0))
        t.test("verify afterwards", s.verify)
    finally:
        s.n.clean()
    return t.end()


if __name__ == "__main__":
    random.seed(SEED)
    sys.exit(main())
