"""kill -9 of writer, front, auth, readers or everything, at random moments under load.

After each: what was acknowledged is there, byte for byte in its canonical form, and at the end and
at times in between `verify` is clean.  JAGA_KILLS sets how often (200).
"""
import http.client
import json
import os
import random
import signal
import sys
import threading
import time

from node import SEED, Failed, Node, Tap, check, equal, eventually, indicator

KILLS = int(os.environ.get("JAGA_KILLS", "200"))


class Load(threading.Thread):
    """Posts small batches and remembers what was acknowledged."""

    def __init__(self, node, login, collection, seed):
        super().__init__(daemon=True)
        self.node, self.login, self.collection = node, login, collection
        self.rng = random.Random(seed)
        self.acknowledged = {}
        self.quit = threading.Event()
        self.errors = 0

    def run(self):
        while not self.quit.is_set():
            objects = [indicator(self.rng) for _ in range(self.rng.randrange(1, 30))]
            try:
                a = self.node.post(self.login, self.collection, objects)
                if a.status != 202:
                    self.errors += 1
                    time.sleep(0.05)
                    continue
                done = {x["id"] for x in a.json().get("successes", [])}
                for o in objects:
                    if o["id"] in done:
                        self.acknowledged[o["id"]] = o
            except (OSError, http.client.HTTPException, ValueError):
                self.errors += 1
                time.sleep(0.05)


def alive(pid):
    """Neither gone nor waiting to be reaped."""
    try:
        stat = open("/proc/%d/stat" % pid).read()
    except OSError:
        return False
    return stat[stat.rindex(")") + 2:][0] != "Z"


class Kill:
    def __init__(self):
        self.rng = random.Random(SEED)
        self.n = Node()
        self.n.user("poster", "--role", "publisher")
        self.token = self.n.token("load", "--user", "poster", "--scope", "read,write")
        self.n.start()
        self.collection = eventually(lambda: self.n.collections(self.token))[0]["id"]
        self.load = [Load(self.n, self.token, self.collection, SEED + i) for i in range(2)]

    def once(self):
        kids = self.n.children()
        what = self.rng.choice(["writer", "writer", "front", "auth", "reader", "everything"])
        time.sleep(self.rng.random() * 0.15)
        if what == "everything":
            self.n.kill_all()
            self.n.start()
        else:
            for pid in kids.get(what, [])[:1]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
        return what

    def all_there(self):
        want = {}
        for l in self.load:
            want.update(dict(l.acknowledged))
        got = {o["id"]: o for o in self.n.walk(self.token, self.collection, 1000)}
        for i, o in want.items():
            check(i in got, "acknowledged and lost: " + i)
            equal(got[i], o, "not the same bytes")
        return len(want)

    def kills(self):
        for l in self.load:
            l.start()
        counts = {}
        for i in range(KILLS):
            what = self.once()
            counts[what] = counts.get(what, 0) + 1
            if i % 20 == 19:
                eventually(self.all_there, 60, "an acknowledged object is missing")
        for l in self.load:
            l.quit.set()
        for l in self.load:
            l.join(60)
        eventually(self.all_there, 60, "an acknowledged object is missing")
        n = self.all_there()
        check(n > KILLS, "the load did some work: %d" % n)
        return "%d kills (%s), %d objects acknowledged and there" % (
            KILLS, ", ".join("%s %d" % kv for kv in sorted(counts.items())), n)

    def orphans(self):
        """No child outlives its parent, however that ends."""
        kids = [p for pids in self.n.children().values() for p in pids]
        check(len(kids) >= 5, "a whole family: %r" % kids)
        self.n.process.kill()
        self.n.process.wait()
        self.n.process.stdout.close()
        self.n.process = None
        eventually(lambda: not [p for p in kids if alive(p)], 20, "a child lives on without its parent")
        self.n.start()

    def verify(self):
        self.n.stop()
        out = self.n.run("verify", timeout=300)
        check("all is well" in out, out)


def main():
    t = Tap()
    k = Kill()
    try:
        t.test("nothing acknowledged is lost", k.kills)
        t.test("no child outlives the parent", k.orphans)
        t.test("the store is whole", k.verify)
    finally:
        if t.bad:
            print("# " + k.n.tail().replace("\n", "\n# "))
        k.n.clean()
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
