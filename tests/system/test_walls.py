"""A front that has been taken over gains nothing, and the others go on.

tests/node/evil_front stands in the front's place with the front's sandbox and sockets.
"""
import os
import random
import subprocess
import sys

from node import SEED, Failed, Node, Tap, check, eventually, indicator

EVIL = os.environ["EVIL_FRONT"]

# what it tries, and what may come of it: "killed", or its own report
CASES = [
    ("open-store", "killed"), ("open-auth", "killed"), ("write-file", "killed"),
    ("read-key", "killed"), ("connect", "killed"), ("fork", "killed"), ("exec", "killed"),
    ("ptrace", "killed"), ("kill", "killed"), ("memory", "killed"),
    ("forge-ticket", "answer auth"), ("no-ticket", "refused"), ("admin", "refused"),
    ("open-public", "refused"), ("decide", "refused"), ("backup", "refused"),
    ("served", "refused"), ("garbage-writer", "closed"), ("wrong-type", "closed"),
    ("auth-admin", "closed"),
]
REFUSED = ("answer auth", "answer denied", "answer missing", "answer protocol", "answer usage",
           "closed")


class Walls:
    def __init__(self):
        self.n = Node()
        self.n.load([indicator(random.Random(SEED)) for _ in range(5)])
        self.n.user("victim", "--role", "reader")

    def attack(self, what, want):
        n = self.n
        n.run("config", "contact", what)
        log = os.path.join(n.top, "log-" + what)
        p = subprocess.Popen([EVIL, n.dir], stdout=subprocess.PIPE, stderr=open(log, "wb"))
        try:
            check(p.stdout.readline() == b"ready\n", "did not start: " + open(log).read())

            def seen(word):
                return word in open(log, errors="replace").read()

            if want == "killed":
                eventually(lambda: seen("killed by its sandbox"), 10,
                           "not killed: " + open(log).read())
                check(not seen("EVIL " + what), open(log).read())
            else:
                eventually(lambda: seen("EVIL " + what), 10, "no outcome: " + open(log).read())
                line = [x for x in open(log, errors="replace") if x.startswith("EVIL ")][0]
                got = line.split(" ", 2)[2].strip()
                check(got in REFUSED if want == "refused" else got == want, line)
            # The writer, a reader and auth go on.
            check(len(n.run("export", "--format", "ids").split()) >= 5)
            check("mallory" not in n.run("user", "list"))
            check("public" not in n.run("setting", "list"), "the public collection was opened")
            check(p.poll() is None, "the parent ended")
        finally:
            p.terminate()
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                raise Failed("the parent did not end in order")
            p.stdout.close()

    def verify(self):
        check("all is well" in self.n.run("verify"))


def main():
    t = Tap()
    w = Walls()
    try:
        for what, want in CASES:
            t.test("a front that tries: " + what, w.attack, what, want)
        t.test("the store is whole", w.verify)
    finally:
        w.n.clean()
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
