"""What was said can be proven to a stranger; the process that holds the key may end at any time."""
import base64
import os
import random
import signal
import sys
import time

from node import SEED, JAGA, Node, Tap, check, equal, eventually, indicator


class Proofs:
    def __init__(self):
        self.n = Node("Samut CERT (fictional)")
        self.rng = random.Random(SEED)
        self.ids = []

    def put(self):
        o = indicator(self.rng)
        self.n.load([o])
        self.ids.append(o["id"])
        return o["id"]

    def make(self, i, ok=(0,)):
        return self.n.command("proof", "make", i)

    def write(self, text):
        path = os.path.join(self.n.top, "proof")
        with open(path, "w") as f:
            f.write(text)
        return path

    def check(self, text):
        return self.n.command("proof", "check", self.write(text))

    def proven(self, i):
        code, out, err = self.make(i)
        if code != 0:
            return None
        return out

    def before(self):
        code, out, err = self.make(self.put())
        equal((code, out), (1, ""), "nothing is signed before the node has run")
        check("jaga serve" in err, err)

    def after(self):
        self.n.start()
        eventually(lambda: self.proven(self.ids[0]), text="what came before is signed")
        text = self.proven(self.ids[0])
        code, out, err = self.check(text)
        equal(code, 0, err)
        check(self.ids[0] in out and "GREEN" in out and "region" in out, out)
        r = self.n.json("proof", "check", self.write(text))
        equal((r["holds"], r["id"], r["label"]), (True, self.ids[0], "TLP:GREEN"))

    def stranger(self):
        """Without a data folder, from another one."""
        import subprocess
        path = self.write(self.proven(self.ids[0]))
        r = subprocess.run([JAGA, "-C", "/nonexistent", "proof", "check", path],
                           capture_output=True, cwd="/")
        equal(r.returncode, 0, r.stderr.decode())

    def altered(self):
        """Whatever is altered, it does not hold: each line, and each part of the head."""
        text = self.proven(self.ids[0])
        lines = text.split("\n")
        for k, line in enumerate(lines):
            if not line:
                continue
            at = self.rng.randrange(len(line))
            c = "0" if line[at] != "0" else "1"
            bad = "\n".join(lines[:k] + [line[:at] + c + line[at + 1:]] + lines[k + 1:])
            code, out, err = self.check(bad)
            check(code != 0, "line %d altered at %d: %r" % (k, at, line[:60]))
        for k in range(len(lines)):
            code, out, err = self.check("\n".join(lines[:k] + lines[k + 1:]))
            check(code != 0, "without line %d" % k)

    def who(self):
        equal(self.n.command("proof", "make", "malware--" + "0" * 8 + "-0000-4000-8000-" + "0" * 12)[0],
              1, "what is not there")
        equal(self.n.command("proof", "make")[0], 2)
        equal(self.n.command("proof", "forge", "x")[0], 2)
        equal(self.n.command("proof", "check", "/nonexistent")[0], 1)

    def withdrawn(self):
        i = self.put()
        eventually(lambda: self.proven(i))
        text = self.proven(i)
        self.n.run("withdraw", i)
        self.ids.remove(i)
        check(self.make(i)[0] != 0, "what was taken back is proven no more here")
        equal(self.check(text)[0], 0, "a proof that was handed on stays true")

    def killed(self):
        """The signer is killed again and again while objects come: all are signed in the end."""
        rng = self.rng
        for _ in range(5):
            pids = self.n.children().get("signer", [])
            if pids:
                os.kill(pids[0], signal.SIGKILL)
            self.put()
            time.sleep(rng.random() * 0.1)
        eventually(lambda: self.proven(self.ids[-1]), 30, "signed when the signer is back")
        for i in self.ids:
            check(self.proven(i), i)

    def restarted(self):
        head = [x for x in self.proven(self.ids[0]).split("\n")]
        key = next(x for x in head if x.startswith("key "))
        equal(len(base64.b64decode(key[4:])), 32)
        self.n.kill_all()
        self.n.start()
        i = self.put()
        eventually(lambda: self.proven(i))
        check(key in self.proven(i), "the key stays")

    def not_in_a_backup(self):
        path = os.path.join(self.n.top, "backup.db")
        self.n.run("backup", path)
        secret = open(os.path.join(self.n.dir, "sign", "sign.key")).read().split()[-1].encode()
        data = open(path, "rb").read()
        check(len(secret) == 64 and secret not in data and bytes.fromhex(secret.decode()) not in data)
        for name in ("sign.key", "signed"):
            equal(os.stat(os.path.join(self.n.dir, "sign", name)).st_mode & 0o777, 0o600)


def main():
    t = Tap()
    p = Proofs()
    try:
        t.test("nothing is signed before the node runs", p.before)
        t.test("what came before is signed when it runs", p.after)
        t.test("a stranger checks without a node", p.stranger)
        t.test("nothing altered holds", p.altered)
        t.test("bad questions", p.who)
        t.test("withdrawn", p.withdrawn)
        t.test("the signer is killed", p.killed)
        t.test("everything is killed", p.restarted)
        t.test("the key is in no backup", p.not_in_a_backup)
        t.test("an orderly end", lambda: equal(p.n.stop(), 0))
        t.test("verify", lambda: p.n.run("verify"))
    finally:
        p.n.clean()
    return t.end()


if __name__ == "__main__":
    random.seed(SEED)
    sys.exit(main())
