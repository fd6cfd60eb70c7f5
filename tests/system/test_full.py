"""A full disk: a clear error, nothing half done, and the node goes on when there is room again."""
import os
import random
import shutil
import subprocess
import sys

from node import SEED, Failed, Node, Tap, check, equal, indicator

SIZE = "24m"


class Full:
    def __init__(self):
        self.n = Node()
        self.rng = random.Random(SEED)
        # The store's folder becomes a small file system of its own.
        data = os.path.join(self.n.dir, "data")
        kept = os.path.join(self.n.top, "kept")
        shutil.copytree(data, kept)
        r = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%s,mode=0700" % SIZE, "jaga-test",
                            data], capture_output=True)
        self.mounted = r.returncode == 0
        if self.mounted:
            for f in os.listdir(kept):
                shutil.copy2(os.path.join(kept, f), os.path.join(data, f))
                os.chmod(os.path.join(data, f), 0o600)
        self.data = data

    def fill(self):
        n = self.n
        n.user("u", "--role", "publisher")
        self.token = n.token("t", "--user", "u", "--scope", "read,write")
        n.start()
        self.collection = n.collections(self.token)[0]["id"]
        self.good = set()
        for _ in range(400):
            objects = [indicator(self.rng, description="x" * 800) for _ in range(500)]
            a = n.post(self.token, self.collection, objects)
            if a.status != 202:
                check(a.status in (503, 507), repr(a))
                check(a.json()["title"], "a TAXII error")
                return "%d objects fit" % len(self.good)
            self.good |= {x["id"] for x in a.json()["successes"]}
        raise Failed("the disk never became full")

    def there(self):
        got = {o["id"] for o in self.n.walk(self.token, self.collection, 1000)}
        check(self.good <= got, "acknowledged and lost: %d" % len(self.good - got))

    def told(self):
        """A command tells what to do; the readers were not disturbed."""
        code, out, err = self.n.command("import", "-", stdin=b'{"objects":[]}')
        self.n.stop()
        code, out, err = self.n.command("export")
        check(code == 0 or ("full" in err and "space" in err), err)

    def goes_on(self):
        subprocess.run(["mount", "-o", "remount,size=256m", self.data], check=True)
        r = self.n.load([indicator(self.rng) for _ in range(100)])
        equal(r["counts"].get("new"), 100)
        check("all is well" in self.n.run("verify"))
        self.n.start()
        self.there()

    def clean(self):
        if self.mounted:
            subprocess.run(["umount", "-l", self.data])
        self.n.clean()


def main():
    t = Tap()
    f = Full()
    try:
        if not f.mounted:
            print("# skip: a small file system cannot be mounted here")
            t.test("a full disk (skipped: cannot mount)", lambda: None)
        else:
            t.test("posts fill the disk", f.fill)
            t.test("what was acknowledged is served on", f.there)
            t.test("the command line says what to do", f.told)
            t.test("it goes on when there is room", f.goes_on)
    finally:
        f.clean()
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
